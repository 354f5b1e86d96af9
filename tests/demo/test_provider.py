"""The loopback provider, as the real clients of OpenAI and Anthropic find it."""

import asyncio
import json
import time
import urllib.request

import anthropic
import httpx2
import openai
import pytest

from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider

MESSAGES = [{"role": "user", "content": "Where is my order?"}]
TEXT = "Thank you for asking."
FOUR_TOKENS = Behaviour(input_tokens=100, cache_read_tokens=60, cache_write_tokens=30, output_tokens=4)
# One for all clients, which takes most of their making, and is closed in the end.
HTTP = httpx2.Client()


@pytest.fixture(scope="module", autouse=True)
def close_connections():
    yield
    HTTP.close()


def openai_at(provider):
    return openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any", max_retries=0, http_client=HTTP)


def anthropic_at(provider):
    return anthropic.Anthropic(base_url=provider.url, api_key="any", max_retries=0, http_client=HTTP)


def chat(provider, **options):
    return openai_at(provider).chat.completions.create(model="gpt-5", messages=MESSAGES, **options)


def respond(provider, **options):
    return openai_at(provider).responses.create(model="gpt-5", input="Where is my order?", **options)


def message(provider, **options):
    return anthropic_at(provider).messages.create(model="claude", messages=MESSAGES, max_tokens=64, **options)


STREAMS = {
    "chat": lambda provider: list(chat(provider, stream=True)),
    "responses": lambda provider: list(respond(provider, stream=True)),
    "messages": lambda provider: list(message(provider, stream=True)),
}
CALLS = {"chat": chat, "responses": respond, "messages": message}


def test_a_chat_completion_has_the_text_and_the_usage_with_the_cached_tokens_among_the_input(behave):
    provider = behave(FOUR_TOKENS)
    answer = chat(provider)
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 100
    assert answer.usage.prompt_tokens_details.cached_tokens == 60
    assert answer.usage.completion_tokens == 4


def test_a_streamed_chat_completion_begins_with_the_role_and_ends_with_the_usage_if_asked(behave):
    provider = behave(FOUR_TOKENS)
    first, *texts, end, last = list(chat(provider, stream=True, stream_options={"include_usage": True}))
    unasked = list(chat(provider, stream=True))
    assert first.choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content for chunk in texts) == TEXT
    assert end.choices[0].finish_reason == "stop"
    assert (last.choices, last.usage.completion_tokens) == ([], 4)
    assert all(chunk.usage is None for chunk in unasked)


def test_a_response_has_the_text_and_the_usage(behave):
    provider = behave(FOUR_TOKENS)
    answer = respond(provider)
    assert answer.output_text == TEXT
    assert answer.usage.input_tokens == 100
    assert answer.usage.input_tokens_details.cached_tokens == 60
    assert answer.usage.output_tokens == 4


def test_a_streamed_response_can_be_gathered_by_the_clients_own_means(behave):
    provider = behave(FOUR_TOKENS)
    with openai_at(provider).responses.stream(model="gpt-5", input="Where is my order?") as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].response.usage.output_tokens == 4


def test_a_message_has_the_text_and_the_usage_with_the_cached_tokens_beside_the_input(behave):
    provider = behave(FOUR_TOKENS)
    answer = message(provider)
    assert answer.content[0].text == TEXT
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens == 10
    assert answer.usage.cache_read_input_tokens == 60
    assert answer.usage.cache_creation_input_tokens == 30
    assert answer.usage.output_tokens == 4


def test_a_streamed_message_can_be_gathered_by_the_clients_own_means_also_in_beta(behave):
    provider = behave(FOUR_TOKENS)
    client = anthropic_at(provider)
    for messages in (client.messages, client.beta.messages):
        with messages.stream(model="claude", messages=MESSAGES, max_tokens=64) as stream:
            answer = stream.get_final_message()
        assert answer.content[0].text == TEXT
        assert answer.usage.input_tokens == 10
        assert answer.usage.output_tokens == 4


