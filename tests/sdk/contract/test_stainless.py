"""What only clients made by Stainless can do: raw responses, and streams that hold their response."""

import gc

import pytest

from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

SLOW = Behaviour(token_seconds=0.02, output_tokens=50)
CHAT = {"model": "gpt-x", "messages": [{"role": "user", "content": "?"}]}


def test_leaving_the_block_closes_the_response(clients, spans):
    with clients(SLOW).openai.chat.completions.create(**CHAT, stream=True) as stream:
        next(stream)
    assert stream.response.is_closed
    assert spans()[0].attributes[semconv.STREAM_ENDING] == semconv.CLOSED


def test_closing_the_raw_response_unread_ends_the_call(clients, spans):
    with clients(SLOW).openai.chat.completions.with_streaming_response.create(**CHAT, stream=True) as raw:
        assert not spans()
    assert raw.http_response.is_closed
    assert spans()[0].attributes[semconv.STREAM_ENDING] == semconv.CLOSED


def test_a_body_that_the_app_has_not_read_is_not_read_for_it(clients, spans):
    with clients(SLOW).openai.chat.completions.with_streaming_response.create(**CHAT) as raw:
        assert not raw.http_response.is_stream_consumed
        assert raw.http_response.num_bytes_downloaded == 0
    assert spans()[0].attributes[semconv.STREAM_ENDING] == semconv.CLOSED


def test_the_time_in_which_the_request_waits_for_a_connection_is_told(clients, spans):
    clients().openai.chat.completions.create(**CHAT)
    attributes = spans()[0].attributes
    assert attributes[semconv.REQUEST_ATTEMPTS] == 1
    assert 0 < attributes[semconv.REQUEST_QUEUE_TIME] < 1


def test_an_async_call_in_a_full_pool_tells_how_long_it_has_waited(clients, spans, arun):
    import asyncio

    import httpx2
    import openai

    loopback = clients(Behaviour(first_token_seconds=0.2))

    async def two_over_one_connection():
        limits = httpx2.Limits(max_connections=1)
        async with openai.AsyncOpenAI(
            base_url=f"{loopback.provider.url}/v1",
            api_key="any",
            http_client=httpx2.AsyncClient(limits=limits, verify=False),
        ) as client:
            await asyncio.gather(*(client.chat.completions.create(**CHAT) for _ in range(2)))

    arun(two_over_one_connection(), loopback)
    took = [(span.end_time - span.start_time) / 1e9 for span in spans()]
    waits = [span.attributes[semconv.REQUEST_QUEUE_TIME] for span in spans()]
    assert max(waits) >= 0.2
    assert all(wait + 0.2 <= duration for wait, duration in zip(waits, took, strict=True)), "none of the answer"


def test_the_connection_of_a_dropped_stream_is_let_go_as_without_llmvitals(clients, ended):
    """Anthropic's stream is in no reference cycle: dropped, it closes its response at once. Ours adds none."""
    gc.disable()
    try:
        stream = clients(SLOW).anthropic.messages.create(
            model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "?"}], stream=True
        )
        next(stream)
        response = stream.response
        del stream
        assert response.is_closed
    finally:
        gc.enable()
    ended(semconv.ABANDONED)


@pytest.mark.parametrize("style", ["create", "with_raw_response"])
def test_one_call_of_n_choices_is_one_span_with_a_finish_reason_for_each(style, clients, spans):
    completions = clients(Behaviour(output_tokens=6)).openai.chat.completions
    create = completions.create if style == "create" else completions.with_raw_response.create
    create(**CHAT, n=3)
    attributes = spans()[0].attributes
    assert attributes[semconv.REQUEST_CHOICE_COUNT] == 3
    assert attributes[semconv.RESPONSE_FINISH_REASONS] == ("stop",) * 3
