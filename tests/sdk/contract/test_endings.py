"""However a stream ends, its call ends once, with the reason and the time of it; stopping early is no error."""

import asyncio
import contextlib
import gc
import threading
import time

import pytest
from opentelemetry.trace import StatusCode

from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour

SLOW = Behaviour(token_seconds=0.02, output_tokens=50)


def opened(subject, loopback, chunks=3):
    """A stream of which the app has read a few chunks."""
    stream = subject.open(loopback)
    for _ in range(chunks):
        next(stream)
    return stream


def test_close_ends_the_call_at_once(closable, clients, ended):
    stream = opened(closable, clients(SLOW))
    closable.close(stream)
    ended(semconv.CLOSED)


def test_close_ends_an_async_call_at_once(async_closable, clients, ended, arun):
    loopback = clients(SLOW)

    async def main():
        stream = await async_closable.aopen(loopback)
        await anext(stream)
        await async_closable.aclose(stream)

    arun(main(), loopback)
    ended(semconv.CLOSED)


def test_close_in_another_thread_while_a_chunk_is_awaited_is_no_error(closable_while_read, clients, ended):
    stream = opened(
        closable_while_read,
        clients(Behaviour(first_token_seconds=1, output_tokens=2)),
        chunks=closable_while_read.openers,
    )

    def read():
        with contextlib.suppress(Exception):  # what a client says of a stream that is closed under it
            list(stream)

    reader = threading.Thread(target=read)
    reader.start()
    while not closable_while_read.awaits_chunk(stream):
        time.sleep(0.001)
    closable_while_read.close(stream)
    ended(semconv.CLOSED)
    reader.join()


def test_close_in_another_task_while_a_chunk_is_awaited_is_no_error(async_closable_while_read, clients, ended, arun):
    loopback = clients(Behaviour(first_token_seconds=1, output_tokens=2))

    async def main():
        stream = await async_closable_while_read.aopen(loopback)

        async def read():
            async for _ in stream:
                pass

        reader = asyncio.create_task(read())
        while not async_closable_while_read.awaits_chunk(stream):
            await asyncio.sleep(0.001)
        await async_closable_while_read.aclose(stream)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

    arun(main(), loopback)
    ended(semconv.CLOSED)


def test_leaving_the_block_ends_the_call_at_once(closable, clients, spans, ended):
    stream = opened(closable, clients(SLOW))
    with stream if hasattr(stream, "__enter__") else contextlib.closing(stream):
        assert not spans()
    ended(semconv.CLOSED)


def test_leaving_a_helper_s_block_ends_the_call_at_once(with_helper, clients, spans, ended):
    with with_helper.helper(clients(SLOW)) as stream:
        next(iter(stream))
        assert not spans()
    ended(semconv.CLOSED)


def test_a_dropped_stream_ends_its_call_when_it_is_collected_at_the_time_of_its_last_chunk(streaming, clients, ended):
    stream = opened(streaming, clients(SLOW))
    read_until = time.time_ns()
    time.sleep(0.1)  # the app thinks, and then goes away
    del stream
    gc.collect()
    assert ended(semconv.ABANDONED).end_time <= read_until


def test_a_stream_that_nobody_read_ends_its_call_when_it_is_collected(streaming, clients, spans, ended):
    loopback = clients(SLOW)
    streaming.open(loopback)
    gc.collect()
    if streaming.lazy:
        assert not spans()
        assert not loopback.provider.served, "no request, no call"
    else:
        span = ended(semconv.ABANDONED)
        assert semconv.TIME_TO_FIRST_TOKEN not in span.attributes


def test_a_generator_closed_by_its_web_framework_is_no_error(closable, clients, ended):
    loopback = clients(SLOW)

    def answer():
        with contextlib.closing(closable.open(loopback)) as stream:
            yield from stream

    page = answer()
    next(page)
    page.close()
    ended(semconv.CLOSED)


def test_a_connection_cut_in_mid_stream_is_an_error(streaming, clients, ended):
    stream = streaming.open(clients(Behaviour(output_tokens=20, cut_after=5)))
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each transport has a message of its own
        list(stream)
    span = ended(semconv.ERROR, StatusCode.ERROR)
    assert span.attributes[semconv.ERROR_TYPE].endswith(raised.type.__name__)
    assert span.attributes[semconv.STREAM_CHUNKS] >= 5


def test_an_error_event_in_mid_stream_is_an_error(streaming, clients, ended):
    """Most clients raise it; of OpenAI's Responses it is an event that the app must look at."""
    stream = streaming.open(clients(Behaviour(output_tokens=20, error_after=5)))
    with contextlib.suppress(Exception):
        list(stream)
    ended(semconv.ERROR, StatusCode.ERROR)


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_refused_request_is_an_error_of_its_own_type(subject, status, call, clients, ended):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        call(subject, clients(Behaviour(status=status)))
    span = ended(semconv.ERROR, StatusCode.ERROR)
    assert span.attributes[semconv.ERROR_TYPE] == subject.errors[status]
    assert span.attributes[semconv.HTTP_STATUS_CODE] == status
    assert subject.errors[status].endswith(raised.type.__name__)


def test_a_timeout_is_an_error(subject, call, clients, ended):
    with pytest.raises(Exception):  # noqa: B017, PT011
        call(subject, clients(Behaviour(first_token_seconds=2, headers_after_seconds=2), **subject.impatient))
    span = ended(semconv.ERROR, StatusCode.ERROR)
    assert span.attributes[semconv.ERROR_TYPE] == subject.timeout


def test_retries_are_one_call(retrying, call, clients, ended):
    loopback = clients(Behaviour(status=500, retry_after_seconds=0.01), **retrying.retrying)
    with pytest.raises(Exception):  # noqa: B017, PT011
        call(retrying, loopback)
    assert len(loopback.provider.served) == 3
    span = ended(semconv.ERROR, StatusCode.ERROR)
    assert span.attributes.get(semconv.REQUEST_ATTEMPTS) == (3 if retrying.attempts_seen else None)


def test_a_task_cancelled_while_it_waits_for_a_chunk_is_no_error(async_streaming, clients, ended, arun):
    loopback = clients(Behaviour(first_token_seconds=5))

    async def page():
        async for _ in await async_streaming.aopen(loopback):
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
    ended(semconv.CANCELLED)


def test_a_task_cancelled_between_two_reads_ends_its_call_at_its_last_chunk(async_streaming, clients, ended, arun):
    loopback = clients(SLOW)
    read_until = 0

    async def page():
        nonlocal read_until
        async for _ in await async_streaming.aopen(loopback):
            read_until = time.time_ns()
            await asyncio.sleep(10)  # the visitor's line is slow

    async def visitor_leaves():
        task = asyncio.ensure_future(page())
        while not read_until:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()

    arun(visitor_leaves(), loopback)
    gc.collect()
    assert ended(semconv.ABANDONED).end_time <= read_until


def test_a_task_cancelled_while_it_waits_for_an_answer_is_no_error(async_subject, clients, ended, arun):
    loopback = clients(Behaviour(first_token_seconds=5))

    async def visitor_leaves():
        task = asyncio.ensure_future(async_subject.awhole(loopback))
        while not loopback.provider.served:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    arun(visitor_leaves(), loopback)
    ended(semconv.CANCELLED)


def test_a_call_ends_once_whatever_happens_after(closable, clients, ended):
    stream = opened(closable, clients(Behaviour(output_tokens=3)), chunks=1)
    list(stream)
    closable.close(stream)
    del stream
    gc.collect()
    ended(semconv.COMPLETE)
