"""One call, from its start to its single end."""

import asyncio
import atexit
import queue
import threading
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from llmvitals import semconv
from llmvitals._adapter import Answer, Fold
from llmvitals._guard import Guard

# What the program does to a call, rather than the provider: no failure of the call.
_CANCELLATIONS = (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit)

# A finaliser may run at any allocation, on any thread, inside other people's locks. So it does one
# thing, `SimpleQueue.put`, which is made for it, and a thread that does nothing else ends the call.
_dropped: "queue.SimpleQueue[Call]" = queue.SimpleQueue()


End = Callable[["Call", str, int, BaseException | None], None]


class Call:
    """The state of one call.

            answered
      OPEN ---------> DONE <-- exhausted | failed | closed | abandoned -- STREAMING <-> chunk

    DONE absorbs every further event: a call ends exactly once, whichever thread says so.

    fold: takes a piece of the answer into account, as the adapter's.
    end: is told of the end, once: `end(call, ending, at, error)`, with one of semconv.ENDINGS.

    Times are `time.perf_counter_ns`, 0 where there is none; `started_at` is nanoseconds since the epoch.
    """

    __slots__ = (
        "_end",
        "_fold",
        "_open",
        "answer",
        "chunks",
        "first_chunk",
        "first_token",
        "last_chunk",
        "last_token",
        "started",
        "started_at",
    )

    def __init__(self, fold: Fold, end: End, started_at: int, started: int) -> None:
        self._open = threading.Lock()  # taken once, by whoever ends the call
        self._fold = fold
        self._end = end
        self.started_at = started_at
        self.started = started
        self.answer = Answer()
        self.chunks = self.first_chunk = self.last_chunk = self.first_token = self.last_token = 0

    def chunk(self, piece: Any) -> None:
        """A chunk of a streamed answer has come. The hot path: a clock read, a fold, a few compares."""
        now = perf_counter_ns()
        if not self.chunks:
            self.first_chunk = now
        self.chunks += 1
        self.last_chunk = now
        if self._fold(self.answer, piece):
            if not self.first_token:
                self.first_token = now
            self.last_token = now

    def answered(self, body: Any) -> None:
        """The answer has come as a whole."""
        now = perf_counter_ns()
        with Guard("reading an answer"):
            self._fold(self.answer, body)
        self._done(semconv.COMPLETE, now)

    def exhausted(self) -> None:
        """The stream has been read to its end."""
        self._done(semconv.COMPLETE, perf_counter_ns())

    def closed(self) -> None:
        """The app has closed the stream before its end."""
        self._done(semconv.CLOSED, perf_counter_ns())

    def failed(self, error: BaseException) -> None:
        """The call, or its stream, has raised `error`."""
        ending = semconv.CANCELLED if isinstance(error, _CANCELLATIONS) else semconv.ERROR
        self._done(ending, perf_counter_ns(), error)

    def abandoned(self) -> None:
        """The app has dropped the stream; nobody knows when, so the call ends with what it last brought."""
        self._done(semconv.ABANDONED, self.last_chunk or self.started)

    def _done(self, ending: str, at: int, error: BaseException | None = None) -> None:
        if self._open.acquire(blocking=False):
            with Guard("ending a call"):
                self._end(self, ending, at, error)

    def __del__(self, drop: Any = _dropped.put) -> None:
        if not self._open.locked():
            drop(self)


_drainer: threading.Thread | None = None


def end_dropped_calls() -> None:
    """See to it that calls whose streams are dropped get their end; to be called when a stream is handed out."""
    global _drainer
    if _drainer is None:
        # After the tracer provider's own, since a call has been started: so it runs before it.
        atexit.register(_drain, forever=False)
    if _drainer is None or not _drainer.is_alive():  # the first stream, or the first one after a fork
        _drainer = threading.Thread(target=_drain, name="llmvitals-dropped-calls", daemon=True)
        _drainer.start()


def _drain(forever: bool = True) -> None:
    while forever or not _dropped.empty():
        _dropped.get().abandoned()
