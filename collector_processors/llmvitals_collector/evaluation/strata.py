"""What waits for the judge, by template: rare ones are served as soon as frequent ones."""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Strata(Generic[K, T]):
    """A bounded queue of queues, which take turns; not for several threads.

    limit: how many may wait, of all. room: for how much of whatever the size of an item says.
    """

    def __init__(self, limit: int, room: int) -> None:
        self._limit = limit
        self._size, self._room = 0, room
        self._queues: dict[K, deque[tuple[T, int]]] = {}  # with the sizes; none is empty
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, stratum: K, item: T, size: int) -> list[T]:
        """Let an item wait. As long as there is too much now, the oldest of the stratum that has the most goes.

        Returns what goes: the item itself, where there is not as much room in all.
        """
        if size > self._room:
            return [item]
        self._queues.setdefault(stratum, deque()).append((item, size))
        self._length += 1
        self._size += size
        gone = []
        while self._length > self._limit or self._size > self._room:
            gone.append(self._take(max(self._queues, key=lambda each: len(self._queues[each]))))
        return gone

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
        item, size = queue.popleft()
        if not queue:
            del self._queues[stratum]
        self._length -= 1
        self._size -= size
        return item
