"""The numbers behind the counters of one family."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals.semconv import Family
from llmvitals_collector.labels import OVERFLOW_ROW, LabelSets, grown
from llmvitals_collector.series import Members, Series


class Counters(Series):
    """The counters of one family: one for each label set and member.

    Members come in groups of `sizes`. All of a group appear with the first that is counted, the others as 0:
    Prometheus' increase() does not see the jump of a series that is born with its first event.

    cells: float64 (label sets, members). touched: bool (label sets, groups), what was ever counted.
    firsts: rows of label sets of which something was counted for the first time, until somebody takes them.
    """

    def __init__(self, family: Family, label_sets: LabelSets, members: Members, sizes: tuple[int, ...]) -> None:
        super().__init__(family, label_sets, members)
        self.groups = np.repeat(np.arange(len(sizes)), sizes)  # of the members
        self.cells = np.zeros((label_sets.capacity, len(members)))
        self.touched = np.zeros((label_sets.capacity, len(sizes)), np.bool_)
        self.firsts: set[int] = set()

    def add(
        self,
        rows: NDArray[np.intp],
        members: NDArray[np.intp] | int,
        groups: NDArray[np.intp] | int,
        amounts: NDArray[np.float64],
    ) -> None:
        """Add n amounts: arrays of shape (n,), or what is the same for all."""
        if len(self.cells) < self.label_sets.capacity:
            self.cells = grown(self.cells, self.label_sets.capacity)
            self.touched = grown(self.touched, self.label_sets.capacity)
        np.add.at(self.cells.reshape(-1), rows * len(self.members) + members, amounts)
        touched, places = self.touched.reshape(-1), rows * self.touched.shape[1] + groups
        before = touched.take(places)
        if not before.all():
            self.firsts.update(rows[~before].tolist())
            touched[places] = True
        self._overflow(rows == OVERFLOW_ROW, amounts)

    def all_first(self) -> None:
        """Take every label set for one of which something was counted for the first time."""
        self.firsts.update(np.flatnonzero(self.touched.any(axis=1)).tolist())

    def clear(self, rows: NDArray[np.intp]) -> None:
        rows = rows[rows < len(self.cells)]
        self.cells[rows] = 0
        self.touched[rows] = False

    def snapshot(self) -> "CounterSnapshot":
        rows = min(len(self.label_sets.texts), len(self.cells))
        shown = self.touched[:rows, self.groups]
        return CounterSnapshot(self.family, self.label_sets.names, self.members, self.cells[:rows].copy(), shown)


class CounterSnapshot(NamedTuple):
    """The counters of a family at one moment.

    names: of its open labels. cells: float64 (label sets, members). shown: bool, likewise, which exist for the outside.
    """

    family: Family
    names: tuple[str, ...]
    members: Members
    cells: NDArray[np.float64]
    shown: NDArray[np.bool_]
