"""Time to tell new spans from retries, against a plain set of the same ids.

New ids in batches, once as many are held as are kept; the two in turns, in one process. Medians, and the longest stall:
`python tests/benchmarks/bench_seen.py`
"""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.storage.seen import DEFAULT_CAPACITY, Seen

ROUNDS = 300
SIZES = (16, 512, 4096)


class Plain:
    """A set that is emptied when it is full, as it can't tell which of its members is the oldest."""

    def __init__(self) -> None:
        self.ids: set[int] = set()

    def new(self, ids: NDArray[np.uint64]) -> list[bool]:
        if len(self.ids) > DEFAULT_CAPACITY:
            self.ids.clear()
        return [number not in self.ids and not self.ids.add(number) for number in ids.tolist()]


def seconds(work: Callable[[], Any]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def megabytes(build: Callable[[], Any], ids: NDArray[np.uint64]) -> float:
    tracemalloc.start()
    held = build()
    held.new(ids)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / 1e6


def main() -> None:
    chance = np.random.default_rng(1)

    def some(count: int) -> NDArray[np.uint64]:
        return chance.integers(0, 1 << 64, count, np.uint64)

    full = some(DEFAULT_CAPACITY - ROUNDS)
    seen, plain = Seen(), Plain()
    seen.new(full)
    plain.new(full)
    print(f"{'ids':>5} {'Seen, us':>10} {'a set, us':>10} {'ratio':>6}   longest, ms: Seen, a set")
    for size in SIZES:
        times = []
        for _ in range(ROUNDS):
            ids = some(size)
            times.append((seconds(lambda ids=ids: seen.new(ids)), seconds(lambda ids=ids: plain.new(ids))))
        ours, theirs = (statistics.median(each) * 1e6 for each in zip(*times, strict=True))
        longest = [max(each) * 1e3 for each in zip(*times, strict=True)]
        print(f"{size:5} {ours:10.1f} {theirs:10.1f} {theirs / ours:6.2f}   {longest[0]:.1f}, {longest[1]:.1f}")
    retries = some(512)
    seen.new(retries)
    print(f"  512 {statistics.median(seconds(lambda: seen.new(retries)) for _ in range(ROUNDS)) * 1e6:10.1f} (retries)")
    held = [megabytes(build, some(DEFAULT_CAPACITY)) for build in (Seen, Plain)]
    state = seen.state()
    print(f"memory: Seen {held[0]:.0f} MB, a set {held[1]:.0f} MB")
    print(f"state {seconds(seen.state) * 1e3:.1f} ms, restore {seconds(lambda: Seen().restore(state)) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
