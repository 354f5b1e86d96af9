"""One measure at work: what it takes from a batch goes to the series of its family."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.columns import Columns
from llmvitals_collector.counters import Counters
from llmvitals_collector.exemplars import Traces
from llmvitals_collector.histograms import Histograms
from llmvitals_collector.measures import Measure
from llmvitals_collector.placing import Picked, Placed

_ALL = slice(None)


class Batch(NamedTuple):
    """Records, with what all measures have in common.

    placed: in the tables of label sets.
    weights: how many calls each stands for, float64 (n,). traces: None if none can be looked up.
    now: when they came, in seconds since the epoch.
    """

    records: Columns
    placed: Placed
    weights: NDArray[np.float64]
    traces: Traces | None
    now: float


class Tally(ABC):
    """A measure and its series, of whose members its own begin at `first`."""

    def __init__(self, measure: Measure, sizes: tuple[int, ...], first: int) -> None:
        self.measure = measure
        self.columns = measure.columns
        self._sizes = sizes  # of the vocabularies of `by`
        self._first = first

    @abstractmethod
    def add(self, batch: Batch) -> None:
        """Count what a batch holds for the measure."""

    def _members(self, records: Columns) -> tuple[NDArray[np.intp] | int, NDArray[np.bool_] | None]:
        """The member of each record, or of all; and which of them are counted, None for all."""
        measure = self.measure
        kept = records[measure.where] if measure.where else None
        members: Any = 0
        for place, (column, size) in enumerate(zip(measure.by, self._sizes, strict=True), start=1):
            codes = records[column]
            if measure.untold and place == len(self._sizes):
                codes = np.where(codes < 0, size - 1, codes)
            else:
                kept = _both(kept, codes >= 0)
            members = codes.astype(np.intp) if place == 1 else members * size + codes
        return (members + self._first if self._first else members), kept


class CounterTally(Tally):
    def __init__(self, measure: Measure, sizes: tuple[int, ...], first: int, counters: Counters, group: int) -> None:
        super().__init__(measure, sizes, first)
        self._counters = counters
        self._group = group

    def add(self, batch: Batch) -> None:
        members, kept = self._members(batch.records)
        amounts = batch.weights
        if self.measure.value:
            values = batch.records[self.measure.value]
            kept = _both(kept, np.isfinite(values))
            amounts = amounts * (np.maximum(values - self.measure.beyond, 0.0) if self.measure.beyond else values)
        picked = _picked(kept)
        if picked is None:
            return
        rows = batch.placed.rows(self._counters.label_sets.names, picked)
        self._counters.add(rows, _pick(members, picked), self._group, amounts[picked])


class HistogramTally(Tally):
    def __init__(self, measure: Measure, sizes: tuple[int, ...], first: int, histograms: Histograms) -> None:
        super().__init__(measure, sizes, first)
        self._histograms = histograms

    def add(self, batch: Batch) -> None:
        values = batch.records[self.measure.value]
        members, kept = self._members(batch.records)
        picked = _picked(_both(kept, np.isfinite(values)))
        if picked is None:
            return
        rows = batch.placed.rows(self._histograms.label_sets.names, picked)
        values, weights = values[picked], batch.weights[picked]
        cells = self._histograms.cells(rows, _pick(members, picked))
        if self.measure.counts:
            self._count(cells, batch.records[self.measure.counts][picked], weights)
        else:
            self._histograms.count(cells, self._histograms.grid.locate(values), weights)
        self._histograms.add(cells, values * weights)
        if batch.traces and not self.measure.counts:
            calls = np.arange(len(batch.records))[picked]
            self._histograms.exemplars.offer(cells, values, calls, batch.traces, batch.now)

    def _count(self, cells: NDArray[np.intp], counts: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
        """Count counts that the senders have made, float64 (n, buckets): first those of the same histogram together."""
        if (weights != 1).any():
            counts = counts * weights[:, np.newaxis]
        order = np.argsort(cells)
        cells = cells[order]
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        self._histograms.count_together(cells[starts], np.add.reduceat(counts[order], starts))


def _both(one: NDArray[np.bool_] | None, other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return other if one is None else one & other


def _picked(kept: NDArray[np.bool_] | None) -> Picked | None:
    """The places of what is kept; None if nothing is."""
    if kept is None or kept.all():
        return _ALL
    places = np.flatnonzero(kept)
    return places if len(places) else None


def _pick(members: NDArray[np.intp] | int, picked: Picked) -> NDArray[np.intp] | int:
    return members if isinstance(members, int) else members[picked]
