"""What the collector tells of itself: what came in, what became of it, what that cost, and how full everything is."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from threading import Lock
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import ArrayLike
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns
from llmvitals_collector.config import Config
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.dialects import DIALECTS
from llmvitals_collector.expose import Format
from llmvitals_collector.metrics_protobuf import delimited
from llmvitals_collector.processes import Processes
from llmvitals_collector.receivers import Signal
from llmvitals_collector.results import Results

LabelValues: TypeAlias = tuple[str, ...]

FAMILIES = (*semconv.COLLECTOR_FAMILIES, *semconv.JUDGE_FAMILIES, semconv.SLO_OBJECTIVE, semconv.SLO_THRESHOLD)

_RECEIVERS = (semconv.RECEIVER_GRPC, semconv.RECEIVER_HTTP, semconv.RECEIVER_KAFKA)
_RECEIVING: list[LabelValues] = [(semconv.RECEIVER_OTLP, transport) for transport in _RECEIVERS]
# Label sets that are known from the start, and shown as 0: increase() does not see the jump of a series that is born
# with its first event.
_KNOWN: dict[Family, list[LabelValues]] = {
    semconv.COLLECTOR_IGNORED_SPANS: [(reason,) for reason in semconv.IGNORED_SPAN_REASONS],
    semconv.COLLECTOR_IGNORED_LOG_RECORDS: [(reason,) for reason in semconv.IGNORED_LOG_RECORD_REASONS],
    semconv.COLLECTOR_REJECTED_SPANS: [(reason,) for reason in semconv.REJECTED_REASONS],
    semconv.COLLECTOR_DUPLICATE_CALLS: [(reason,) for reason in semconv.REPEATED_REASONS],
    semconv.COLLECTOR_REFUSED_REQUESTS: [(each, reason) for each in _RECEIVERS for reason in semconv.REFUSED_REASONS],
    semconv.COLLECTOR_FEEDBACK: [(outcome,) for outcome in semconv.FEEDBACK_OUTCOMES],
    semconv.COLLECTOR_DIALECT_CALLS: [(dialect.name,) for dialect in DIALECTS],
    semconv.COLLECTOR_CPU_SECONDS: [(stage,) for stage in semconv.STAGES],
    semconv.EVALUATIONS_DROPPED: [(reason,) for reason in semconv.EVALUATION_DROP_REASONS],
    semconv.OTELCOL_ACCEPTED_SPANS: _RECEIVING,
    semconv.OTELCOL_ACCEPTED_LOG_RECORDS: _RECEIVING,
    semconv.OTELCOL_REFUSED_SPANS: _RECEIVING,
    semconv.OTELCOL_REFUSED_LOG_RECORDS: _RECEIVING,
    **{
        family: [()]
        for family in (
            semconv.COLLECTOR_LATE_CALLS,
            semconv.COLLECTOR_FUTURE_CALLS,
            semconv.COLLECTOR_UNKNOWN_WEIGHT,
            semconv.COLLECTOR_UNPRICED,
            semconv.COLLECTOR_LOST_RECORDS,
            semconv.COLLECTOR_WORKER_RESTARTS,
        )
    },
}


class _Families(NamedTuple):
    """What counts the spans, or the log records, of requests."""

    received: Family
    ignored: Family
    accepted: Family
    refused: Family


_SIGNALS = {
    Signal.TRACES: _Families(
        semconv.COLLECTOR_RECEIVED_SPANS,
        semconv.COLLECTOR_IGNORED_SPANS,
        semconv.OTELCOL_ACCEPTED_SPANS,
        semconv.OTELCOL_REFUSED_SPANS,
    ),
    Signal.LOGS: _Families(
        semconv.COLLECTOR_RECEIVED_LOG_RECORDS,
        semconv.COLLECTOR_IGNORED_LOG_RECORDS,
        semconv.OTELCOL_ACCEPTED_LOG_RECORDS,
        semconv.OTELCOL_REFUSED_LOG_RECORDS,
    ),
}
_UNPRICED = semconv.PRICED.index(semconv.UNKNOWN)
_UNKNOWN_WEIGHT = semconv.WEIGHTED.index(semconv.UNKNOWN)
# Enough to tell a few configurations apart, and too few to try a secret in one on.
_DIGEST_DIGITS = 8
# Longer names of services are cut.
_VALUE_CHARACTERS = 200
# For so long the OpenTelemetry Collector tries to send; what comes later was kept somewhere.
_LATE_SECONDS = 300.0
# By so much clocks differ that are kept in time.
_FUTURE_SECONDS = 5.0


class Telemetry(Collector):
    """The collector's own metrics; services name themselves, so at most `label_sets` of them are told apart.

    gather: is called before anybody looks, to bring in what other processes have to tell.
    """

    def __init__(self, label_sets: int, processors: Iterable[str]) -> None:
        self._label_sets = label_sets
        self.gather: Callable[[], None] = lambda: None
        self._lock = Lock()
        self._started = time.monotonic()
        self._process = Processes()
        self._watched: list[tuple[Family, Callable[[], Mapping[LabelValues, float]]]] = []
        self._values: dict[Family, dict[LabelValues, float]] = {family: {} for family in FAMILIES if not family.bounds}
        # The count of each bucket, not cumulative, and then the sum.
        self._observed = {family: np.zeros(len(family.bounds) + 2) for family in FAMILIES if family.bounds}
        for family, known in _KNOWN.items():
            self._values[family].update(dict.fromkeys(known, 0.0))
        for name in processors:
            self.count(semconv.COLLECTOR_PROCESSOR_FAILURES, name, amount=0)

    def built(self, decoder: str) -> None:
        """Tell which collector this is, and which of its decoders is in use."""
        self.set(semconv.COLLECTOR_BUILD_INFO, version("llmvitals"), decoder, value=1)

    def count(self, family: Family, *labels: str, amount: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            values = self._values[family]
            key = self._key(family, values, labels)
            values[key] = values.get(key, 0.0) + float(amount)

    def set(self, family: Family, *labels: str, value: float) -> None:
        """Set a gauge, or a counter whose sum is kept elsewhere."""
        with self._lock:
            values = self._values.setdefault(family, {})
            values[self._key(family, values, labels)] = float(value)

    def set_later(self, family: Family, *labels: str, value: float) -> None:
        """Set a gauge that is a time, unless it is later already."""
        with self._lock:
            values = self._values[family]
            key = self._key(family, values, labels)
            values[key] = max(values.get(key, 0.0), value)

    def observe(self, family: Family, values: ArrayLike) -> None:
        """Count one value in a histogram, or n of them, in the unit of the family."""
        numbers = np.atleast_1d(np.asarray(values, np.float64))
        # A bound belongs to the bucket below it: `le` means less or equal.
        buckets = np.bincount(np.searchsorted(family.bounds, numbers), minlength=len(family.bounds) + 1)
        with self._lock:
            observed = self._observed[family]
            observed[:-1] += buckets
            observed[-1] += numbers.sum()

    def watch(self, family: Family, read: Callable[[], Mapping[LabelValues, float]]) -> None:
        """Read a gauge, or a counter that is kept elsewhere, at each scrape; `read` gives the value by label values.

        Of a family and label values that several give, it is the sum.
        """
        self._watched.append((family, read))

    def spent(self, stage: str, since: float) -> float:
        """Add what this thread has cost since `since`, a `time.thread_time()`, to a stage; returns that time now."""
        now = time.thread_time()
        self.count(semconv.COLLECTOR_CPU_SECONDS, stage, amount=now - since)
        return now

    def taken(self, receiver: str, signal: Signal, decoded: Decoded[Columns]) -> None:
        """Note a request that was taken: what came from each service, and what became of it."""
        of = _SIGNALS[signal]
        self.count(of.accepted, semconv.RECEIVER_OTLP, receiver, amount=len(decoded.told))
        now = time.time()
        for service, amount in decoded.received.items():
            self.count(of.received, service, amount=amount)
            self.set(semconv.COLLECTOR_LAST_RECEIVED, service, value=now)
        for reason, amount in decoded.ignored.items():
            self.count(of.ignored, reason, amount=amount)
        for reason, amount in decoded.rejected.items():
            self.count(semconv.COLLECTOR_REJECTED_SPANS, reason, amount=amount)

    def not_taken(self, receiver: str, signal: Signal, records: int) -> None:
        """Note a request that was decoded, and refused for another reason; records: how many are in it."""
        self.count(_SIGNALS[signal].refused, semconv.RECEIVER_OTLP, receiver, amount=records)

    def counted(self, calls: Calls) -> None:
        """Note a batch that is being counted: how long ago its calls ended, and in which dialects they were told."""
        ages = time.time() - calls["end_time"]
        ages = ages[~np.isnan(ages)]
        self.observe(semconv.COLLECTOR_LAG, np.maximum(ages, 0.0))
        self.count(semconv.COLLECTOR_LATE_CALLS, amount=int(np.count_nonzero(ages > _LATE_SECONDS)))
        self.count(semconv.COLLECTOR_FUTURE_CALLS, amount=int(np.count_nonzero(ages < -_FUTURE_SECONDS)))
        if "priced" in calls:
            self.count(semconv.COLLECTOR_UNPRICED, amount=int(np.count_nonzero(calls["priced"] == _UNPRICED)))
        if "weighted" in calls:
            unknown = calls["weighted"] == _UNKNOWN_WEIGHT
            self.count(semconv.COLLECTOR_UNKNOWN_WEIGHT, amount=int(np.count_nonzero(unknown)))
        by_code = np.bincount(calls["dialect"])
        for code in np.flatnonzero(by_code).tolist():
            self.count(semconv.COLLECTOR_DIALECT_CALLS, calls.strings[code], amount=int(by_code[code]))

    def resulted(self, results: Results) -> None:
        """Note a batch of results that is being counted: when the last of each source came, and how old its set is."""
        now, strings = time.time(), results.strings
        columns = [results[name].tolist() for name in ("service", "source", "set")]
        for service, source, of, made in set(zip(*columns, np.fmax(results["set_time"], 0).tolist(), strict=True)):
            self.set(semconv.EVALUATION_LAST, strings[service], strings[source], strings[of], value=now)
            if made > 0:
                self.set(semconv.EVALUATION_SET_TIMESTAMP, strings[service], strings[of], value=made)

    def held(self, state: State) -> None:
        """Tell how many label sets each metric holds and how many values each label, and what found no room."""
        for family, series in state.series.items():
            self.set(semconv.COLLECTOR_LABEL_SETS, family.name, value=len(series.label_sets))
            self.set(semconv.COLLECTOR_SERIES_OVERFLOW, family.name, value=series.overflowed)
        for label, values in state.label_values.items():
            self.set(semconv.COLLECTOR_LABEL_VALUES, label, value=len(values))
            self.set(semconv.COLLECTOR_LABEL_OVERFLOW, label, value=values.replaced)

    def configured(self, config: Config) -> None:
        """Note that a configuration came into force."""
        digest = hashlib.sha256(msgspec.json.encode(config)).hexdigest()[:_DIGEST_DIGITS]
        with self._lock:
            self._values[semconv.COLLECTOR_CONFIG_INFO] = {(digest,): 1.0}
        self.set(semconv.COLLECTOR_RELOAD_TIME, value=time.time())
        self.set(semconv.COLLECTOR_RELOAD_SUCCESSFUL, value=1)

    def not_configured(self) -> None:
        """Note that a new configuration was refused, and the old one stays in force."""
        self.set(semconv.COLLECTOR_RELOAD_SUCCESSFUL, value=0)

    def render(self, format: Format) -> bytes:
        """All of it in a format of the exposition; without the last line of OpenMetrics, as others follow."""
        if format is Format.TEXT:
            return generate_latest(self)
        if format is Format.OPENMETRICS:
            body: bytes = generate_openmetrics(self)  # type: ignore[no-untyped-call]
            return body.removesuffix(b"# EOF\n")
        return delimited(self.collect())

    def watch_processes(self, pids: Callable[[], Iterable[int]]) -> None:
        """Tell the CPU time and the memory of these processes with those of this one."""
        self._process.others = pids

    def values(self) -> dict[Family, dict[LabelValues, float]]:
        """Every counter and gauge, of one moment."""
        with self._lock:
            values = {family: dict(found) for family, found in self._values.items()}
        for family, read in self._watched:
            found = values.setdefault(family, {})
            for labels, value in read().items():
                found[labels] = found.get(labels, 0.0) + value
        return values

    def collect(self) -> Iterator[Metric]:
        """Every family, of one moment. https://prometheus.github.io/client_python/collector/custom/"""
        self.gather()
        process = self._process.collect()
        told = {sample.name: sample.value for metric in process for sample in metric.samples}
        values = self.values()
        with self._lock:
            observed = {family: found.copy() for family, found in self._observed.items()}
        values[semconv.OTELCOL_UPTIME] = {(): time.monotonic() - self._started}
        # Only Linux tells these.
        for family, name in _PROCESS.items():
            values[family] = {(): told[name]} if name in told else {}
        yield from process
        yield from (_metric(family, found) for family, found in values.items())
        for family, cells in observed.items():
            histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
            bounds = [*map(repr, family.bounds), "+Inf"]
            histogram.add_metric([], list(zip(bounds, np.cumsum(cells[:-1]).tolist(), strict=True)), cells[-1].item())
            yield histogram

    def _key(self, family: Family, values: Mapping[LabelValues, float], labels: LabelValues) -> LabelValues:
        if labels in values or semconv.LABEL_SERVICE not in family.labels:
            return labels
        cut = tuple(label[:_VALUE_CHARACTERS] for label in labels)
        # The overflow series has a place of its own.
        return cut if cut in values or len(values) < self._label_sets else (semconv.OVERFLOW,) * len(labels)


_PROCESS = {semconv.OTELCOL_CPU: "process_cpu_seconds_total", semconv.OTELCOL_MEMORY: "process_resident_memory_bytes"}


def _metric(family: Family, values: Mapping[LabelValues, float]) -> Metric:
    form = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = form(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric
