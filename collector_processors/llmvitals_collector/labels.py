"""Label sets, interned: each has a row of its own in the arrays of its families, as long as there is room."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv

OVERFLOW_ROW = 0
OVERFLOW_CODE = 0
# Label values come from outside; longer ones are cut.
VALUE_CHARACTERS = 200


class LabelValues:
    """The values that one label has, each with a code, at most `limit`; code 0 stands for those that came after that.

    replaced: how many records had a value for which there was no room.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.texts = [semconv.OVERFLOW]
        self.replaced = 0
        self._codes = {semconv.OVERFLOW: OVERFLOW_CODE}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._codes) - 1

    def encode(self, column: NDArray[np.int32], strings: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The distinct codes in a batch, and which of them each record has.

        column: the place of each record's value in `strings`, int32 (n,).
        """
        amounts = np.bincount(column, minlength=len(strings))
        used = np.flatnonzero(amounts)
        codes = [self.code(strings[place]) for place in used.tolist()]
        # Values have a code each, but for those that found no room, and those that were cut to the same.
        ranks = {code: rank for rank, code in enumerate(dict.fromkeys(codes))}
        if OVERFLOW_CODE in ranks:
            self.replaced += int(amounts[used[np.array(codes) == OVERFLOW_CODE]].sum())
        amounts[used] = [ranks[code] for code in codes]
        return np.array(list(ranks), np.intp), amounts.take(column)

    def code(self, text: str) -> int:
        """The code of one value, which it is given now if it is new and there is room."""
        text = text[:VALUE_CHARACTERS]
        code = self._codes.get(text)
        if code is not None:
            return code
        if len(self) >= self.limit:
            return OVERFLOW_CODE
        if self._free:
            code = self._free.pop()
            self.texts[code] = text
        else:
            code = len(self.texts)
            self.texts.append(text)
        self._codes[text] = code
        return code

    def keep(self, codes: set[int]) -> None:
        """Forget all values but these."""
        for text, code in list(self._codes.items()):
            if code not in codes and code != OVERFLOW_CODE:
                del self._codes[text]
                self._free.append(code)


class LabelSets:
    """The label sets over one tuple of label names, at most `limit`; those that came after that are in row 0.

    texts: the values of each row, () where it is free.
    created, last_seen: float64 (capacity,), in seconds since the epoch.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        values: Mapping[str, LabelValues],
        limit: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.names = names
        self.limit = limit
        self.texts: list[tuple[str, ...]] = [(semconv.OVERFLOW,) * len(names)]
        self.created = np.array([clock()])
        self.last_seen = np.zeros(1)
        self.codes = np.zeros((1, len(names)), np.intp)
        self._values = [values[name] for name in names]
        self._rows = {(OVERFLOW_CODE,) * len(names): OVERFLOW_ROW}
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many label sets are held, the overflow row not counted."""
        return len(self._rows) - 1

    @property
    def capacity(self) -> int:
        """How many rows the arrays of the families must have."""
        return len(self.created)

    def rows(self, codes: NDArray[np.intp], now: float) -> NDArray[np.intp]:
        """The row of each label set, seen now. codes: of its values, shape (n, labels)."""
        keys = list(map(tuple, codes.tolist()))
        rows = np.array([self._rows.get(key, -1) for key in keys], np.intp)
        for place in np.flatnonzero(rows < 0).tolist():
            rows[place] = self._row(keys[place], codes[place], now)
        self.last_seen[rows] = now
        return rows

    def idle(self, since: float) -> NDArray[np.intp]:
        """The rows that were not seen since a time."""
        held = np.array([row for row in self._rows.values() if row != OVERFLOW_ROW], np.intp)
        return held[self.last_seen[held] < since]

    def snapshot(self) -> "LabelSetSnapshot":
        """Copy the rows; the caller sees to it that nobody adds any meanwhile."""
        rows = len(self.texts)
        return LabelSetSnapshot(self.names, self.texts.copy(), self.created[:rows].copy(), self.last_seen[:rows].copy())

    def forget(self, rows: NDArray[np.intp]) -> None:
        """Free rows for other label sets."""
        gone = set(rows.tolist())
        self._rows = {key: row for key, row in self._rows.items() if row not in gone}
        self._free.extend(gone)
        for row in gone:
            self.texts[row] = ()

    def restore(
        self, texts: Sequence[Sequence[str]], created: NDArray[np.float64], last_seen: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        """The rows, now, of label sets that a snapshot had; of its free rows, the overflow row."""
        held = [place for place, each in enumerate(texts) if each]
        codes = [[each.code(text) for each, text in zip(self._values, texts[place], strict=True)] for place in held]
        rows = np.full(len(texts), OVERFLOW_ROW)
        rows[held] = self.rows(np.array(codes, np.intp).reshape(len(held), len(self.names)), np.inf)
        # Where the limits are lower now, several have become one.
        self.last_seen[rows] = 0
        np.minimum.at(self.created, rows[held], created[held])
        np.maximum.at(self.last_seen, rows[held], last_seen[held])
        return rows

    def held(self) -> NDArray[np.intp]:
        """The rows of all label sets that are held."""
        return np.array(list(self._rows.values()), np.intp)

    def _row(self, key: tuple[int, ...], codes: NDArray[np.intp], now: float) -> int:
        row = self._rows.get(key)  # twice in a batch, the first time is the one that counts
        if row is not None:
            return row
        if len(self) >= self.limit:
            return OVERFLOW_ROW
        if self._free:
            row = self._free.pop()
        else:
            row = len(self.texts)
            self.texts.append(())
            self._reserve(row + 1)
        self.texts[row] = tuple(each.texts[code] for each, code in zip(self._values, codes.tolist(), strict=True))
        self.codes[row] = codes
        self.created[row] = now
        self._rows[key] = row
        return row

    def _reserve(self, rows: int) -> None:
        if rows > self.capacity:
            capacity = min(2 * rows, self.limit + 1)
            self.created = grown(self.created, capacity)
            self.last_seen = grown(self.last_seen, capacity)
            self.codes = grown(self.codes, capacity)


class LabelSetSnapshot(NamedTuple):
    """Label sets at one moment; the arrays are as in LabelSets, without rows to spare."""

    names: tuple[str, ...]
    texts: list[tuple[str, ...]]
    created: NDArray[np.float64]
    last_seen: NDArray[np.float64]


A = TypeVar("A", bound=NDArray[Any])


def grown(array: A, rows: int, axis: int = 0) -> A:
    """The array with more rows, which are 0; memory is only taken for rows that are written to."""
    shape = list(array.shape)
    shape[axis] = rows
    larger = np.zeros(shape, array.dtype)
    larger[(slice(None),) * axis + (slice(array.shape[axis]),)] = array
    return cast(A, larger)
