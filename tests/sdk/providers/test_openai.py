"""What an OpenAI request asks for, and what its answers say: pure functions over what is on the wire."""

import httpx2
import pytest
from openai import AzureOpenAI

from llmvitals import semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage, provider_at
from llmvitals.formats import chat_completions, completions, embeddings, responses
from llmvitals.providers import openai


def folded(fold, pieces):
    """The answer after all pieces, and what each of them brought."""
    answer = Answer()
    return answer, [fold(answer, piece) for piece in pieces]


def chunk(delta, finish_reason=None, usage=None):
    choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    return {"id": "chatcmpl-1", "model": "gpt-x-2026", "choices": choices, "usage": usage}


CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def test_a_chat_stream_begins_with_a_chunk_that_brings_nothing():
    answer, brought = folded(
        chat_completions.fold,
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "Hi"}),
            chunk({}, "stop"),
            chunk({}, None, CHAT_USAGE),
        ],
    )
    assert brought == [NOTHING, ANSWER, NOTHING, NOTHING]
    assert (answer.id, answer.model, answer.finish_reasons) == ("chatcmpl-1", "gpt-x-2026", {0: "stop"})
    assert answer.usage == Usage(input=100, output=20, cache_read=60, reasoning=5)


@pytest.mark.parametrize(
    ("delta", "brings"),
    [
        ({"content": "word"}, ANSWER),
        ({"refusal": "I can't"}, ANSWER),
        ({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}, ANSWER),
        ({"reasoning_content": "hm"}, REASONING),
        ({"reasoning": "hm"}, REASONING),
        ({"role": "assistant"}, NOTHING),
        ({"content": ""}, NOTHING),
        ({"content": None}, NOTHING),
        ({}, NOTHING),
    ],
)
def test_what_a_chat_delta_brings(delta, brings):
    assert folded(chat_completions.fold, [chunk(delta)])[1] == [brings]


def test_every_choice_has_a_finish_reason():
    whole = {"id": "1", "choices": [{"finish_reason": "stop"}, {"finish_reason": "length"}], "usage": CHAT_USAGE}
    assert folded(chat_completions.fold, [whole])[0].finish_reasons == {0: "stop", 1: "length"}


def test_a_usage_that_is_absent_stays_absent():
    answer, _ = folded(chat_completions.fold, [chunk({"content": "Hi"}, "stop")])
    assert answer.usage == Usage()


@pytest.mark.parametrize("fold", [chat_completions.fold, completions.fold, responses.fold, embeddings.fold])
@pytest.mark.parametrize("piece", [{}, {"choices": None}, {"choices": [{}]}, {"type": "unheard.of"}, {"usage": {}}])
def test_odd_answers_fold_to_what_they_say(fold, piece):
    answer, _ = folded(fold, [piece])
    assert answer.usage == Usage()


RESPONSE = {
    "id": "resp_1",
    "model": "gpt-x-2026",
    "status": "completed",
    "service_tier": "default",
    "usage": {
        "input_tokens": 100,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens_details": {"reasoning_tokens": 5},
    },
}


def test_a_stream_of_responses_events():
    answer, brought = folded(
        responses.fold,
        [
            {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "usage": None}},
            {"type": "response.output_item.added", "item": {"type": "reasoning"}},
            {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
            {"type": "response.output_text.delta", "delta": "Hi"},
            {"type": "response.function_call_arguments.delta", "delta": "{"},
            {"type": "response.output_text.done", "text": "Hi"},
            {"type": "response.completed", "response": RESPONSE},
        ],
    )
    assert brought == [NOTHING, NOTHING, REASONING, ANSWER, ANSWER, NOTHING, NOTHING]
    assert answer.reasoning_seen
    assert (answer.id, answer.finish_reasons, answer.error) == ("resp_1", {0: "stop"}, None)
    assert answer.usage == Usage(input=100, output=20, cache_read=60, reasoning=5)


def test_a_response_that_was_cut_short_says_why():
    incomplete = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert folded(responses.fold, [incomplete])[0].finish_reasons == {0: "max_output_tokens"}


@pytest.mark.parametrize(
    "piece",
    [
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}},
        {"type": "error", "code": "server_error", "message": "boom"},
        {"id": "resp_1", "status": "failed", "error": {"code": "server_error"}},
    ],
)
def test_a_failed_response_is_an_error_though_nothing_is_raised(piece):
    assert folded(responses.fold, [piece])[0].error == "server_error"


def test_what_a_chat_request_asks_for():
    asked = openai.chat_asked(
        {
            "model": "gpt-x",
            "stream": True,
            "temperature": 0,
            "max_completion_tokens": 50,
            "n": 2,
            "stop": "END",
            "reasoning_effort": "low",
            "response_format": {"type": "json_schema"},
            "messages": [{"role": "user", "content": "secret"}],
        }
    )
    assert asked == {
        semconv.OPENAI_API_TYPE: "chat_completions",
        semconv.REQUEST_TEMPERATURE: 0.0,
        semconv.REQUEST_MAX_TOKENS: 50,
        semconv.REQUEST_CHOICE_COUNT: 2,
        semconv.REQUEST_STOP_SEQUENCES: ["END"],
        semconv.REQUEST_REASONING_LEVEL: "low",
        semconv.OUTPUT_TYPE: "json",
    }


@pytest.mark.parametrize(
    "asked", [openai.chat_asked, openai.responses_asked, embeddings.asked], ids=lambda f: f.__module__
)
@pytest.mark.parametrize("odd", [None, "text", 7, [], {}, object()], ids=lambda odd: type(odd).__name__)
def test_parameters_of_an_odd_type_are_left_out(asked, odd):
    names = ("temperature", "max_tokens", "n", "stop", "response_format", "reasoning", "text", "conversation", "seed")
    attributes = asked({"model": "gpt-x", **dict.fromkeys(names, odd)})
    assert all(isinstance(value, str | int | float | list) for value in attributes.values())


def test_embeddings_report_their_size_and_never_their_vectors():
    answer, _ = folded(
        embeddings.fold, [{"model": "e", "data": [{"embedding": [0.1] * 8}], "usage": {"prompt_tokens": 8}}]
    )
    assert answer == Answer(model="e", usage=Usage(input=8))
    assert embeddings.asked({"model": "e", "dimensions": 256, "encoding_format": "base64"}) == {
        semconv.EMBEDDINGS_DIMENSION_COUNT: 256,
        semconv.REQUEST_ENCODING_FORMATS: ["base64"],
    }


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("me.openai.azure.com", "azure.ai.openai"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("us-east5-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("api.groq.com", "groq"),
        ("127.0.0.1", "openai"),
        (None, "openai"),
    ],
)
def test_a_compatible_host_is_named_by_its_own_name(host, provider):
    assert provider_at(host, "openai") == provider


def test_azure_s_client_is_watched_like_openai_s_own(spans):
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "m", "choices": []}
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))
    with AzureOpenAI(
        api_key="any",
        azure_endpoint="https://me.openai.azure.com",
        api_version="2024-10-21",
        http_client=httpx2.Client(transport=answers),
    ) as client:
        client.chat.completions.create(model="gpt-x", messages=[])
    (span,) = spans()
    assert span.attributes[semconv.PROVIDER_NAME] == "azure.ai.openai"
    assert span.attributes[semconv.SERVER_ADDRESS] == "me.openai.azure.com"
