"""The numbers behind the series of one measure, in arrays with one row per label set."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals.semconv import Family
from llmvitals_collector.labels import OVERFLOW_ROW, LabelSets

# What a family's labels of a closed vocabulary may be, in the family's order: one array column for each.
Members: TypeAlias = tuple[tuple[str, ...], ...]


class Series(ABC):
    """The series of one measure: one for each label set and member.

    cells: float64 (label sets, members, width); what the last axis holds is the subclass's affair.
    touched: bool (label sets, members); what was ever counted or set.
    overflowed: how many values went to the overflow row.
    """

    def __init__(self, family: Family, label_sets: LabelSets, members: Members = ((),), width: int = 1) -> None:
        self.family = family
        self.label_sets = label_sets
        self.members = members
        self.width = width
        self.cells = np.zeros((1, len(members), width))
        self.touched = np.zeros((1, len(members)), np.bool_)
        self.overflowed = 0

    def add(self, rows: NDArray[np.intp], members: NDArray[Any], values: NDArray[Any]) -> None:
        """Count n values: three arrays of shape (n,), the values in the unit of the family."""
        self.reserve()
        cells = rows * len(self.members) + members
        self.touched.reshape(-1)[cells] = True
        self.overflowed += int(np.count_nonzero(rows == OVERFLOW_ROW))
        self._count(cells, values)

    def reserve(self) -> None:
        """Make room for every label set that is held by now."""
        held = len(self.touched)
        if held < len(self.label_sets.values):
            rows = min(2 * len(self.label_sets.values), self.label_sets.limit + 1)
            self.cells = np.concatenate([self.cells, np.zeros((rows - held, len(self.members), self.width))])
            self.touched = np.concatenate([self.touched, np.zeros((rows - held, len(self.members)), np.bool_)])

    def shown(self) -> NDArray[np.bool_]:
        """Which series exist for the outside. Shape: (label sets, members)."""
        return self.touched.copy()

    @abstractmethod
    def _count(self, cells: NDArray[np.intp], values: NDArray[Any]) -> None:
        """Count n values in the cells with these flat indices (label set * members + member)."""


class Amounts(Series):
    """Counters or gauges; a cell is one number."""

    def set(self, row: int, value: float) -> None:
        """Set a gauge that has no closed labels."""
        self.reserve()
        self.cells[row] = value
        self.touched[row] = True

    def shown(self) -> NDArray[np.bool_]:
        # All members of a label set appear with the first, as 0: Prometheus' increase() does not see
        # the jump of a series that is born with its first event.
        return np.broadcast_to(self.touched.any(axis=1, keepdims=True), self.touched.shape)

    def _count(self, cells: NDArray[np.intp], values: NDArray[Any]) -> None:
        np.add.at(self.cells.reshape(-1), cells, values)


class Histograms(Series):
    """Histograms; a cell is the count of each bucket (not cumulative, the last one unbounded), then the sum."""

    def __init__(self, family: Family, label_sets: LabelSets, members: Members = ((),)) -> None:
        super().__init__(family, label_sets, members, width=len(family.bounds) + 2)

    def _count(self, cells: NDArray[np.intp], values: NDArray[Any]) -> None:
        numbers = self.cells.reshape(-1)
        first = cells * self.width
        # A bound belongs to the bucket below it: `le` means less or equal.
        np.add.at(numbers, first + np.searchsorted(self.family.bounds, values, side="left"), 1)
        np.add.at(numbers, first + self.width - 1, values)


class Snapshot(NamedTuple):
    """A series' numbers at one moment, for whoever renders them."""

    series: Series
    cells: NDArray[np.float64]
    shown: NDArray[np.bool_]


def snapshot(series: Series) -> Snapshot:
    """Copy the numbers; the caller sees to it that nobody counts meanwhile."""
    return Snapshot(series, series.cells.copy(), series.shown())
