"""Whether the collector takes data at the moment, and if not, why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Health:
    """What keeps the collector from taking data, by the part that it happened to; at first, that it has not started.

    changed: is called when `problem` is another one.
    """

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._lock = Lock()
        self._problems = {"collector": "the collector is starting"}

    def report(self, part: str, problem: str | None) -> None:
        """Say in a sentence what is wrong with a part, or None: nothing is, any more."""
        with self._lock:
            before = self.problem
            # A new mapping, since others read the old one meanwhile.
            others = {name: told for name, told in self._problems.items() if name != part}
            self._problems = {**others, part: problem} if problem else others
            is_new = self.problem != before
        if is_new:
            self.changed()

    @contextmanager
    def of(self, part: str, trouble: type[Exception]) -> Iterator[None]:
        """What keeps a block from its end is what is wrong with a part, until such a block gets there again."""
        try:
            yield
        except trouble as error:
            self.report(part, str(error))
            raise
        if part in self._problems:
            self.report(part, None)

    @property
    def problem(self) -> str | None:
        """What is wrong; None while the collector takes data."""
        return "; ".join(self._problems.values()) or None
