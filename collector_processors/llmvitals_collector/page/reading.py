"""What the page shows, as the collector has it at one moment."""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import Metric

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.aggregate import Snapshot
from llmvitals_collector.counters import CounterSnapshot
from llmvitals_collector.histograms import HistogramSnapshot
from llmvitals_collector.series import Members

Key: TypeAlias = tuple[str, ...]
"""The values of a family's open labels, in the order of their names."""

HISTOGRAMS = (semconv.FIRST_TOKEN, semconv.DURATION, semconv.OUTPUT_SPEED)
QUALITY = (
    *(semconv.QUALITY_WEIGHT, semconv.QUALITY_WEIGHT_SQUARED, semconv.QUALITY_WEIGHTED_PASS),
    *(semconv.QUALITY_RESULTS, semconv.QUALITY_JUDGED, semconv.QUALITY_PAIRS),
)
COUNTERS = (
    *(semconv.CALLS, semconv.CACHE_LOOKUPS, semconv.COST, semconv.SLO_EVENTS, semconv.RESPONSES, semconv.FEEDBACK),
    *QUALITY,
)
# What the collector counts of its own work.
OWN = (
    *(semconv.COLLECTOR_UNPRICED, semconv.COLLECTOR_REFUSED_REQUESTS),
    *(semconv.COLLECTOR_SERIES_OVERFLOW, semconv.COLLECTOR_LOST_RECORDS),
)
_ALL = frozenset((*HISTOGRAMS, *COUNTERS))


class Form(NamedTuple):
    """What the cells of a family are: those of its first member first, and of each member its buckets.

    names: of the open labels. bounds: finite upper bounds of the buckets, float64 (b,), of a histogram; the last
    bucket has none. exponential: whether these are a native histogram's.
    """

    names: Key
    members: Members
    bounds: NDArray[np.float64] | None = None
    exponential: bool = False

    @property
    def buckets(self) -> int:
        return 1 if self.bounds is None else len(self.bounds) + 1

    @property
    def width(self) -> int:
        """How many cells a label set has."""
        return len(self.members) * self.buckets


class Held(NamedTuple):
    """The sums of a family, a row for each label set.

    keys: () where a row is free. created: float64 (rows,), when each row began to count; another time is another life,
    even of the same label set. values: float64 (rows, cells).
    """

    form: Form
    keys: list[Key]
    created: NDArray[np.float64]
    values: NDArray[np.float64]


class Reading(NamedTuple):
    """Everything at one moment.

    at: that moment, and since: when the collector began to count, in seconds since the epoch. gauges: by family and
    label values.
    """

    at: float
    since: float
    held: dict[Family, Held]
    gauges: dict[Family, dict[Key, float]]


def reading(snapshot: Snapshot, own: Iterable[Metric], at: float) -> Reading:
    """Read the families of the page; own: the collector's own metrics."""
    held = {}
    for series in snapshot.series:
        if series.family in _ALL:
            rows = len(series.cells if isinstance(series, CounterSnapshot) else series.sums)
            label_sets = snapshot.label_sets[series.names]
            form, values = _counters(series) if isinstance(series, CounterSnapshot) else _histograms(series)
            held[series.family] = Held(form, label_sets.texts[:rows], label_sets.created[:rows], values)
    samples = {metric.name: metric.samples for metric in own}
    for family in OWN:
        # A counter's family has no suffix there, its samples do.
        found = [each for each in samples[family.name.removesuffix("_total")] if each.name == family.name]
        keys = [tuple(each.labels[name] for name in family.labels) for each in found]
        values = np.array([[each.value] for each in found]).reshape(len(found), 1)
        held[family] = Held(Form(family.labels, ((),)), keys, np.zeros(len(found)), values)
    gauges = {
        family: {tuple(each.labels[name] for name in family.labels): each.value for each in samples[family.name]}
        for family in (semconv.SLO_OBJECTIVE, semconv.SLO_THRESHOLD, semconv.COLLECTOR_LAST_RECEIVED)
    }
    since = min(float(each.created[0]) for each in snapshot.label_sets.values())
    return Reading(at, since, held, gauges)


def _counters(series: CounterSnapshot) -> tuple[Form, NDArray[np.float64]]:
    return Form(series.names, series.members), series.cells


def _histograms(series: HistogramSnapshot) -> tuple[Form, NDArray[np.float64]]:
    """In the classic form's buckets, of which every Prometheus has the same percentiles; else in the native one's."""
    exponential = not len(series.grid.classic)
    chosen = series.grid.native if exponential else series.grid.classic
    form = Form(series.names, series.members, series.grid.bounds[chosen], exponential)
    starts = np.concatenate([[0], chosen + 1])
    values = np.zeros((*series.sums.shape, form.buckets))
    rows, members = np.nonzero(series.shown)
    if len(rows):
        values[rows, members] = np.add.reduceat(series.counts(rows, members), starts, axis=1)
    return form, values.reshape(len(values), -1)
