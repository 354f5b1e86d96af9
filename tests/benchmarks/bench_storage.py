"""What it costs to have a request on disk before it is acknowledged: `python tests/benchmarks/bench_storage.py [DIR]`

Entries of 100 kB, as 512 spans are about, by 1, 4 and 16 threads that each wait for theirs; the same without a journal,
where only the payload is put together. The disk of DIR, or of the working directory.
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from llmvitals_collector.storage import journal
from llmvitals_collector.storage.journal import Journal

ENTRIES = 960
COLUMNS = [np.random.default_rng(1).random(512) for _ in range(24)]


class Disk:
    """Appends under a lock and waits for the disk, as a receiver's thread does."""

    def __init__(self, directory: Path) -> None:
        self.journal = Journal(directory)
        self._lock = threading.Lock()

    def take(self) -> None:
        with self._lock:
            position = self.journal.append([column.data for column in COLUMNS])
        self.journal.sync(position)


class Memory:
    """Only puts the payload together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> None:
        with self._lock:
            b"".join(column.data for column in COLUMNS)


def run(take: Callable[[], None], threads: int) -> tuple[float, float, list[float]]:
    """Wall seconds and CPU seconds of all entries, and the seconds that each took."""
    latencies: list[float] = []

    def work() -> None:
        for _ in range(ENTRIES // threads):
            before = time.perf_counter()
            take()
            latencies.append(time.perf_counter() - before)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    wall, cpu = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - wall, time.process_time() - cpu, sorted(latencies)


def main() -> None:
    flushes: list[int] = []
    flush = journal._flush
    journal._flush = lambda file: (flushes.append(file), flush(file))
    print(f"{'threads':>7} {'':8} {'entries/s':>9} {'CPU us':>7} {'p50 ms':>7} {'p99 ms':>7}  entries per flush")
    for threads in (1, 4, 16):
        for name in ("memory", "journal"):
            with TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else ".") as directory:
                flushes.clear()
                wall, cpu, latencies = run((Memory() if name == "memory" else Disk(Path(directory))).take, threads)
            shared = f"{ENTRIES / len(flushes):.1f}" if flushes else ""
            p50, p99 = statistics.median(latencies) * 1e3, latencies[ENTRIES * 99 // 100] * 1e3
            print(
                f"{threads:7} {name:8} {ENTRIES / wall:9.0f} {cpu / ENTRIES * 1e6:7.0f} {p50:7.2f} {p99:7.2f}  {shared}"
            )


if __name__ == "__main__":
    main()
