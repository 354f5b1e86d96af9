"""Cohere's wire formats, versions 1 and 2, as its own client finds them."""

import asyncio
import json

import cohere
import httpx
import pytest
from cohere.core import ApiError

from llmvitals_collector.demo.behaviour import Behaviour

MODEL = "command-a"
MESSAGES = [{"role": "user", "content": "Where is my order?"}]
TEXT = "Thank you for asking."
CACHED = Behaviour(input_tokens=100, cache_read_tokens=60, output_tokens=4)


@pytest.fixture(scope="module")
def http():
    with httpx.Client() as client:
        yield client


@pytest.fixture(scope="module")
def v1(loopback, http):
    return cohere.Client(api_key="any", base_url=loopback.url, httpx_client=http, max_retries=0)


@pytest.fixture(scope="module")
def v2(loopback, http):
    return cohere.ClientV2(api_key="any", base_url=loopback.url, httpx_client=http, max_retries=0)


@pytest.fixture(scope="module")
def calls(v1, v2):
    """Every way to chat, by its name."""
    return {
        "v1": lambda: v1.chat(model=MODEL, message="Where is my order?"),
        "v2": lambda: v2.chat(model=MODEL, messages=MESSAGES),
        "v1 streamed": lambda: list(v1.chat_stream(model=MODEL, message="Where is my order?")),
        "v2 streamed": lambda: list(v2.chat_stream(model=MODEL, messages=MESSAGES)),
    }


def test_version_1_has_the_text_and_the_usage_in_meta(calls, behave):
    behave(CACHED)
    answer = calls["v1"]()
    assert (answer.text, answer.finish_reason) == (TEXT, "COMPLETE")
    assert answer.response_id
    assert (answer.meta.billed_units.input_tokens, answer.meta.billed_units.output_tokens) == (100, 4)
    assert answer.meta.cached_tokens == 60


def test_version_1_streams_lines_of_which_the_last_has_the_whole_response(calls, behave):
    behave(CACHED)
    first, *texts, last = calls["v1 streamed"]()
    assert first.event_type == "stream-start"
    assert "".join(event.text for event in texts) == TEXT
    assert (last.event_type, last.finish_reason) == ("stream-end", "COMPLETE")
    assert last.response.text == TEXT
    assert last.response.meta.tokens.output_tokens == 4


def test_version_2_has_the_text_and_the_usage_of_which_not_all_is_billed(calls, behave):
    behave(CACHED)
    answer = calls["v2"]()
    assert (answer.message.content[0].text, answer.finish_reason) == (TEXT, "COMPLETE")
    assert (answer.usage.billed_units.input_tokens, answer.usage.billed_units.output_tokens) == (100, 4)
    assert answer.usage.tokens.input_tokens > 100
    assert answer.usage.cached_tokens == 60


def test_version_2_streams_events_of_which_the_last_has_the_usage(calls, behave):
    behave(CACHED)
    events = calls["v2 streamed"]()
    assert [event.type for event in events] == [
        "message-start",
        "content-start",
        *["content-delta"] * 4,
        "content-end",
        "message-end",
    ]
    assert "".join(event.delta.message.content.text for event in events[2:6]) == TEXT
    assert events[-1].delta.finish_reason == "COMPLETE"
    assert events[-1].delta.usage.billed_units.input_tokens == 100


def test_the_async_clients_work_as_well(loopback, behave):
    async def ask():
        async with httpx.AsyncClient() as http:
            options = {"api_key": "any", "base_url": loopback.url, "httpx_client": http}
            v1, v2 = cohere.AsyncClient(**options), cohere.AsyncClientV2(**options)
            whole = await v1.chat(message="Where is my order?"), await v2.chat(model=MODEL, messages=MESSAGES)
            streams = v1.chat_stream(message="Where is my order?"), v2.chat_stream(model=MODEL, messages=MESSAGES)
            return whole, [[event async for event in stream] for stream in streams]

    behave(Behaviour(output_tokens=4))
    (one, two), (events_one, events_two) = asyncio.run(ask())
    assert one.text == two.message.content[0].text == TEXT
    assert events_one[-1].response.meta.tokens.output_tokens == 4
    assert events_two[-1].delta.usage.tokens.output_tokens == 4


def test_version_1_streams_a_tool_call_in_pieces_and_then_whole(v1, behave):
    behave(Behaviour(tool_call=True))
    tools = [{"name": "find", "description": "Finds an order."}]
    _, name, *pieces, called, last = v1.chat_stream(message="Where is my order?", tools=tools)
    assert name.tool_call_delta.name == "find"
    arguments = json.loads("".join(piece.tool_call_delta.parameters for piece in pieces))
    answer = v1.chat(message="Where is my order?", tools=tools)
    for [call] in (called.tool_calls, last.response.tool_calls, answer.tool_calls):
        assert (call.name, call.parameters) == ("find", arguments)


