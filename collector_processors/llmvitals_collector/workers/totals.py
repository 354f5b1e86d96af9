"""What workers tell of themselves, added to what the process that counts knows: one number for each series."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from llmvitals import semconv
from llmvitals_collector.debug import Debug
from llmvitals_collector.telemetry import FAMILIES, LabelValues, Telemetry
from llmvitals_collector.workers.messages import Report
from llmvitals_collector.workers.process import WorkerProcess

_FAMILIES = {family.name: family for family in FAMILIES}
# Gauges of what each worker has of its own, so that together they have the sum.
_ADDED = (
    semconv.OTELCOL_QUEUE_SIZE,
    semconv.OTELCOL_QUEUE_CAPACITY,
    semconv.FORWARD_QUEUE_BYTES,
    semconv.FORWARD_QUEUE_CAPACITY_BYTES,
)


class Totals:
    """alive: gives the workers that there are."""

    def __init__(self, telemetry: Telemetry, debug: Debug, alive: Callable[[], Iterable[WorkerProcess]]) -> None:
        self._telemetry = telemetry
        self._debug = debug
        self._alive = alive
        for family in _ADDED:
            telemetry.watch(family, partial(self._sum, family))
        telemetry.watch_processes(lambda: [worker.pid for worker in alive()])

    def add(self, worker: WorkerProcess, report: Report) -> None:
        """Add what a worker tells. What a counter has got stays, whatever becomes of the worker."""
        for name, labels, value in report.counters:
            self._telemetry.count(_FAMILIES[name], *labels, amount=value)
        for name, labels, value in report.gauges:
            if _FAMILIES[name] in _ADDED:
                worker.gauges[_FAMILIES[name]][labels] = value
            else:
                self._telemetry.set_later(_FAMILIES[name], *labels, value=value)
        self._debug.add(report.debug)

    def _sum(self, family: semconv.Family) -> dict[LabelValues, float]:
        total: dict[LabelValues, float] = defaultdict(float)
        for worker in self._alive():
            for labels, value in list(worker.gauges[family].items()):
                total[labels] += value
        return total
