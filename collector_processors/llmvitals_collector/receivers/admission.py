"""How large a request may be, and how many bytes of requests may be in flight, over all receivers together.

Workers have one account: each adds to a place of its own in memory that all of them read. Several that let a request
in at the same moment may so exceed the limit by all of these but one.
"""

import random
from threading import Condition
from types import TracebackType
from typing import NamedTuple

from llmvitals import semconv
from llmvitals_collector.receivers import RefusedError, UnavailableError

# What a request holds before its body is there: the window that HTTP/2 gives to its stream, or the buffer of its
# connection. https://www.rfc-editor.org/rfc/rfc9113#name-initial-flow-control-window
REQUEST_BYTES = 64 << 10
# When to come again. Five such waits fit into the ten seconds for which OpenTelemetry's exporters for Python (1.45)
# try, which give up at once when they are to wait longer; and who came together do not come back together.
_RETRY_SECONDS = (1.0, 1.9)


class SizeLimit(NamedTuple):
    """How large a request may be, as sent and again once inflated; and the key that sets it, where there is one."""

    bytes: int
    key: str = ""

    def check(self, size: int) -> None:
        """See that a request of so many bytes is not too large.

        Raises:
            RefusedError: it is.
        """
        if size > self.bytes:
            hint = f"; {self.key} sets the limit" if self.key else ""
            raise RefusedError(semconv.TOO_LARGE, f"the request is larger than {self.bytes} bytes{hint}")


class Lease:
    """The bytes that one request holds; leaving it gives them back."""

    def __init__(self, admission: "Admission") -> None:
        self._admission = admission
        self._held = REQUEST_BYTES

    def grow(self, size: int) -> None:
        """Hold this many bytes more.

        Raises:
            RefusedError: they do not fit now.
        """
        self._admission.hold(size)
        self._held += size

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._admission.hold(-self._held)
        self._held = 0


class Admission:
    """The account of the bytes in flight; `limit` may be set anew at any time."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._stopping = False
        self._changed = Condition()
        self.share(memoryview(bytearray(8)).cast("q"), 0)

    def share(self, places: memoryview, place: int) -> None:
        """Keep the account together with other processes, from before the first request on.

        places: what each of them holds, of format "q"; place: which of them is this one's.
        """
        self._places = places
        self._place = place

    @property
    def held(self) -> int:
        """Bytes in flight, in all processes."""
        return sum(self._places)

    def admit(self, announced: int = 0) -> Lease:
        """Let a request in that announces a body of this many bytes, which it holds once they have come.

        Raises:
            RefusedError: it would not fit now.
            UnavailableError: the collector stops.
        """
        if self._stopping:
            raise UnavailableError(_retry_after(), "the collector is stopping")
        self.hold(REQUEST_BYTES, announced)
        return Lease(self)

    def hold(self, size: int, announced: int = 0) -> None:
        """Add to the account, or give back where `size` is negative."""
        with self._changed:
            if size > 0 and self.held + size + announced > self.limit:
                raise RefusedError(semconv.BUSY, "too many requests are in flight", _retry_after())
            self._places[self._place] += size
            if self._stopping:
                self._changed.notify_all()

    def drain(self, seconds: float) -> None:
        """Let no more requests in, and wait until those in flight are answered, but not longer than this."""
        with self._changed:
            self._stopping = True
            self._changed.wait_for(lambda: not self._places[self._place], seconds)


def _retry_after() -> float:
    return random.uniform(*_RETRY_SECONDS)  # noqa: S311 - no secret