def test_version_2_streams_the_plan_of_a_tool_call_and_its_arguments(v2, behave):
    behave(Behaviour(tool_call=True, output_tokens=6, reasoning_tokens=2, reasoning_streamed=True))
    tools = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}]
    answer = v2.chat(model=MODEL, messages=MESSAGES, tools=tools)
    [call] = answer.message.tool_calls
    _, *plan, start, one, two, three, _end, last = v2.chat_stream(model=MODEL, messages=MESSAGES, tools=tools)
    assert "".join(event.delta.message.tool_plan for event in plan) == answer.message.tool_plan == "The customer"
    assert start.delta.message.tool_calls.function.name == call.function.name == "find"
    pieces = [event.delta.message.tool_calls.function.arguments for event in (one, two, three)]
    assert json.loads("".join(pieces)) == json.loads(call.function.arguments)
    assert last.delta.finish_reason == answer.finish_reason == "TOOL_CALL"


def test_version_2_tells_thinking_before_the_text(calls, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3, reasoning_streamed=True))
    assert [item.type for item in calls["v2"]().message.content] == ["thinking", "text"]
    contents = [event.delta.message.content for event in calls["v2 streamed"]() if event.type == "content-delta"]
    assert [content.thinking is not None for content in contents] == [True] * 3 + [False] * 4


@pytest.mark.parametrize("name", ["v1", "v1 streamed", "v2", "v2 streamed"])
def test_hidden_reasoning_is_counted_in_the_output_but_not_told(calls, behave, name):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3))
    usage = usage_of(calls[name]())
    assert usage.tokens.output_tokens == 7
    assert "customer" not in str(calls[name]())


def test_a_refusal_is_toxic_in_version_1_and_a_text_in_version_2(calls, behave):
    behave(Behaviour(refusal=True))
    assert calls["v1"]().finish_reason == calls["v1 streamed"]()[-1].finish_reason == "ERROR_TOXIC"
    assert calls["v2"]().message.content[0].text == "I am sorry, I cannot help with that."


@pytest.mark.parametrize("name", ["v1", "v1 streamed", "v2", "v2 streamed"])
def test_usage_can_be_missing(calls, behave, name):
    behave(Behaviour(usage_missing=True))
    assert getattr(usage_of(calls[name]()), "tokens", None) is None


@pytest.mark.parametrize("name", ["v1", "v1 streamed", "v2", "v2 streamed"])
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, cohere.BadRequestError), (429, cohere.TooManyRequestsError), (500, cohere.InternalServerError)],
)
def test_errors_are_coheres_own(calls, behave, name, status, error):
    behave(Behaviour(status=status))
    with pytest.raises(error) as raised:
        calls[name]()
    assert isinstance(raised.value, ApiError)
    assert raised.value.body["message"]


def test_a_stream_that_breaks_ends_with_an_error_that_the_client_does_not_raise(calls, behave):
    behave(Behaviour(error_after=2))
    _, *texts, last = calls["v1 streamed"]()
    assert [event.text for event in texts] == ["Thank ", "you "]
    assert last.finish_reason == "ERROR"
    *_, last = calls["v2 streamed"]()
    assert (last.type, last.delta.finish_reason) == ("message-end", "ERROR")
    assert last.delta.error


@pytest.mark.parametrize("name", ["v1", "v1 streamed", "v2", "v2 streamed"])
def test_an_answer_that_is_cut_is_a_protocol_error(calls, behave, name, loopback):
    behave(Behaviour(cut_after=2))
    with pytest.raises(httpx.RemoteProtocolError):
        calls[name]()
    assert [served.completed for served in loopback.served] == [False]


def test_embeddings_come_one_to_a_text_by_type_if_asked_for(v1, v2, behave):
    behave(Behaviour(input_tokens=7))
    options = {"model": "embed-v4.0", "input_type": "search_query", "texts": ["one", "two"]}
    plain = v1.embed(**options)
    typed = v2.embed(**options, embedding_types=["float"], output_dimension=4)
    assert len(plain.embeddings) == 2
    assert typed.embeddings.float_ == [[0.5] * 4] * 2
    assert plain.meta.billed_units.input_tokens == typed.meta.billed_units.input_tokens == 7


def usage_of(answer):
    """From a whole answer or the last event of a stream, of either version."""
    last = answer[-1] if isinstance(answer, list) else answer
    last = getattr(last, "response", last)
    last = getattr(last, "delta", last)
    return last.meta if hasattr(last, "meta") else last.usage
