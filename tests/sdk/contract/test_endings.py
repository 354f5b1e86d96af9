"""However a stream ends, its call ends once, with the reason and the time of it; stopping early is no error."""

import asyncio
import contextlib
import gc
import threading
import time

import anthropic
import openai
import pytest
from opentelemetry.trace import StatusCode

from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

SLOW = Behaviour(token_seconds=0.02, output_tokens=50)
REFUSED = {401: "AuthenticationError", 429: "RateLimitError", 500: "InternalServerError"}


def ended(spans, ending, status=StatusCode.UNSET):
    """The one span of the call, once it has ended."""
    deadline = time.monotonic() + 5
    while not spans() and time.monotonic() < deadline:
        time.sleep(0.005)
    (span,) = spans()
    assert span.attributes[semconv.STREAM_ENDING] == ending
    assert span.status.status_code is status
    return span


def opened(api, loopback, chunks=3):
    """A stream of which the app has read a few chunks."""
    stream = api.sync(loopback).create(**api.request, stream=True)
    for _ in range(chunks):
        next(stream)
    return stream


def test_close_ends_the_call_at_once(streaming_api, clients, spans):
    stream = opened(streaming_api, clients(SLOW))
    stream.close()
    ended(spans, semconv.CLOSED)


def test_close_in_another_thread_while_a_chunk_is_awaited_is_no_error(streaming_api, clients, spans):
    stream = opened(streaming_api, clients(Behaviour(first_token_seconds=0.5, output_tokens=2)), chunks=1)

    def read():
        with contextlib.suppress(Exception):  # what a client says of a stream that is closed under it
            list(stream)

    reader = threading.Thread(target=read)
    reader.start()
    while not stream._iterator.gi_running:
        time.sleep(0.001)
    stream.close()
    ended(spans, semconv.CLOSED)
    reader.join()


def test_close_in_another_task_while_a_chunk_is_awaited_is_no_error(streaming_api, clients, spans, arun):
    loopback = clients(Behaviour(first_token_seconds=0.5, output_tokens=2))

    async def main():
        stream = await streaming_api.asynchronous(loopback).create(**streaming_api.request, stream=True)
        await anext(stream)

        async def read():
            async for _ in stream:
                pass

        reader = asyncio.create_task(read())
        while not stream._iterator.ag_running:
            await asyncio.sleep(0.001)
        await stream.close()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

    arun(main(), loopback)
    ended(spans, semconv.CLOSED)


def test_leaving_the_block_ends_the_call_at_once(streaming_api, clients, spans):
    with opened(streaming_api, clients(SLOW)) as stream:
        assert not spans()
    ended(spans, semconv.CLOSED)
    assert stream.response.is_closed


def test_leaving_a_helper_s_block_ends_the_call_at_once(streaming_api, clients, spans):
    with streaming_api.sync(clients(SLOW)).stream(**streaming_api.request) as stream:
        next(iter(stream))
        assert not spans()
    ended(spans, semconv.CLOSED)


def test_closing_the_raw_response_unread_ends_the_call(streaming_api, clients, spans):
    with streaming_api.sync(clients(SLOW)).with_streaming_response.create(**streaming_api.request, stream=True):
        assert not spans()
    ended(spans, semconv.CLOSED)


def test_a_dropped_stream_ends_its_call_when_it_is_collected_at_the_time_of_its_last_chunk(
    streaming_api, clients, spans
):
    stream = opened(streaming_api, clients(SLOW))
    read_until = time.time_ns()
    time.sleep(0.1)  # the app thinks, and then goes away
    del stream
    gc.collect()
    assert ended(spans, semconv.ABANDONED).end_time <= read_until


def test_a_stream_that_nobody_read_ends_its_call_when_it_is_collected(streaming_api, clients, spans):
    streaming_api.sync(clients(SLOW)).create(**streaming_api.request, stream=True)
    gc.collect()
    span = ended(spans, semconv.ABANDONED)
    assert semconv.TIME_TO_FIRST_TOKEN not in span.attributes


