"""One call, from its start to its single end."""

import asyncio
import atexit
import queue
import threading
from collections.abc import Callable
from time import perf_counter_ns, sleep
from typing import Any

from llmvitals import semconv
from llmvitals._adapter import ANSWER, Answer, Fold, response_ids
from llmvitals._guard import Fuse, Guard, contain
from llmvitals._pace import BATCH, Pace

# What the program does to a call, rather than the provider: no failure of the call.
CANCELLATIONS = (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit)

# A finaliser may run at any allocation, on any thread, inside other people's locks. So it takes none: it
# queues the call, by `SimpleQueue.put`, which is made for it, and a thread that does nothing else ends it.
_dropped: "queue.SimpleQueue[Call]" = queue.SimpleQueue()
_TURN = 1e-4  # seconds

End = Callable[["Call", str, int, BaseException | None], None]


class Call:
    """The state of one call.

            answered
      OPEN ---------> DONE <-- exhausted | failed | closed | abandoned -- STREAMING <-> chunk

    DONE absorbs every further event: a call ends exactly once, whichever thread says so.

    operation: `gen_ai.operation.name`.
    fold: takes a piece of the answer into account, as the adapter's.
    end: is told of the end, once: `end(call, ending, at, error)`, with one of semconv.ENDINGS.
    fuse: of the adapter; it is told at the end whether the fold could read what came.

    Times are `time.perf_counter_ns`, 0 where there is none; `started_at` is nanoseconds since the epoch.
    attempts: how often the request was sent, 0 where that can't be seen; `sent` is when the last one
        went out, and `prepared` when it was ready to.
    hides: whether a chunk of the stream came only because we have asked for it; None where we have not.
    pace: when the chunks came; up to date when the call ends.
    """

    __slots__ = (
        "__weakref__",
        "_arrivals",
        "_end",
        "_fold",
        "_fuse",
        "_misread",
        "_open",
        "answer",
        "attempts",
        "first_answer",
        "first_token",
        "hides",
        "last_token",
        "operation",
        "pace",
        "prepared",
        "sent",
        "started",
        "started_at",
    )

    def __init__(self, operation: str, fold: Fold, end: End, fuse: Fuse, started_at: int, started: int) -> None:
        self.operation = operation
        self._open = threading.Lock()  # taken once, by whoever ends the call
        self._fold = fold
        self._end = end
        self._fuse = fuse
        self._misread = False
        self.started_at = started_at
        self.started = started
        self.answer = Answer()
        self.attempts = self.prepared = self.sent = 0
        self.hides: Callable[[Any], bool] | None = None
        self.pace = Pace()
        self._arrivals: list[int] = []
        self.first_token = self.first_answer = self.last_token = 0

    @property
    def response_id(self) -> str | None:
        """The id of the answer, as soon as it is known."""
        return self.answer.id

    def chunk(self, piece: Any) -> None:
        """A chunk of a streamed answer has come. The hot path: a clock read, a fold, a few compares."""
        now = perf_counter_ns()
        arrivals = self._arrivals
        arrivals.append(now)
        if len(arrivals) == BATCH:
            self.pace.count(arrivals)
        try:
            brings = self._fold(self.answer, piece)
        except Exception as fault:  # not `with Guard(...)`, which would double the cost of a chunk
            self._misread = True
            if not contain("reading a chunk", fault):
                raise
            return
        if brings:
            self.last_token = now
            if not self.first_answer:
                if not self.first_token:
                    self.first_token = now
                if brings == ANSWER:
                    self.first_answer = now

    def answered(self, body: Any) -> None:
        """The answer has come as a whole."""
        now = perf_counter_ns()
        self.told(body)
        self._done(semconv.COMPLETE, now)

    def told(self, piece: Any) -> None:
        """Something is told of the answer that is no chunk of it."""
        try:
            self._fold(self.answer, piece)
        except Exception as fault:
            self._misread = True
            if not contain("reading an answer", fault):
                raise

    def exhausted(self) -> None:
        """The stream has been read to its end."""
        self._done(semconv.COMPLETE, perf_counter_ns())

    def closed(self) -> None:
        """The app has closed the stream before its end."""
        self._done(semconv.CLOSED, perf_counter_ns())

    def failed(self, error: BaseException) -> None:
        """The call, or its stream, has raised `error`."""
        ending = semconv.CANCELLED if isinstance(error, CANCELLATIONS) else semconv.ERROR
        self._done(ending, perf_counter_ns(), error)

    def abandoned(self) -> None:
        """The app has dropped the stream; nobody knows when, so the call ends with what it last brought."""
        self.pace.count(self._arrivals)
        self._done(semconv.ABANDONED, self.pace.last or self.started)

    def _done(self, ending: str, at: int, error: BaseException | None = None) -> None:
        if self._open.acquire(blocking=False):
            self._fuse.tell(failed=self._misread)
            with Guard("ending a call"):
                self.pace.count(self._arrivals)
                self._end(self, ending, at, error)

    def __del__(self, drop: Any = _dropped.put, give_way: Any = sleep) -> None:
        if not self._open.locked():
            drop(self)
            # The thread gets its turn before whoever dropped the stream goes on, and perhaps flushes, and ends.
            give_way(_TURN)


class Unrecorded:
    """A call whose span is not recorded: of its answer only the id is looked for, so that feedback finds the call.

    operation: `gen_ai.operation.name`.
    known: is told the id.
    """

    __slots__ = ("__weakref__", "_known", "operation", "response_id")

    def __init__(self, operation: str, known: Callable[[str], None]) -> None:
        self.operation = operation
        self._known = known
        self.response_id: str | None = None

    def chunk(self, piece: Any) -> None:
        """A chunk of a streamed answer has come."""
        if self.response_id is None:
            self.answered(piece)

    def told(self, piece: Any) -> None:
        """Something is told of the answer that is no chunk of it."""
        self.answered(piece)

    def answered(self, body: Any) -> None:
        """The answer has come as a whole."""
        try:
            for response_id in response_ids(body):
                self.response_id = response_id
                self._known(response_id)
                return
        except Exception as fault:
            if not contain("reading an answer", fault):
                raise

    def exhausted(self) -> None:
        """Nothing follows from it here; nor from what else may happen to a call."""

    closed = exhausted

    def failed(self, error: BaseException) -> None:
        """As `exhausted`."""


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
