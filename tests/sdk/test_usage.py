"""The usage of a stream that tells it on request only is asked for where the app opts in, and the app sees no more."""

import pytest

import llmvitals
from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "?"}], "stream": True}
TOLD = Behaviour(input_tokens=100, output_tokens=20)


@pytest.fixture
def asking(spans):
    llmvitals.uninstrument()
    llmvitals.instrument(include_usage=True)
    return spans


def read(stream):
    return [chunk.model_dump(exclude={"id", "created"}) for chunk in stream]


def test_the_span_has_the_usage_and_the_app_the_chunks_that_it_would_have_had(clients, asking):
    completions = clients(TOLD).openai.chat.completions
    llmvitals.uninstrument()
    bare = read(completions.create(**REQUEST))
    llmvitals.instrument(include_usage=True)
    assert read(completions.create(**REQUEST)) == bare
    (span,) = asking()
    assert span.attributes[semconv.USAGE_INPUT_TOKENS] == 100
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] == 20
    assert semconv.OUTPUT_TOKENS_PER_SECOND in span.attributes


def test_so_it_is_of_async_streams(clients, asking, arun):
    loopback = clients(TOLD)

    async def seen():
        return [chunk async for chunk in await loopback.async_openai.chat.completions.create(**REQUEST)]

    assert all(chunk.choices for chunk in arun(seen(), loopback))
    assert asking()[0].attributes[semconv.USAGE_OUTPUT_TOKENS] == 20


def test_an_app_that_asks_itself_gets_what_it_asked_for(clients, asking):
    stream = clients(TOLD).openai.chat.completions.create(**REQUEST, stream_options={"include_usage": True})
    assert list(stream)[-1].usage.completion_tokens == 20
    assert asking()[0].attributes[semconv.USAGE_OUTPUT_TOKENS] == 20


@pytest.mark.parametrize(
    "declining", [{"stream_options": {"include_usage": False}}, {"stream": False}], ids=["declined", "not streamed"]
)
def test_nobody_is_asked_who_declines_or_does_not_stream(declining, clients, asking):
    loopback = clients(TOLD)
    loopback.openai.chat.completions.create(**{**REQUEST, **declining})
    (request,) = loopback.provider.requests
    assert not (request.get("stream_options") or {}).get("include_usage")


def test_a_raw_body_is_what_it_was(clients, asking):
    with clients(TOLD).openai.chat.completions.with_streaming_response.create(**REQUEST) as raw:
        assert b"usage" not in raw.read()


def test_it_is_not_asked_for_unless_the_app_opts_in(clients, spans):
    list(clients(TOLD).openai.chat.completions.create(**REQUEST))
    assert semconv.USAGE_OUTPUT_TOKENS not in spans()[0].attributes
