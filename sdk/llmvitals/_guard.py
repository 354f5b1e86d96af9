"""Our faults stay ours: counted, logged once of a kind, and never the app's."""

import logging
import os
from collections import Counter
from types import TracebackType

logger = logging.getLogger("llmvitals")

faults: Counter[tuple[str, str]] = Counter()
"""How often each hook failed: (hook, exception class) -> count, since the process began."""


class Guard:
    """A context manager that contains what goes wrong inside it.

    An `Exception` is counted in `faults` and logged the first time that its kind is seen in this
    hook; it goes no further, unless LLMVITALS_STRICT=1 is set, as in our own tests. A
    `BaseException` that is no `Exception` (KeyboardInterrupt, CancelledError) is the app's, and passes.
    """

    __slots__ = ("hook",)

    def __init__(self, hook: str) -> None:
        self.hook = hook

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return isinstance(fault, Exception) and contain(self.hook, fault)


def contain(hook: str, fault: Exception) -> bool:
    """Count `fault` and log the first of its kind in `hook`; False under LLMVITALS_STRICT=1, to raise it."""
    kind = (hook, type(fault).__name__)
    faults[kind] += 1
    if os.environ.get("LLMVITALS_STRICT") == "1":
        return False
    if faults[kind] == 1:
        logger.warning("llmvitals: %s failed; the app is not affected: %s", hook, fault, exc_info=fault)
    return True
