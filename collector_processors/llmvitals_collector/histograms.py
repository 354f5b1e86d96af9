"""The numbers behind the histograms of one family: exact counts, in memory only where something was counted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals.semconv import Family
from llmvitals_collector.counters import CounterSnapshot
from llmvitals_collector.exemplars import Exemplars
from llmvitals_collector.grid import Grid
from llmvitals_collector.labels import OVERFLOW_ROW, LabelSets, grown
from llmvitals_collector.series import Members, Series

# Most histograms have values in a few neighbouring buckets of some two hundred. So counts are kept in pages of this
# many buckets, of which a histogram has those that it needs: about a third of the memory of all of them.
_PAGE_BITS = 4
PAGE_BUCKETS = 1 << _PAGE_BITS
_NO_PAGE = 0


class Histograms(Series):
    """The histograms of one family: one for each label set and member.

    pages: float64 (pages, PAGE_BUCKETS), of which page 0 stays empty.
    index: int32 (label sets, members, pages of a grid), the place of each page of a histogram's in `pages`.
    sums: float64 (label sets, members), of all values.
    """

    def __init__(self, family: Family, label_sets: LabelSets, members: Members, grid: Grid) -> None:
        super().__init__(family, label_sets, members)
        self.grid = grid
        self.pages = np.zeros((1, PAGE_BUCKETS))
        self.index = np.zeros((label_sets.capacity, len(members), -(-len(grid) // PAGE_BUCKETS)), np.int32)
        self.sums = np.zeros((label_sets.capacity, len(members)))
        self.exemplars = Exemplars(label_sets.capacity, len(members))
        self._used = 1
        self._free: list[int] = []

    def cells(self, rows: NDArray[np.intp], members: NDArray[np.intp] | int) -> NDArray[np.intp]:
        """The place of n histograms in the arrays, flat (label set * members + member); room is made for them."""
        capacity = self.label_sets.capacity
        if len(self.sums) < capacity:
            self.index = grown(self.index, capacity)
            self.sums = grown(self.sums, capacity)
            self.exemplars.reserve(capacity)
        return rows if len(self.members) == 1 else rows * len(self.members) + members

    def count(self, cells: NDArray[np.intp], buckets: NDArray[np.intp], amounts: NDArray[np.float64]) -> None:
        """Count n values, each as many times as its amount says, in buckets of the grid: three arrays of shape (n,)."""
        pages = self._pages_at(cells * self.index.shape[-1] + (buckets >> _PAGE_BITS))
        flat = (pages << _PAGE_BITS) | (buckets & (PAGE_BUCKETS - 1))
        np.add.at(self.pages.reshape(-1), flat, amounts)
        self._overflow(cells < (OVERFLOW_ROW + 1) * len(self.members), amounts)

    def count_together(self, cells: NDArray[np.intp], counts: NDArray[np.float64]) -> None:
        """Count n distinct histograms' counts of all buckets: float64 (n, buckets of the grid)."""
        for page, start in enumerate(range(0, len(self.grid), PAGE_BUCKETS)):
            part = counts[:, start : start + PAGE_BUCKETS]
            filled = np.flatnonzero(part.any(axis=1))
            pages = self._pages_at(cells[filled] * self.index.shape[-1] + page)
            self.pages[pages, : part.shape[1]] += part[filled]
        self._overflow(cells < (OVERFLOW_ROW + 1) * len(self.members), counts.sum(axis=1))

    def add(self, cells: NDArray[np.intp], amounts: NDArray[np.float64]) -> None:
        """Add n amounts to the sums of the values: two arrays of shape (n,), in the unit of the family."""
        np.add.at(self.sums.reshape(-1), cells, amounts)

    def clear(self, rows: NDArray[np.intp]) -> None:
        rows = rows[rows < len(self.sums)]
        pages = self.index[rows]
        pages = pages[pages != _NO_PAGE]
        self.pages[pages] = 0
        self._free.extend(pages.tolist())
        self.index[rows] = _NO_PAGE
        self.sums[rows] = 0
        self.exemplars.clear(rows)

    def snapshot(self) -> "HistogramSnapshot":
        rows = min(len(self.label_sets.texts), len(self.sums))
        return HistogramSnapshot(
            self.family,
            self.label_sets.names,
            self.members,
            self.grid,
            self.index[:rows].copy(),
            self.pages[: self._used].copy(),
            self.sums[:rows].copy(),
            self.exemplars.kept[:, :rows].copy(),
        )

    def _pages_at(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """The pages at n places of the index, which are made where there are none."""
        index = self.index.reshape(-1)
        pages = index.take(places)
        if not pages.all():
            lacking = np.unique(places[pages == _NO_PAGE])
            index[lacking] = self._new_pages(len(lacking))
            pages = index.take(places)
        return pages.astype(np.intp)

    def _new_pages(self, number: int) -> NDArray[np.int32]:
        reused = [self._free.pop() for _ in range(min(number, len(self._free)))]
        start, self._used = self._used, self._used + number - len(reused)
        if self._used > len(self.pages):
            self.pages = grown(self.pages, 2 * self._used)
        return np.array([*reused, *range(start, self._used)], np.int32)


class HistogramSnapshot(NamedTuple):
    """The histograms of a family at one moment.

    names: of its open labels. places: the index of Histograms; the other arrays are as there, and as in Exemplars.
    """

    family: Family
    names: tuple[str, ...]
    members: Members
    grid: Grid
    places: NDArray[np.int32]
    pages: NDArray[np.float64]
    sums: NDArray[np.float64]
    exemplars: NDArray[np.void]

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Which histograms exist for the outside: bool (label sets, members)."""
        shown: NDArray[np.bool_] = np.any(self.places != _NO_PAGE, axis=-1)
        return shown

    def counts(self, rows: NDArray[np.intp], members: NDArray[np.intp]) -> NDArray[np.float64]:
        """The counts of n histograms in the buckets of the grid: float64 (n, buckets)."""
        return self.pages[self.places[rows, members]].reshape(len(rows), -1)[:, : len(self.grid)]

    def counters(self, family: Family) -> CounterSnapshot:
        """The sums, as counters of a family with the same labels."""
        return CounterSnapshot(family, self.names, self.members, self.sums, self.shown)

    def filled(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Every bucket with something in it: its histogram (flat: label set * members + member), place and count."""
        used = np.flatnonzero(self.places)
        owners = np.zeros(len(self.pages), np.intp)
        owners[self.places.reshape(-1)[used]] = used
        pages, buckets = np.nonzero(self.pages)
        histograms, nth = np.divmod(owners[pages], self.places.shape[-1])
        return histograms, nth * PAGE_BUCKETS + buckets, self.pages[pages, buckets]
