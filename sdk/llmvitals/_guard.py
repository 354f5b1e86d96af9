"""Our faults stay ours: counted, logged once of a kind, and never the app's."""

import logging
import os
from collections import Counter
from types import TracebackType

logger = logging.getLogger("llmvitals")

faults: Counter[tuple[str, str]] = Counter()
"""How often each hook failed: (hook, exception class) -> count, since the process began."""


class Fuse:
    """Blows when an adapter fails so often in a row that its client must have changed: then its calls pass unwatched.

    A broken release of a client is to cost telemetry, not latency. It holds until the process starts anew.
    """

    __slots__ = ("_client", "_failures", "blown")

    FAILURES = 20

    def __init__(self, client: str) -> None:
        self._client = client
        self._failures = 0
        self.blown = False

    def tell(self, failed: bool) -> None:
        """The adapter has failed to read a call, or has read one to its end."""
        self._failures = self._failures + 1 if failed else 0
        if self._failures == self.FAILURES:
            self.blown = True
            logger.warning("llmvitals: %s is watched no more: %d failures in a row", self._client, self._failures)


class Guard:
    """A context manager that contains what goes wrong inside it.

    An `Exception` is counted in `faults` and logged the first time that its kind is seen in this
    hook; it goes no further, unless LLMVITALS_STRICT=1 is set, as in our own tests. A
    `BaseException` that is no `Exception` (KeyboardInterrupt, CancelledError) is the app's, and passes.

    arguments: it is the app's arguments that are looked at, so that a ValueError, TypeError or LookupError
        says what is wrong with them, and needs no traceback.
    """

    __slots__ = ("_arguments", "hook")

    def __init__(self, hook: str, *, arguments: bool = False) -> None:
        self.hook = hook
        self._arguments = arguments

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return isinstance(fault, Exception) and contain(self.hook, fault, self._arguments)


def contain(hook: str, fault: Exception, arguments: bool = False) -> bool:
    """Count `fault` and log the first of its kind in `hook`; False under LLMVITALS_STRICT=1, to raise it.

    arguments: as of a `Guard`.
    """
    kind = (hook, type(fault).__name__)
    faults[kind] += 1
    if os.environ.get("LLMVITALS_STRICT") == "1":
        return False
    if faults[kind] == 1:
        told = arguments and isinstance(fault, ValueError | TypeError | LookupError)
        logger.warning(
            "llmvitals: %s failed; the app is not affected: %s", hook, fault, exc_info=None if told else fault
        )
    return True
