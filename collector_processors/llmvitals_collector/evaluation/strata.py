"""What waits for the judge, by template: rare ones are served as soon as frequent ones."""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Strata(Generic[K, T]):
    """A bounded queue of queues, which take turns; not for several threads. limit: how many may wait, of all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queues: dict[K, deque[T]] = {}  # none is empty
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, stratum: K, item: T) -> T | None:
        """Let an item wait. If there are too many now: the oldest of the stratum that has the most, which goes."""
        self._queues.setdefault(stratum, deque()).append(item)
        self._length += 1
        if self._length <= self._limit:
            return None
        return self._take(max(self._queues, key=lambda each: len(self._queues[each])))

    def take(self) -> T:
        """The oldest item of the stratum that was not served for the longest time.

        Raises:
            IndexError: none waits.
        """
        if not self._queues:
            raise IndexError("nothing waits")
        stratum = next(iter(self._queues))
        item = self._take(stratum)
        if stratum in self._queues:
            self._queues[stratum] = self._queues.pop(stratum)  # now the last
        return item

    def _take(self, stratum: K) -> T:
        queue = self._queues[stratum]
        item = queue.popleft()
        if not queue:
            del self._queues[stratum]
        self._length -= 1
        return item
