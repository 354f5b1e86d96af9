"""In which label sets the records of a batch are counted."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.columns import Columns
from llmvitals_collector.labels import LabelSets, LabelValues
from llmvitals_collector.measures import LABEL_COLUMNS

Names: TypeAlias = tuple[str, ...]

# Up to so many combinations of label values in a batch a table is faster than sorting.
_TABLE_SIZE = 1 << 18
# Above so many, they are numbered anew, by those that occur.
_MANY = 1 << 32
# So many combinations are remembered, in some 10 MB; then it begins anew.
REMEMBERED = 1 << 16


class Placing:
    """Finds the rows of one kind of records in all tables of label sets in which they are counted.

    It remembers those of each combination of label values that it met, as nearly all of a batch were met before: one
    look-up for each combination is then all that is done for it, in place of one in each table.
    """

    def __init__(self, values: Mapping[str, LabelValues], label_sets: Mapping[Names, LabelSets]) -> None:
        """values: by label, at least those of the label sets."""
        self._labels = [name for name in values if any(name in names for names in label_sets)]
        self._values = [values[name] for name in self._labels]
        self._label_sets = label_sets
        self._places = [[self._labels.index(name) for name in names] for names in label_sets]
        self.forget()

    def forget(self) -> None:
        """Look everything up again: rows were freed, or there is room where there was none."""
        self._rows: dict[bytes, NDArray[np.intp]] = {}

    def place(self, records: Columns, now: float) -> dict[Names, NDArray[np.intp]]:
        """The row of each of n records in each table, intp (n,), all of them seen now."""
        if not self._label_sets:
            return {}
        encoded = []
        keys, size = np.zeros(len(records), np.intp), 1
        for name, values in zip(self._labels, self._values, strict=True):
            column = LABEL_COLUMNS[name]
            if column not in records:
                encoded.append(np.full(len(records), values.code("")))
                continue
            codes, which = values.encode(records[column], records.strings)
            encoded.append(codes[which])
            keys += size * which
            size *= len(codes)
            if size > _MANY:
                _, keys = np.unique(keys, return_inverse=True)
                size = int(keys.max()) + 1
        first, which = _distinct(keys, size)
        found = self._find(np.stack([codes[first] for codes in encoded], axis=1), now)
        placed = {}
        for (names, label_sets), rows in zip(self._label_sets.items(), found.T, strict=True):
            label_sets.last_seen[rows] = now
            placed[names] = rows.take(which)
        return placed

    def _find(self, combinations: NDArray[np.intp], now: float) -> NDArray[np.intp]:
        """The rows of d combinations of codes, shape (d, labels), in each table: shape (d, tables)."""
        width, buffer = combinations[0].nbytes, combinations.tobytes()
        keys = [buffer[start : start + width] for start in range(0, len(buffer), width)]
        unknown = [place for place, key in enumerate(keys) if key not in self._rows]
        if unknown:
            if len(self._rows) + len(unknown) > REMEMBERED:
                self.forget()
                unknown = list(range(len(keys)))
            rows = self._look_up(combinations[unknown], now)
            self._rows.update(zip((keys[place] for place in unknown), rows, strict=True))
        return np.stack([self._rows[key] for key in keys])

    def _look_up(self, combinations: NDArray[np.intp], now: float) -> Iterable[NDArray[np.intp]]:
        tables = zip(self._label_sets.values(), self._places, strict=True)
        return np.stack([label_sets.rows(combinations[:, places], now) for label_sets, places in tables], axis=1)


def _distinct(keys: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each distinct key is first, and which of them each key is; they are below `size`."""
    if size > _TABLE_SIZE:
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        return first, which
    where = np.full(size, -1)
    where[keys[::-1]] = np.arange(len(keys))[::-1]
    there = np.flatnonzero(where >= 0)
    ranks = np.empty(size, np.intp)
    ranks[there] = np.arange(len(there))
    return where[there], ranks.take(keys)
