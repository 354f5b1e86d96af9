"""In which label sets the records of a batch are counted."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.columns import Columns
from llmvitals_collector.labels import LabelSets, LabelValues, grown
from llmvitals_collector.measures import LABEL_COLUMNS

Names: TypeAlias = tuple[str, ...]
Mask: TypeAlias = NDArray[np.bool_]
# Some of n records: their places, or all of them without a copy.
Picked: TypeAlias = NDArray[np.intp] | slice

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
        self._tables = {names: place for place, names in enumerate(label_sets)}
        self._places = [[self._labels.index(name) for name in names] for names in label_sets]
        self.forget()

    def forget(self) -> None:
        """Look everything up again: rows were freed, or there is room where there was none."""
        self._numbers: dict[bytes, int] = {}
        # Of each combination in each table: one more than its row, 0 where it was not counted yet.
        self._rows = np.zeros((0, len(self._tables)), np.intp)

    def place(self, records: Columns, now: float) -> "Placed":
        """Have n records placed, all of them seen now."""
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
        combinations = np.stack([codes[first] for codes in encoded], axis=1)
        return Placed(self, combinations, self._number(combinations), which, now)

    def rows(
        self, names: Names, combinations: NDArray[np.intp], numbers: NDArray[np.intp], counted: Mask, now: float
    ) -> NDArray[np.intp]:
        """The rows of d combinations of codes, shape (d, labels), in a table; -1 of what was never counted there.

        numbers: of the combinations. counted: which of them are now, bool (d,).
        """
        table, label_sets = self._tables[names], self._label_sets[names]
        rows: NDArray[np.intp] = self._rows[numbers, table] - 1
        lacking = np.flatnonzero(counted & (rows < 0))
        if len(lacking):
            rows[lacking] = label_sets.rows(combinations[lacking][:, self._places[table]], now)
            self._rows[numbers[lacking], table] = rows[lacking] + 1
        label_sets.last_seen[rows[rows >= 0]] = now
        return rows

    def _number(self, combinations: NDArray[np.intp]) -> NDArray[np.intp]:
        """The number of each of d combinations of codes, shape (d, labels), in what is remembered."""
        width, buffer = combinations[0].nbytes, combinations.tobytes()
        keys = [buffer[start : start + width] for start in range(0, len(buffer), width)]
        if len(self._numbers) + sum(key not in self._numbers for key in keys) > REMEMBERED:
            self.forget()
        numbers = np.array([self._numbers.setdefault(key, len(self._numbers)) for key in keys], np.intp)
        if len(self._numbers) > len(self._rows):
            self._rows = grown(self._rows, 2 * len(self._numbers))
        return numbers


class Placed:
    """A batch of n records: each has a row where it counts, and takes none in the other tables."""

    def __init__(
        self,
        placing: Placing,
        combinations: NDArray[np.intp],
        numbers: NDArray[np.intp],
        which: NDArray[np.intp],
        now: float,
    ) -> None:
        """which: of the d combinations of codes each record has, intp (n,)."""
        self._placing = placing
        self._combinations = combinations
        self._numbers = numbers
        self._which = which
        self._now = now
        self._rows: dict[Names, NDArray[np.intp]] = {}

    def rows(self, names: Names, picked: Picked) -> NDArray[np.intp]:
        """The rows of those records that are counted in a table."""
        rows = self._rows.get(names)
        if rows is None or (rows[picked] < 0).any():
            counted = np.zeros(len(self._numbers), np.bool_)
            counted[self._which[picked]] = True
            of_combinations = self._placing.rows(names, self._combinations, self._numbers, counted, self._now)
            rows = self._rows[names] = of_combinations.take(self._which)
        return rows[picked]


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
