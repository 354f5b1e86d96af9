"""Gemini's and Vertex AI's wire format, as Google's own client finds it."""

import asyncio

import httpx2
import pytest
from google import genai
from google.genai import errors
from google.oauth2.credentials import Credentials

from llmvitals_collector.demo.behaviour import Behaviour

MODEL = "gemini-3-pro"
QUESTION = "Where is my order?"
TEXT = "Thank you for asking."
# google-genai 3 inherits from a class of aiohttp that warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.fixture(scope="module")
def gemini(loopback):
    client = genai.Client(api_key="any", http_options={"base_url": loopback.url})
    yield client
    client.close()


@pytest.fixture(scope="module")
def vertex(loopback):
    options = {"base_url": loopback.url}
    client = genai.Client(
        vertexai=True, project="p", location="eu", credentials=Credentials(token="any"), http_options=options
    )
    yield client
    client.close()


def whole(client, **config):
    return client.models.generate_content(model=MODEL, contents=QUESTION, config=config)


def streamed(client, **config):
    return list(client.models.generate_content_stream(model=MODEL, contents=QUESTION, config=config))


def streamed_async(client):
    async def gather():
        async with client.aio as aio:
            return [chunk async for chunk in await aio.models.generate_content_stream(model=MODEL, contents=QUESTION)]

    return asyncio.run(gather())


def test_cached_tokens_are_a_part_of_the_prompt_and_thoughts_are_no_part_of_the_candidates(gemini, behave):
    behave(Behaviour(input_tokens=100, cache_read_tokens=60, output_tokens=7, reasoning_tokens=3))
    answer = whole(gemini)
    assert answer.text == TEXT
    assert answer.candidates[0].finish_reason == "STOP"
    assert answer.model_version == MODEL
    assert answer.response_id
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (100, 60)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (4, 3, 107)


def test_each_chunk_of_a_stream_has_the_usage_so_far_and_the_last_one_how_it_ended(gemini, behave):
    behave(Behaviour(output_tokens=4))
    *texts, last = streamed(gemini)
    assert "".join(chunk.text for chunk in texts) == TEXT
    assert [chunk.usage_metadata.candidates_token_count for chunk in (*texts, last)] == [1, 2, 3, 4, 4]
    assert [chunk.candidates[0].finish_reason for chunk in (*texts, last)] == [None] * 4 + ["STOP"]


def test_the_async_client_streams_as_well(gemini, behave):
    behave(Behaviour(output_tokens=4))
    *texts, last = streamed_async(gemini)
    assert "".join(chunk.text for chunk in texts) == TEXT
    assert last.usage_metadata.candidates_token_count == 4


def test_vertex_has_the_model_in_a_longer_path(vertex, behave, loopback):
    behave(Behaviour(output_tokens=4))
    assert whole(vertex).text == "".join(chunk.text for chunk in streamed(vertex)) == TEXT
    assert whole(vertex).model_version == MODEL
    assert loopback.served[0].path.endswith(f"/publishers/google/models/{MODEL}:generateContent")


def test_thoughts_are_told_before_the_text_and_counted_beside_it(gemini, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3, reasoning_streamed=True))
    thought, text = whole(gemini).parts
    assert (thought.thought, text.text) == (True, TEXT)
    chunks = streamed(gemini)
    assert [chunk.parts[0].thought for chunk in chunks[:-1]] == [True] * 3 + [None] * 4
    assert [chunk.usage_metadata.thoughts_token_count for chunk in chunks] == [1, 2] + [3] * 6


def test_a_function_call_is_of_the_first_function_declared_and_comes_at_once(gemini, behave):
    behave(Behaviour(tool_call=True))
    tools = [{"function_declarations": [{"name": "find"}, {"name": "other"}]}]
    chunks = streamed(gemini, tools=tools)
    for answer in (whole(gemini, tools=tools), chunks[0]):
        [call] = answer.function_calls
        assert call.name == "find"
        assert call.args["query"].startswith("Thank you")
    assert not chunks[1].function_calls


def test_a_blocked_answer_has_no_content_and_says_why(gemini, behave):
    behave(Behaviour(refusal=True))
    for answer in (whole(gemini), *streamed(gemini)):
        [candidate] = answer.candidates
        assert candidate.content is None
        assert candidate.finish_reason == "SAFETY"
        assert candidate.safety_ratings[0].blocked


def test_there_are_as_many_candidates_as_asked_for_and_the_usage_counts_all(gemini, behave):
    behave(Behaviour(output_tokens=4))
    for answer in (whole(gemini, candidate_count=2), *streamed(gemini, candidate_count=2)):
        assert [candidate.index for candidate in answer.candidates] == [0, 1]
    assert answer.usage_metadata.candidates_token_count == 8


def test_usage_can_be_missing(gemini, behave):
    behave(Behaviour(usage_missing=True))
    assert whole(gemini).usage_metadata is None
    assert all(chunk.usage_metadata is None for chunk in streamed(gemini))


@pytest.mark.parametrize("call", [whole, streamed, streamed_async])
@pytest.mark.parametrize(
    ("status", "error", "name"),
    [
        (400, errors.ClientError, "INVALID_ARGUMENT"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (503, errors.ServerError, "UNAVAILABLE"),
    ],
)
def test_errors_are_googles_own(gemini, behave, call, status, error, name):
    behave(Behaviour(status=status))
    with pytest.raises(error) as raised:
        call(gemini)
    assert (raised.value.code, raised.value.status) == (status, name)
    assert raised.value.message


@pytest.mark.parametrize("call", [streamed, streamed_async])
def test_a_stream_that_breaks_raises_googles_own_error(gemini, behave, call):
    behave(Behaviour(error_after=2))
    with pytest.raises(errors.ServerError) as raised:
        call(gemini)
    assert raised.value.status == "UNAVAILABLE"
    behave(Behaviour(error_after=2, error_status=429))
    with pytest.raises(errors.ClientError) as raised:
        call(gemini)
    assert raised.value.status == "RESOURCE_EXHAUSTED"


def test_what_came_before_a_stream_breaks_or_is_cut_can_be_read(gemini, behave, loopback):
    for fault, error in (("error_after", errors.ServerError), ("cut_after", httpx2.RemoteProtocolError)):
        behave(Behaviour(**{fault: 2}))
        stream = gemini.models.generate_content_stream(model=MODEL, contents=QUESTION)
        assert [next(stream).text, next(stream).text] == ["Thank ", "you "]
        with pytest.raises(error):
            next(stream)
    assert [served.completed for served in loopback.served] == [True, False]


def test_a_whole_answer_can_be_cut(gemini, behave):
    behave(Behaviour(cut_after=0))
    with pytest.raises(httpx2.RemoteProtocolError):
        whole(gemini)


def test_embeddings_come_one_to_a_content_with_the_tokens_they_took(gemini, vertex, behave):
    behave(Behaviour(input_tokens=7))
    config = {"output_dimensionality": 4}
    batch = gemini.models.embed_content(model="gemini-embedding-001", contents=["one", "two"], config=config)
    predicted = vertex.models.embed_content(model="text-embedding-005", contents=["one", "two"], config=config)
    single = vertex.models.embed_content(model="gemini-embedding-2", contents="one", config=config)
    assert [item.values for item in batch.embeddings] == [[0.5] * 4] * 2
    assert [item.values for item in predicted.embeddings] == [[0.5] * 4] * 2
    assert [item.values for item in single.embeddings] == [[0.5] * 4]
    assert batch.usage_metadata.prompt_token_count == single.usage_metadata.prompt_token_count == 7
    assert sum(item.statistics.token_count for item in predicted.embeddings) == 7
