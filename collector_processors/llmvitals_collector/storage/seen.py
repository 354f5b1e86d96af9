"""Which spans were counted before, so that a client's retry is not counted again."""

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_CAPACITY = 1 << 20

_WAYS = 16  # slots of a row
_REST_BITS = 32
_REST = np.uint64((1 << _REST_BITS) - 1)
_LEAST_ROW_BITS = 64 - _REST_BITS - 15  # row, print and rest are to make up the whole id
_TAKEN = np.uint16(1 << 15)  # the bit of a print that says that the slot holds an id
_SPILL_BITS = 20
_PIECE = 1 << 11  # ids that are looked up at once
_ABSENT = -1  # in place of a slot: the id has none
# The place of the lowest bit of each number of 16 bits; of 0, which has none, it is 16.
_FIRST = np.full(1 << _WAYS, _WAYS, np.uint8)
for _bit in range(_WAYS):
    _FIRST[1 << _bit :: 2 << _bit] = _bit


class Seen:
    """The last `capacity` different ids of spans; the oldest is forgotten first.

    An id is 64 bits of a hash, and all 64 are compared: a new span is taken for a retry only where it shares them with
    one that is held, with a probability of capacity / 2**64. With the default that is one span in 1.8e13, or in three
    years at 200 000 a second. It does not matter how ids are spread, as they are multiplied by a secret odd number.

    A hash table, half full at most, in rows of 16 slots. An id is a row, a print of 15 bits and a rest of 32, and for a
    new one the prints of its row, 32 bytes, are all that is read. If the row is full, as for 1 in 200, the id goes to a
    dict. 28 MB by default, whatever comes. Not safe for concurrent use.

    With an id goes a mark, a number of 32 bits other than 0, which means whatever it means to who adds the id.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self.capacity = capacity
        self._row_bits = max((2 * capacity // _WAYS - 1).bit_length(), _LEAST_ROW_BITS)
        self._salt = secrets.randbits(64) | 1
        rows = 1 << self._row_bits
        # Behind all rows is one for what spills.
        self._prints = np.zeros((rows + 1, _WAYS), np.uint16)  # 0 where the slot is free
        self._rests = np.zeros((rows + 1, _WAYS), np.uint64)  # and the marks, in the upper half
        self._spill_slot = rows * _WAYS
        self._spilled: OrderedDict[int, int] = OrderedDict()  # the mark of each; oldest first
        self._spills = np.zeros(1 << _SPILL_BITS, np.uint16)  # how many of them begin with the same bits
        self._turns = np.zeros(rows, np.int32)  # scratch
        self._ring = np.zeros(capacity, np.int32)  # slots in the order in which they were taken
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, self.capacity)

    def new(self, ids: NDArray[np.uint64], marks: NDArray[np.uint32] | None = None) -> NDArray[np.bool_]:
        """Which of n ids are not held yet; from now on all are. Of equal ones the first is new. Shapes: (n,).

        marks: of those that are new, by default 1.
        """
        fresh = np.empty(len(ids), np.bool_)
        if marks is None:
            marks = np.ones(len(ids), np.uint32)
        size = min(_PIECE, self.capacity)
        for start in range(0, len(ids), size):
            piece = slice(start, start + size)
            fresh[piece] = self._add(ids[piece] * np.uint64(self._salt), marks[piece])
        return fresh

    def contains(self, ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of n ids are held. Shapes: (n,)."""
        held: NDArray[np.bool_] = self.marks(ids) != 0
        return held

    def marks(self, ids: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """The marks of n ids, 0 for those that are not held. Shapes: (n,)."""
        keys = ids * np.uint64(self._salt)
        rows = self._rows(keys)
        slots = self._find(keys, rows, self._prints.take(rows, axis=0))
        held = slots != _ABSENT
        marks = np.zeros(len(ids), np.uint32)
        marks[held] = self._rests.reshape(-1)[slots[held]] >> np.uint64(_REST_BITS)
        for place in np.flatnonzero(~held & self._may_be_spilled(keys)).tolist():
            marks[place] = self._spilled.get(int(keys[place]), 0)
        return marks

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything, for restore()."""
        return {
            "prints": self._prints.copy(),
            "rests": self._rests.copy(),
            "spilled": np.fromiter(self._spilled, np.uint64, len(self._spilled)),
            "spilled_marks": np.fromiter(self._spilled.values(), np.uint32, len(self._spilled)),
            "slots": np.roll(self._ring, -self._added)[self.capacity - len(self) :],
            "salt": np.array([self._salt], np.uint64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take in the ids of a state, also one of another capacity."""
        slots = state["slots"].astype(np.int64)
        rows = len(state["prints"]) - 1
        rests = state["rests"].reshape(-1)[slots]
        keys = (slots // _WAYS).astype(np.uint64) << np.uint64(64 - rows.bit_length() + 1)
        keys |= (state["prints"].reshape(-1)[slots] & ~_TAKEN).astype(np.uint64) << np.uint64(_REST_BITS)
        keys |= rests.astype(np.uint32)
        marks = (rests >> np.uint64(_REST_BITS)).astype(np.uint32)
        spilled = slots == rows * _WAYS
        keys[spilled], marks[spilled] = state["spilled"], state["spilled_marks"]
        self.new(keys * np.uint64(pow(int(state["salt"][0]), -1, 1 << 64)), marks)

    def _add(self, keys: NDArray[np.uint64], marks: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Give each key that is new a slot; returns which are."""
        rows = self._rows(keys)
        lines = self._prints.take(rows, axis=0)
        free = _FIRST[_bits(lines == 0)]
        slots = rows * _WAYS + free
        fresh: NDArray[np.bool_] = self._find(keys, rows, lines) == _ABSENT
        # Of different keys in one row, the first of a batch takes the free slot, and the others spill.
        number = np.arange(len(keys))
        self._turns[rows[::-1]] = number[::-1]
        turns = self._turns.take(rows)
        later = turns != number
        fresh[later & (keys[turns] == keys)] = False
        spill = later | (free == _WAYS)
        doubtful = np.flatnonzero((spill | self._may_be_spilled(keys)) & fresh)
        told = (doubtful.tolist(), keys[doubtful].tolist(), marks[doubtful].tolist())
        for place, key, mark in zip(*told, strict=True):
            if key in self._spilled:
                fresh[place] = False
            elif spill[place]:
                slots[place] = self._spill_slot
                self._spilled[key] = mark
                self._spills[key >> (64 - _SPILL_BITS)] += 1
        if not fresh.all():
            keys, marks, slots = keys[fresh], marks[fresh], slots[fresh]
        self._age(slots)
        self._prints.reshape(-1)[slots] = _prints(keys)
        self._rests.reshape(-1)[slots] = keys & _REST | marks.astype(np.uint64) << np.uint64(_REST_BITS)
        return fresh

    def _rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = (keys >> np.uint64(64 - self._row_bits)).view(np.int64)
        return rows

    def _find(self, keys: NDArray[np.uint64], rows: NDArray[np.int64], lines: NDArray[np.uint16]) -> NDArray[np.int64]:
        """The slot of each key in its row, of which `lines` are the prints; _ABSENT where it has none."""
        found = np.full(len(keys), _ABSENT)
        alike = _bits(lines == _prints(keys)[:, np.newaxis])
        left = np.flatnonzero(alike)
        while len(left):
            bits = alike[left]
            slots = rows[left] * _WAYS + _FIRST[bits]
            same = self._rests.reshape(-1)[slots].astype(np.uint32) == keys[left].astype(np.uint32)
            found[left[same]] = slots[same]
            alike[left] = bits & (bits - 1)
            left = left[~same & (alike[left] != 0)]
        return found

    def _may_be_spilled(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        may_be: NDArray[np.bool_] = self._spills.take((keys >> np.uint64(64 - _SPILL_BITS)).view(np.int64)) != 0
        return may_be

    def _age(self, slots: NDArray[np.int64]) -> None:
        """Note that these slots were taken, and free as many of the oldest as are too many."""
        while len(slots):
            place = self._added % self.capacity
            turn = self._ring[place : place + len(slots)]
            if self._added >= self.capacity:
                self._forget(turn)
            turn[:] = slots[: len(turn)]
            self._added += len(turn)
            slots = slots[len(turn) :]

    def _forget(self, slots: NDArray[np.int32]) -> None:
        """Free the oldest slots."""
        for _ in range(np.count_nonzero(slots == self._spill_slot)):
            key, _ = self._spilled.popitem(last=False)
            self._spills[key >> (64 - _SPILL_BITS)] -= 1
        self._prints.reshape(-1)[slots] = 0


def _prints(keys: NDArray[np.uint64]) -> NDArray[np.uint16]:
    return (keys >> np.uint64(_REST_BITS)).astype(np.uint16) | _TAKEN


def _bits(rows: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Each row of 16 as one number, the first as its lowest bit. Shapes: (n, 16), (n,)."""
    # One operation on all of them: rows.any(axis=1) and rows.argmax(axis=1) take many times as long.
    bits: NDArray[np.uint16] = np.packbits(rows, bitorder="little").view("<u2")
    return bits
