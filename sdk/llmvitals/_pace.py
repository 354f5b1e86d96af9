"""When the chunks of one stream came, in a few numbers, however many they are."""

from bisect import bisect_left

from llmvitals import semconv

_BOUNDS = tuple(round(bound * 1e9) for bound in semconv.GAP_BOUNDS)

# Arrivals are counted so many at a time: one by one, between the client's own work on each chunk,
# counting takes four times as long, because nothing of it is in the processor's caches any more.
BATCH = 16


class Pace:
    """The first and the last arrival, the largest gap between two, and all gaps by their buckets.

    Times are `time.perf_counter_ns`, 0 where there is none yet.
    gaps: how many fell into each bucket of semconv.GAP_BOUNDS, None before the first arrival.
    """

    __slots__ = ("first", "gaps", "largest", "last")

    def __init__(self) -> None:
        self.first = self.last = self.largest = 0
        self.gaps: list[int] | None = None

    @property
    def chunks(self) -> int:
        """How many have arrived."""
        return 0 if self.gaps is None else sum(self.gaps) + 1

    def count(self, arrivals: list[int]) -> None:
        """Take in the times at which chunks arrived, in order, and empty the list of them."""
        times = arrivals.copy()
        arrivals.clear()
        if self.gaps is None and times:
            self.gaps = [0] * (len(_BOUNDS) + 1)
            self.first = self.last = times.pop(0)
        for time in times:
            gap = time - self.last
            self.last = time
            if gap > self.largest:
                self.largest = gap
            self.gaps[bisect_left(_BOUNDS, gap)] += 1  # type: ignore[index]
