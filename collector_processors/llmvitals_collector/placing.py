"""In which label sets the records of a batch are counted."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.columns import Columns
from llmvitals_collector.labels import LabelSets, LabelValues
from llmvitals_collector.measures import LABEL_COLUMNS

Names: TypeAlias = tuple[str, ...]

# Up to so many combinations of label values in a batch a table is faster than sorting.
_TABLE_SIZE = 1 << 18
# So many combinations are remembered, in some 2 MB; then it begins anew.
REMEMBERED = 1 << 16
# Above every key.
_LAST = np.iinfo(np.intp).max


class Placing:
    """Finds the rows of records in all tables of label sets.

    It remembers those of each combination of label values that it met, as nearly all of a batch were met before: one
    search among sorted numbers is then all that is done for it, in place of a look-up in each table.
    """

    def __init__(self, values: Mapping[str, LabelValues], label_sets: Mapping[Names, LabelSets]) -> None:
        """values: by label, in the order of LABEL_COLUMNS."""
        self._values = values
        self._label_sets = label_sets
        labels = list(LABEL_COLUMNS)
        self._labels = [[labels.index(name) for name in names] for names in label_sets]
        # A combination is one number, as a label set is in LabelSets.
        self._digits = np.cumprod([1, *(each.limit + 1 for each in values.values())])[:-1]
        self.forget()

    def forget(self) -> None:
        """Look everything up again: rows were freed, or there is room where there was none."""
        self._keys = np.array([_LAST])
        self._rows = np.zeros((len(self._label_sets), 1), np.intp)

    def place(self, records: Columns, now: float) -> dict[Names, NDArray[np.intp]]:
        """The row of each of n records in each table, intp (n,), all of them seen now."""
        ranked, keys, size = [], np.zeros(len(records), np.intp), 1
        for name, values in self._values.items():
            codes, which = values.encode(records[LABEL_COLUMNS[name]], records.strings)
            keys += size * which
            size *= len(codes)
            ranked.append(codes)
        distinct, which = _distinct(keys, size)
        combinations = np.empty((len(distinct), len(ranked)), np.intp)
        for label, codes in enumerate(ranked):
            distinct, ranks = np.divmod(distinct, len(codes))
            combinations[:, label] = codes[ranks]
        placed = {}
        for (names, label_sets), rows in zip(self._label_sets.items(), self._find(combinations, now), strict=True):
            label_sets.last_seen[rows] = now
            placed[names] = rows.take(which)
        return placed

    def _find(self, combinations: NDArray[np.intp], now: float) -> NDArray[np.intp]:
        """The rows of d combinations of codes, shape (d, labels), in each table: shape (tables, d)."""
        keys = combinations @ self._digits
        places = self._keys.searchsorted(keys)
        unknown = self._keys.take(places) != keys
        if unknown.any():
            if len(self._keys) + np.count_nonzero(unknown) > REMEMBERED:
                self.forget()
                unknown[:] = True
            self._remember(keys[unknown], combinations[unknown], now)
            places = self._keys.searchsorted(keys)
        return self._rows.take(places, axis=1)

    def _remember(self, keys: NDArray[np.intp], combinations: NDArray[np.intp], now: float) -> None:
        tables = zip(self._label_sets.values(), self._labels, strict=True)
        rows = np.stack([label_sets.rows(combinations[:, labels], now) for label_sets, labels in tables])
        order = np.argsort(keys)
        places = self._keys.searchsorted(keys[order])
        self._keys = np.insert(self._keys, places, keys[order])
        self._rows = np.insert(self._rows, places, rows[:, order], axis=1)


def _distinct(keys: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The distinct keys, ascending, and which of them each one is; they are below `size`."""
    if size > _TABLE_SIZE:
        return np.unique(keys, return_inverse=True)
    there = np.zeros(size, np.bool_)
    there[keys] = True
    distinct = np.flatnonzero(there)
    ranks = np.empty(size, np.intp)
    ranks[distinct] = np.arange(len(distinct))
    return distinct, ranks.take(keys)
