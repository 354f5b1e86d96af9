"""What the collector tells of itself: what came in, what it refused, and the objectives it is set to."""

import sys
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from threading import Lock

import numpy as np

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.labels import LabelSets
from llmvitals_collector.series import Amounts, Series, Snapshot, snapshot

FAMILIES = (*semconv.COLLECTOR_FAMILIES, semconv.SLO_OBJECTIVE, semconv.SLO_THRESHOLD)

# Label sets that are known from the start, and shown as 0.
_KNOWN: dict[Family, list[tuple[str, ...]]] = {
    semconv.COLLECTOR_IGNORED_SPANS: [(reason,) for reason in semconv.IGNORED_SPAN_REASONS],
    semconv.COLLECTOR_IGNORED_LOG_RECORDS: [(reason,) for reason in semconv.IGNORED_LOG_RECORD_REASONS],
    semconv.COLLECTOR_REFUSED_REQUESTS: [
        # What is too large for gRPC is refused by its library, before anybody could count it.
        (semconv.RECEIVER_GRPC, semconv.MALFORMED),
        (semconv.RECEIVER_GRPC, semconv.INTERNAL),
        *((semconv.RECEIVER_HTTP, reason) for reason in semconv.REFUSED_REASONS),
    ],
}


class Telemetry:
    """The collector's own counters and gauges; services name themselves, so at most `label_sets` are told apart."""

    def __init__(self, label_sets: int, processors: Iterable[str]) -> None:
        self._lock = Lock()
        self._amounts = {
            family: Amounts(family, LabelSets(family.labels, label_sets if _from_outside(family) else sys.maxsize))
            for family in FAMILIES
        }
        for family, known in _KNOWN.items():
            for labels in known:
                self.count(family, *labels, amount=0)
        for name in processors:
            self.count(semconv.COLLECTOR_PROCESSOR_FAILURES, name, amount=0)
        self.set(semconv.COLLECTOR_BUILD_INFO, version("llmvitals"), value=1)

    def count(self, family: Family, *labels: str, amount: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            amounts = self._amounts[family]
            row = amounts.label_sets.row(labels)
            amounts.add(np.array([row]), np.array([0]), np.array([float(amount)]))

    def set(self, family: Family, *labels: str, value: float) -> None:
        """Set a gauge, or a counter whose sum is kept elsewhere."""
        with self._lock:
            amounts = self._amounts[family]
            amounts.set(amounts.label_sets.row(labels), value)

    def received(self, family: Family, services: Mapping[str, int]) -> None:
        """Count what came from each service, now."""
        for service, amount in services.items():
            self.count(family, service, amount=amount)
            self.set(semconv.COLLECTOR_LAST_RECEIVED, service, value=time.time())

    def held(self, series: Iterable[Series]) -> None:
        """Tell how many label sets each metric holds, and how many values found no room."""
        overflowed: dict[str, int] = {}
        for each in series:
            name = each.family.name
            overflowed[name] = overflowed.get(name, 0) + each.overflowed
            self.set(semconv.COLLECTOR_LABEL_SETS, name, value=len(each.label_sets))
        for name, values in overflowed.items():
            self.set(semconv.COLLECTOR_SERIES_OVERFLOW, name, value=values)

    def snapshot(self) -> list[Snapshot]:
        """Copy everything at one moment."""
        with self._lock:
            return [snapshot(amounts) for amounts in self._amounts.values()]


def _from_outside(family: Family) -> bool:
    return semconv.LABEL_SERVICE in family.labels
