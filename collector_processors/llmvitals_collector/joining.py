"""Requests that come while others are worked on are then worked on as one: numpy's steps cost the same for all rows."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

# Of larger ones the rows cost far more than the steps.
JOINED_BYTES = 128 << 10


class _Waiting:
    """A request that a thread brings.

    taken: whether it was worked on together with others, None before its turn comes. fault: what that raised.
    """

    __slots__ = ("body", "fault", "taken")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.taken: bool | None = None
        self.fault: BaseException | None = None


class Joining(Generic[Answer]):
    """Has requests worked on in turns, all together that came during the turn before; none waits for others to come.

    alone: works on one request, and gives its answer.
    together: works on several, unless it returns False: nothing was done then, and each is worked on alone, so that
        its sender gets its own answer. What it raises, all of them get.
    joined: the answer to those that were worked on together.
    """

    def __init__(
        self, alone: Callable[[bytes], Answer], together: Callable[[Sequence[bytes]], bool], joined: Answer
    ) -> None:
        self._alone = alone
        self._together = together
        self._joined = joined
        self._turn = Lock()
        self._waiting: deque[_Waiting] = deque()

    def take(self, body: bytes) -> Answer:
        """Give the answer to a request, once it has been worked on; called by several threads at once."""
        mine = _Waiting(body)
        self._waiting.append(mine)
        with self._turn:
            if mine.taken is None:
                time.sleep(0)  # the interpreter's lock goes to those that have a request at hand
                several = [self._waiting.popleft() for _ in range(len(self._waiting))]
                if len(several) == 1:
                    return self._alone(body)
                self._take(several)
        if mine.fault:
            raise mine.fault
        # Not in turns, as there may always be one that keeps the others from going together.
        return self._joined if mine.taken else self._alone(body)

    def _take(self, several: Sequence[_Waiting]) -> None:
        taken, fault = False, None
        try:
            taken = self._together([each.body for each in several])
        except BaseException as error:  # which nobody is to wait for in vain
            fault = error
        for each in several:
            each.taken, each.fault = taken, fault
