"""A call ends exactly once, at the first event that ends it, whatever comes before and after."""

import asyncio
import gc
import queue
import threading

from hypothesis import given
from hypothesis import strategies as st

from llmvitals import _call, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING
from llmvitals._call import Call
from llmvitals._guard import Fuse

ENDS = {
    "exhausted": (lambda call: call.exhausted(), semconv.COMPLETE),
    "answered": (lambda call: call.answered(NOTHING), semconv.COMPLETE),
    "closed": (lambda call: call.closed(), semconv.CLOSED),
    "abandoned": (lambda call: call.abandoned(), semconv.ABANDONED),
    "failed": (lambda call: call.failed(ValueError()), semconv.ERROR),
    "cancelled": (lambda call: call.failed(asyncio.CancelledError()), semconv.CANCELLED),
    "interrupted": (lambda call: call.failed(KeyboardInterrupt()), semconv.CANCELLED),
}
CHUNKS = st.sampled_from([NOTHING, REASONING, ANSWER])


def open_call(ends):
    """A call whose pieces say themselves what they bring, and whose ends are written into `ends`."""
    return Call(
        semconv.CHAT,
        lambda answer, piece: piece,
        lambda call, ending, at, error: ends.append((ending, at)),
        Fuse("test"),
        started_at=0,
        started=1,
    )


@given(chunks=st.lists(CHUNKS), events=st.lists(st.sampled_from(sorted(ENDS)), min_size=1), later=st.lists(CHUNKS))
def test_the_first_event_that_ends_a_call_is_its_end(chunks, events, later):
    ends = []
    call = open_call(ends)
    for piece in chunks:
        call.chunk(piece)
    for event in events:
        ENDS[event][0](call)
        for piece in later:
            call.chunk(piece)
    assert [ending for ending, _ in ends] == [ENDS[events[0]][1]]


@given(chunks=st.lists(CHUNKS))
def test_times_are_in_order_and_the_first_token_is_the_first_piece_that_brings_something(chunks):
    ends = []
    call = open_call(ends)
    for piece in chunks:
        call.chunk(piece)
    call.exhausted()
    assert call.pace.chunks == len(chunks)
    assert bool(call.first_token) is any(chunks)
    if any(chunks):
        assert call.pace.first <= call.first_token <= call.last_token <= call.pace.last <= ends[0][1]
        assert (call.first_token == call.pace.first) is bool(chunks[0])


def test_an_abandoned_call_ends_with_its_last_chunk():
    ends = []
    call = open_call(ends)
    call.chunk(ANSWER)
    call.abandoned()
    assert ends == [(semconv.ABANDONED, call.pace.last)]
    assert call.pace.chunks == 1


def test_of_many_threads_that_end_a_call_one_does():
    ends = []
    call = open_call(ends)
    barrier = threading.Barrier(8)

    def end():
        barrier.wait()
        call.closed()

    threads = [threading.Thread(target=end) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 1


def test_a_finaliser_only_queues(monkeypatch):
    """It may run inside other people's locks: nothing is recorded in it."""
    dropped = queue.SimpleQueue()
    turns = []
    monkeypatch.setattr(Call.__del__, "__defaults__", (dropped.put, turns.append))
    ends = []
    call = open_call(ends)
    del call
    gc.collect()
    assert not ends
    assert len(turns) == 1, "the thread that ends it has its turn"
    dropped.get_nowait().abandoned()
    assert [ending for ending, _ in ends] == [semconv.ABANDONED]


def test_the_thread_that_ends_dropped_calls_is_started_once():
    _call.end_dropped_calls()
    first = _call._drainer
    _call.end_dropped_calls()
    assert _call._drainer is first
    assert first.daemon


def test_a_dropped_call_has_ended_when_whoever_dropped_it_looks():
    """So that nothing is lost where a process is flushed, or frozen, right after."""
    _call.end_dropped_calls()
    ended = 0
    for _ in range(20):
        ends = []
        call = open_call(ends)
        del call
        gc.collect()
        ended += bool(ends)
    assert ended > 4, "all of them, but for a machine that is busy with something else"