@pytest.mark.parametrize("text", ["It left on Monday.\nIt is  there\ton Friday.", '{"topic": "order"}'])
def test_a_text_is_said_as_it_stands_whole_and_streamed(behave, text):
    provider = behave(Behaviour(text=text))
    assert chat(provider).choices[0].message.content == text
    assert message(provider).content[0].text == text
    assert respond(provider).output_text == text
    chunks = list(chat(provider, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text


def test_the_async_clients_work_and_their_calls_overlap(behave):
    async def both(provider):
        openai_client = openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="any")
        anthropic_client = anthropic.AsyncAnthropic(base_url=provider.url, api_key="any")
        async with openai_client, anthropic_client:
            return await asyncio.gather(
                openai_client.chat.completions.create(model="gpt-5", messages=MESSAGES),
                anthropic_client.messages.create(model="claude", messages=MESSAGES, max_tokens=64),
            )

    provider = behave(Behaviour(output_tokens=4, first_token_seconds=0.1))
    completion, answer = asyncio.run(both(provider))
    assert completion.choices[0].message.content == answer.content[0].text == TEXT
    one, other = provider.served
    assert one.started < other.ended
    assert other.started < one.ended


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": "float"}], ids=["base64", "float"])
def test_embeddings_come_one_to_an_input_in_either_encoding(encoding, behave):
    provider = behave(Behaviour(input_tokens=7))
    answer = openai_at(provider).embeddings.create(model="e", input=["one", "two"], dimensions=16, **encoding)
    assert [item.embedding for item in answer.data] == [[0.25] * 16] * 2
    assert answer.usage.prompt_tokens == 7


def test_a_tool_call_names_the_first_tool_of_the_request_and_its_arguments_are_json(behave):
    tool = {"name": "find", "parameters": {"type": "object"}}
    provider = behave(Behaviour(tool_call=True))
    called = chat(provider, tools=[{"type": "function", "function": tool}]).choices[0].message.tool_calls[0]
    item = respond(provider, tools=[{"type": "function", **tool}]).output[0]
    with anthropic_at(provider).messages.stream(
        model="claude", messages=MESSAGES, max_tokens=64, tools=[{"name": "find", "input_schema": {}}]
    ) as stream:
        block = stream.get_final_message().content[0]
    assert called.function.name == item.name == block.name == "find"
    assert json.loads(called.function.arguments) == json.loads(item.arguments) == block.input


def test_reasoning_is_streamed_before_the_text_and_counted_in_the_output(behave):
    provider = behave(Behaviour(output_tokens=7, reasoning_tokens=3, reasoning_streamed=True))
    deltas = [event.delta for event in STREAMS["messages"](provider) if event.type == "content_block_delta"]
    response = STREAMS["responses"](provider)
    assert [delta.type for delta in deltas] == ["thinking_delta"] * 3 + ["signature_delta"] + ["text_delta"] * 4
    kinds = [event.type for event in response if event.type.endswith(".delta")]
    assert kinds == ["response.reasoning_summary_text.delta"] * 3 + ["response.output_text.delta"] * 4
    assert response[-1].response.usage.output_tokens_details.reasoning_tokens == 3


def test_hidden_reasoning_is_counted_but_not_told(behave):
    provider = behave(Behaviour(output_tokens=7, reasoning_tokens=3))
    answer = message(provider)
    assert [block.type for block in answer.content] == ["text"]
    assert answer.usage.output_tokens_details.thinking_tokens == 3


def test_a_refusal_is_said_in_each_api_its_own_way(behave):
    provider = behave(Behaviour(refusal=True))
    assert chat(provider).choices[0].message.refusal
    assert respond(provider).output[0].content[0].type == "refusal"
    assert message(provider).stop_reason == "refusal"


def test_usage_can_be_missing(behave):
    provider = behave(Behaviour(usage_missing=True))
    assert chat(provider).usage is None
    assert respond(provider).usage is None
    with anthropic_at(provider).messages.stream(model="claude", messages=MESSAGES, max_tokens=64) as stream:
        assert stream.get_final_message().usage.output_tokens is None


@pytest.mark.parametrize(
    ("status", "name"),
    [(400, "BadRequestError"), (401, "AuthenticationError"), (429, "RateLimitError"), (529, "InternalServerError")],
)
def test_an_error_status_raises_the_clients_own_exception(status, name, behave):
    provider = behave(Behaviour(status=status, retry_after_seconds=0.5))
    for client, call in ((openai, chat), (openai, respond), (anthropic, message)):
        with pytest.raises(getattr(client, name)) as raised:
            call(provider)
        assert raised.value.response.headers["retry-after"] == "0.5"
    assert [served.status for served in provider.served] == [status] * 3


@pytest.mark.parametrize(("api", "error"), [("chat", openai.APIError), ("messages", anthropic.APIError)])
def test_a_stream_that_fails_raises_the_clients_own_exception_after_its_first_tokens(api, error, behave):
    provider = behave(Behaviour(error_after=2))
    with pytest.raises(error, match="The server had an error"):
        STREAMS[api](provider)


def test_a_streamed_response_that_fails_says_so_in_its_last_events(behave):
    """OpenAI's client does not raise here: that the response failed is for the app to read."""
    provider = behave(Behaviour(error_after=2))
    *_, error, failed = STREAMS["responses"](provider)
    assert (error.type, error.code) == ("error", "server_error")
    assert failed.response.status == "failed"


@pytest.mark.parametrize("api", STREAMS)
@pytest.mark.parametrize("tokens", [0, 3])
def test_a_cut_stream_ends_in_a_connection_error(api, tokens, behave):
    provider = behave(Behaviour(cut_after=tokens))
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        STREAMS[api](provider)
    [served] = provider.served
    assert not served.completed
    assert (served.first_token_at is None) == (tokens == 0)


@pytest.mark.parametrize("api", CALLS)
def test_a_cut_answer_ends_in_a_connection_error(api, behave):
    provider = behave(Behaviour(cut_after=0))
    with pytest.raises((openai.APIConnectionError, anthropic.APIConnectionError)):
        CALLS[api](provider)
    assert [served.completed for served in provider.served] == [False]


@pytest.mark.parametrize("api", STREAMS)
def test_tokens_come_at_the_pace_that_was_asked_for(api, behave):
    pace = Behaviour(headers_after_seconds=0.02, first_token_seconds=0.1, token_seconds=0.02, output_tokens=4)
    provider = behave(pace)
    STREAMS[api](provider)
    CALLS[api](provider)
    streamed, whole = provider.served
    assert streamed.first_token_at - streamed.started >= 0.12
    assert streamed.ended - streamed.started >= 0.18
    assert whole.ended - whole.started >= 0.18
    assert whole.first_token_at is None


def test_a_stream_that_the_client_closes_ends_there_and_is_not_completed(behave):
    provider = behave(Behaviour(token_seconds=0.01, output_tokens=2000))
    stream = message(provider, stream=True)
    next(stream)
    stream.close()
    [served] = provider.served
    deadline = time.monotonic() + 10
    while served.ended is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert served.ended is not None
    assert not served.completed


def test_the_behaviour_can_depend_on_the_request_and_its_path():
    def behave(request):
        return Behaviour(input_tokens=len(request["messages"]), tool_call=request["path"] == "/v1/messages")

    with Provider(behave) as provider:
        assert chat(provider).usage.prompt_tokens == 1
        message(provider)
    assert [served.behaviour.tool_call for served in provider.served] == [False, True]


def test_a_behaviour_that_cannot_be_had_is_logged_and_answered_with_status_500(caplog):
    with (
        Provider(lambda request: Behaviour(input_tokens=request["missing"])) as provider,
        pytest.raises(openai.InternalServerError),
    ):
        chat(provider)
    assert "KeyError: 'missing'" in caplog.text


def test_an_unknown_path_is_not_found(behave):
    provider = behave(Behaviour())
    with pytest.raises(openai.NotFoundError):
        openai_at(provider).models.list()


def test_a_port_in_use_is_an_os_error():
    with Provider(Behaviour()) as provider, pytest.raises(OSError, match="Address already in use"):
        Provider(Behaviour(), port=int(provider.url.rpartition(":")[2]))


def test_an_anthropic_stream_has_a_ping_which_the_client_does_not_show(behave):
    body = json.dumps({"model": "claude", "messages": MESSAGES, "stream": True}).encode()
    provider = behave(Behaviour())
    with urllib.request.urlopen(f"{provider.url}/v1/messages?beta=true", body) as response:
        assert b'event: ping\ndata: {"type": "ping"}\n\n' in response.read()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"input_tokens": 5, "cache_read_tokens": 6}, "6 tokens read from and written to the cache exceed"),
        ({"output_tokens": 5, "reasoning_tokens": 6}, "reasoning_tokens=6 exceeds output_tokens=5"),
    ],
)
def test_parts_that_exceed_their_whole_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        Behaviour(**parts)
