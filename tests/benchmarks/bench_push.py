"""CPU time of a push in each form, beside that of a scrape in each format; and how long others wait meanwhile.

A push is everything up to the compressed bytes that are sent, a scrape everything up to the uncompressed ones. Medians,
in one process. Who waits is a thread that wants the interpreter every other millisecond:
`python tests/benchmarks/bench_push.py [label sets]`
"""

import gzip
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from bench_expose import filled

from llmvitals_collector import expose
from llmvitals_collector.expose import Format
from llmvitals_collector.push.moment import Moment
from llmvitals_collector.telemetry import Telemetry

ROUNDS = 7
STEP_SECONDS = 0.002
RESOURCE = {"service.name": "llm-collector", "service.instance.id": "a"}


@contextmanager
def delays() -> Iterator[list[float]]:
    """By how much a thread is late each time that it wakes up, in seconds."""
    late: list[float] = []
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            began = time.perf_counter()
            time.sleep(STEP_SECONDS)
            late.append(time.perf_counter() - began - STEP_SECONDS)

    thread = threading.Thread(target=run)
    thread.start()
    yield late
    stopped.set()
    thread.join()


def measured(name: str, work: Callable[[], int]) -> None:
    """work: gives how many bytes it has made."""
    costs, took = [], []
    with delays() as late:
        for _ in range(ROUNDS):
            began, since = time.perf_counter(), time.thread_time()
            size = work()
            costs.append(time.thread_time() - since)
            took.append(time.perf_counter() - began)
    waits = np.percentile(late, [50, 99]) * 1e3
    print(
        f"{name:28} {statistics.median(costs) * 1e3:6.0f} ms of CPU in {statistics.median(took) * 1e3:6.0f} ms,"
        f" {size / 1e6:6.2f} MB; others wait {waits[0]:4.1f} ms, 99th {waits[1]:5.1f} ms"
    )


def main() -> None:
    label_sets = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    state, telemetry = filled(label_sets), Telemetry(label_sets, [])

    def now() -> Moment:
        return Moment(time.time_ns(), state.snapshot(), list(telemetry.collect()))

    def pushed(exponential: bool) -> int:
        requests = now().sums(0, 0, exponential, RESOURCE)
        return sum(len(gzip.compress(each.body, compresslevel=1)) for each in requests)

    def told_apart() -> int:
        requests = now().differences(earlier, False, RESOURCE)
        return sum(len(gzip.compress(each.body, compresslevel=1)) for each in requests)

    def scraped(format_: Format) -> int:
        return sum(map(len, expose.render(state.snapshot(), format_, telemetry.render(format_))))

    earlier = now()
    points = sum(each.records for each in earlier.sums(0, 0, False, RESOURCE))
    print(f"{label_sets} label sets, {points} points")
    measured("nothing", lambda: time.sleep(0.2) or 0)
    measured("push, explicit", lambda: pushed(False))
    measured("push, exponential", lambda: pushed(True))
    measured("push, explicit, differences", told_apart)
    for format_ in Format:
        measured(f"scrape, {format_.name}", lambda format_=format_: scraped(format_))


if __name__ == "__main__":
    main()