def test_a_generator_closed_by_its_web_framework_is_no_error(streaming_api, clients, spans):
    loopback = clients(SLOW)

    def answer():
        with streaming_api.sync(loopback).create(**streaming_api.request, stream=True) as stream:
            yield from stream

    page = answer()
    next(page)
    page.close()
    ended(spans, semconv.CLOSED)


def test_a_connection_cut_in_mid_stream_is_an_error(streaming_api, clients, spans):
    stream = streaming_api.sync(clients(Behaviour(output_tokens=20, cut_after=5))).create(
        **streaming_api.request, stream=True
    )
    with pytest.raises(Exception, match=r"peer closed|Connection error") as raised:
        list(stream)
    span = ended(spans, semconv.ERROR, StatusCode.ERROR)
    assert span.attributes[semconv.ERROR_TYPE].endswith(raised.type.__name__)
    assert span.attributes[semconv.STREAM_CHUNKS] >= 5


def test_an_error_event_in_mid_stream_is_an_error(streaming_api, clients, spans):
    """Anthropic's and OpenAI's chat clients raise it; of Responses it is an event that the app must look at."""
    stream = streaming_api.sync(clients(Behaviour(output_tokens=20, error_after=5))).create(
        **streaming_api.request, stream=True
    )
    with contextlib.suppress(openai.APIError, anthropic.APIError):
        list(stream)
    ended(spans, semconv.ERROR, StatusCode.ERROR)


@pytest.mark.parametrize("status", REFUSED)
def test_a_refused_request_is_an_error_of_its_own_type(api, status, clients, spans):
    with pytest.raises(Exception, match=str(status)):
        api.sync(clients(Behaviour(status=status))).create(**api.request)
    span = ended(spans, semconv.ERROR, StatusCode.ERROR)
    assert span.attributes[semconv.ERROR_TYPE] == f"{api.client}.{REFUSED[status]}"


def test_a_timeout_is_an_error(api, clients, spans):
    with pytest.raises(Exception, match="timed out"):
        api.sync(clients(Behaviour(first_token_seconds=2, headers_after_seconds=2), timeout=0.05)).create(**api.request)
    span = ended(spans, semconv.ERROR, StatusCode.ERROR)
    assert span.attributes[semconv.ERROR_TYPE] == f"{api.client}.APITimeoutError"


def test_retries_are_one_call(api, clients, spans):
    loopback = clients(Behaviour(status=500, retry_after_seconds=0.01), max_retries=2)
    with pytest.raises(Exception, match="500"):
        api.sync(loopback).create(**api.request)
    assert len(loopback.provider.served) == 3
    ended(spans, semconv.ERROR, StatusCode.ERROR)


def test_a_task_cancelled_while_it_waits_for_a_chunk_is_no_error(streaming_api, clients, spans, arun):
    loopback = clients(Behaviour(first_token_seconds=5))

    async def page():
        async for _ in await streaming_api.asynchronous(loopback).create(**streaming_api.request, stream=True):
            pass

    async def visitor_leaves():
        task = asyncio.ensure_future(page())
        while not loopback.provider.served:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    arun(visitor_leaves(), loopback)
    gc.collect()
    ended(spans, semconv.CANCELLED)


def test_a_task_cancelled_while_it_waits_for_an_answer_is_no_error(api, clients, spans, arun):
    loopback = clients(Behaviour(first_token_seconds=5))

    async def visitor_leaves():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(api.asynchronous(loopback).create(**api.request), 0.1)

    arun(visitor_leaves(), loopback)
    ended(spans, semconv.CANCELLED)


def test_a_call_ends_once_whatever_happens_after(streaming_api, clients, spans):
    stream = opened(streaming_api, clients(Behaviour(output_tokens=3)), chunks=1)
    list(stream)
    stream.close()
    stream.response.close()
    del stream
    gc.collect()
    ended(spans, semconv.COMPLETE)


def test_the_connection_of_a_dropped_stream_is_let_go_as_without_llmvitals(clients, spans):
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
