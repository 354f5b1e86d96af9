"""The state of the collector: every batch ends here, as sums."""

import time
from collections.abc import Callable, Iterator
from itertools import chain, product
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals.semconv import Family
from llmvitals_collector import saved
from llmvitals_collector.columns import Columns
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.counters import Counters, CounterSnapshot
from llmvitals_collector.exemplars import TRACE, Traces
from llmvitals_collector.grid import Grid
from llmvitals_collector.histograms import Histograms, HistogramSnapshot
from llmvitals_collector.labels import OVERFLOW_ROW, LabelSets, LabelSetSnapshot, LabelValues
from llmvitals_collector.measures import LABEL_COLUMNS, MEASURES, SUMS, Measure
from llmvitals_collector.placing import Names, Placing
from llmvitals_collector.series import Members
from llmvitals_collector.tally import Batch, CounterTally, HistogramTally, Tally

# How often label sets are looked for that have expired.
_EXPIRY_SECONDS = 60.0


class Snapshot(NamedTuple):
    """Everything at one moment; families with the same open labels share their label sets."""

    label_sets: dict[Names, LabelSetSnapshot]
    series: list[CounterSnapshot | HistogramSnapshot]


class State:
    """The sums of all batches so far, for as many label sets as the limits allow.

    Families with the same open labels share their label sets, so that a batch looks them up once, and a record that
    finds no room goes to the overflow row of all of them. A snapshot sees the whole of a batch or nothing.

    label_values: by label, with how many records had a value for which there was no room.
    series: by family, with its label sets and how many values went to its overflow row.
    """

    def __init__(self, limits: Limits, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        """clock: gives seconds since the epoch."""
        self._lock = Lock()
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._expired = clock()
        self.label_values = {name: LabelValues(limits.label_values) for name in LABEL_COLUMNS}
        self.label_sets: dict[Names, LabelSets] = {}
        self.series: dict[Family, Counters | Histograms] = {}
        self._tallies = {record: list(self._build(record, measures)) for record, measures in MEASURES.items()}
        self._placings = {record: Placing(self.label_values, self._counted_in(record)) for record in MEASURES}

    def add(self, records: Columns) -> None:
        """Count a batch of records of one kind. A column that a failed processor did not add is left out."""
        self._add(records, _weights(records))

    def announce(self, records: Columns) -> None:
        """Show the series in which these records would count, at 0 where they are new.

        Prometheus' increase() does not see the jump of a series that is born with its first event.
        """
        self._add(records, np.zeros(len(records)))

    def firsts(self, family: Family) -> list[dict[str, str]]:
        """The open labels of each label set of a family of counters that has begun since somebody asked."""
        counters = self.series[family]
        assert isinstance(counters, Counters)  # noqa: S101 - histograms are not asked for
        with self._lock:
            rows, counters.firsts = counters.firsts, set()
            names, texts = counters.label_sets.names, counters.label_sets.texts
            return [dict(zip(names, texts[row], strict=True)) for row in rows if texts[row] and row != OVERFLOW_ROW]

    def all_first(self, family: Family) -> None:
        """Have `firsts` tell every label set that there is, of which something new may be said from now on."""
        counters = self.series[family]
        assert isinstance(counters, Counters)  # noqa: S101 - histograms are not asked for
        with self._lock:
            counters.all_first()

    def snapshot(self) -> Snapshot:
        """Copy everything at one moment."""
        with self._lock:
            label_sets = {names: each.snapshot() for names, each in self.label_sets.items()}
            series = [each.snapshot() for each in self.series.values()]
        histograms = [each for each in series if isinstance(each, HistogramSnapshot)]
        series += [each.counters(SUMS[each.family]) for each in histograms if each.family in SUMS]
        return Snapshot(label_sets, series)

    def parts(self) -> dict[str, NDArray[Any] | bytes]:
        """Everything but exemplars, for a file."""
        with self._lock:
            label_sets = [each.snapshot() for each in self.label_sets.values()]
            series = [each.snapshot() for each in self.series.values()]
            overflowed = {family.name: each.overflowed for family, each in self.series.items()}
            replaced = {name: each.replaced for name, each in self.label_values.items()}
        return saved.parts(label_sets, series, overflowed=overflowed, replaced=replaced)

    def restore(self, parts: saved.Parts) -> list[str]:
        """Take over what `parts` gave, which may have had other limits and families, before anything is counted.

        Returns:
            what is lost, in sentences.
        """
        contents = saved.contents(parts)
        lost = []
        with self._lock:
            rows = {}
            for names, each in self.label_sets.items():
                key = saved.label_key(names)
                if key in contents["label_sets"]:
                    arrays = np.asarray(parts[f"{key}/created"]), np.asarray(parts[f"{key}/last_seen"])
                    rows[key] = each.restore(contents["label_sets"][key], *arrays)
            known = {family.name: each for family, each in self.series.items()}
            for name, told in contents["families"].items():
                if name in known and told["label_sets"] == saved.label_key(known[name].label_sets.names):
                    lost.append(saved.restore(parts, known[name], rows[told["label_sets"]]))
                    known[name].overflowed = contents["overflowed"][name]
                else:
                    lost.append(f"{name} is dropped, as there is no such metric with these labels any more")
            for name, replaced in contents["replaced"].items():
                if name in self.label_values:
                    self.label_values[name].replaced = replaced
        return [sentence for sentence in lost if sentence]

    def _add(self, records: Columns, weights: NDArray[np.float64]) -> None:
        if not len(records):
            return
        with self._lock:
            now = self._clock()
            if now - self._expired > _EXPIRY_SECONDS:
                self._expire(now)
            placed = self._placings[type(records)].place(records, now)
            batch = Batch(records, placed, weights, _traces(records, now), now)
            for tally in self._tallies[type(records)]:
                if all(column in records for column in tally.columns):
                    tally.add(batch)

    def _counted_in(self, record: type[Columns]) -> dict[Names, LabelSets]:
        """The label sets of a record's families."""
        names = {self.series[measure.family].label_sets.names for measure in MEASURES[record]}
        return {each: self.label_sets[each] for each in self.label_sets if each in names}

    def _build(self, record: type[Columns], measures: tuple[Measure, ...]) -> Iterator[Tally]:
        """Make the series of a record's families, and what fills them."""
        by_family: dict[Family, list[Measure]] = {}
        for measure in measures:
            by_family.setdefault(measure.family, []).append(measure)
        for family, taken in by_family.items():
            vocabularies = [_vocabularies(record, measure) for measure in taken]
            members = [_members(measure, each) for measure, each in zip(taken, vocabularies, strict=True)]
            starts = np.cumsum([0, *map(len, members)]).tolist()
            label_sets = self._label_sets_of(family)
            every = tuple(chain(*members))
            if family.kind == "histogram":
                histograms = self.series[family] = Histograms(family, label_sets, every, self._grid(family))
            else:
                counters = self.series[family] = Counters(family, label_sets, every, tuple(map(len, members)))
            for group, measure in enumerate(taken):
                sizes = tuple(map(len, vocabularies[group]))
                if family.kind == "histogram":
                    yield HistogramTally(measure, sizes, starts[group], histograms)
                else:
                    yield CounterTally(measure, sizes, starts[group], counters, group)

    def _label_sets_of(self, family: Family) -> LabelSets:
        names = tuple(name for name in family.labels if name in LABEL_COLUMNS)
        if names not in self.label_sets:
            self.label_sets[names] = LabelSets(names, self.label_values, self._limits.label_sets, self._clock)
        return self.label_sets[names]

    def _grid(self, family: Family) -> Grid:
        native = family.octaves if self._metrics.native_histograms else None
        # What has no native form keeps its classic one.
        return Grid(family.bounds if self._metrics.classic_histograms or not native else (), native)

    def _expire(self, now: float) -> None:
        """Free the rows of label sets that were not seen for long, and the values that no label set has any more."""
        self._expired = now
        freed = 0
        used: dict[str, list[NDArray[np.intp]]] = {name: [] for name in self.label_values}
        for names, label_sets in self.label_sets.items():
            if self._limits.expire_after_seconds:
                idle = label_sets.idle(now - self._limits.expire_after_seconds)
                for series in self.series.values():
                    if series.label_sets is label_sets:
                        series.clear(idle)
                label_sets.forget(idle)
                freed += len(idle)
            for name, codes in zip(names, label_sets.codes[label_sets.held()].T, strict=True):
                used[name].append(codes)
        for placing in self._placings.values():
            placing.forget()
        for name, codes in used.items():
            self.label_values[name].keep(set(np.concatenate(codes).tolist()))
        if freed:  # what was announced with label sets that are still there has to be announced again
            for series in self.series.values():
                if isinstance(series, Counters):
                    series.all_first()


def _vocabularies(record: type[Columns], measure: Measure) -> list[tuple[Any, ...]]:
    """What the MEMBER columns of a measure may say."""
    members = {column.name: column.members for column in (*record.decoded, *record.derived)}
    found = [members[column] for column in measure.by]
    return [*found[:-1], (*found[-1], "")] if measure.untold else found


def _members(measure: Measure, vocabularies: list[tuple[Any, ...]]) -> Members:
    """The closed labels of each member, in the order in which tallies number them."""
    values = ([each if isinstance(each, tuple) else (each,) for each in vocabulary] for vocabulary in vocabularies)
    return tuple((*measure.labels, *chain(*chosen)) for chosen in product(*values))


def _weights(records: Columns) -> NDArray[np.float64]:
    if "weight" not in records:
        return np.ones(len(records))
    weights = records["weight"]
    return np.where(np.isnan(weights), 1.0, weights)


def _traces(records: Columns, now: float) -> Traces | None:
    if "sampled" not in records:
        return None
    found = records["sampled"] & ((records["trace_id_high"] | records["trace_id_low"]) != 0)
    if not found.any():
        return None
    ids = np.empty(len(records), TRACE)
    ids["time"] = np.where(np.isnan(records["end_time"]), now, records["end_time"])
    ids["trace_high"], ids["trace_low"] = records["trace_id_high"], records["trace_id_low"]
    ids["span"] = records["span_id"]
    return Traces(found, ids)
