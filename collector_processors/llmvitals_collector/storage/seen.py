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
_LEAST_ROW_BITS = 64 - _REST_BITS - 15  # row, print and rest are to make up the whole id
_TAKEN = np.uint16(1 << 15)  # the bit of a print that says that the slot holds an id
_SPILL_BITS = 20
_PIECE = 1 << 11  # ids that are looked up at once
_KNOWN = -1  # in place of a slot: the id was there
_SPILLED = -2  # in place of a slot: the id's row was full


class Seen:
    """The last `capacity` different ids of spans; the oldest is forgotten first.

    An id is 64 bits of a hash, and all 64 are compared: a new span is taken for a retry only where it shares them with
    one that is held, with a probability of capacity / 2**64. With the default that is one span in 1.8e13, or in three
    years at 200 000 a second. It does not matter how ids are spread, as they are multiplied by a secret odd number.

    A hash table, half full at most, in rows of 16 slots. An id is a row, a print of 15 bits and a rest of 32, and for a
    new one the prints of its row, 32 bytes, are all that is read. If the row is full, as for 1 in 200, the id goes to a
    dict. 20 MB by default, whatever comes. Not safe for concurrent use.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self.capacity = capacity
        self._row_bits = max((2 * capacity // _WAYS - 1).bit_length(), _LEAST_ROW_BITS)
        self._salt = secrets.randbits(64) | 1
        rows = 1 << self._row_bits
        self._prints = np.zeros((rows, _WAYS), np.uint16)  # 0 where the slot is free
        self._rests = np.zeros((rows, _WAYS), np.uint32)
        self._spilled: OrderedDict[int, None] = OrderedDict()  # oldest first
        self._spills = np.zeros(1 << _SPILL_BITS, np.uint16)  # how many of them begin with the same bits
        self._turns = np.zeros(rows, np.int32)  # scratch
        self._ring = np.zeros(capacity, np.int32)  # slots in the order in which they were taken
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, self.capacity)

    def new(self, ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of n ids are not held yet; from now on all are. Of equal ones the first is new. Shapes: (n,)."""
        fresh = np.empty(len(ids), np.bool_)
        size = min(_PIECE, self.capacity)
        for start in range(0, len(ids), size):
            piece = slice(start, start + size)
            slots = self._place(ids[piece] * np.uint64(self._salt))
            fresh[piece] = slots != _KNOWN
            self._age(slots[fresh[piece]])
        return fresh

    def contains(self, ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of n ids are held. Shapes: (n,)."""
        keys = ids * np.uint64(self._salt)
        held = self._in_rows(keys, self._prints.take(self._rows(keys), axis=0))
        spills = (keys >> np.uint64(64 - _SPILL_BITS)).view(np.int64)
        for place in np.flatnonzero(~held & (self._spills.take(spills) != 0)).tolist():
            held[place] = int(keys[place]) in self._spilled
        return held

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything, for restore()."""
        return {
            "prints": self._prints.copy(),
            "rests": self._rests.copy(),
            "spilled": np.fromiter(self._spilled, np.uint64, len(self._spilled)),
            "slots": np.roll(self._ring, -self._added)[self.capacity - len(self) :],
            "salt": np.array([self._salt], np.uint64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take in the ids of a state, also one of another capacity."""
        slots = state["slots"].astype(np.int64)
        rows = len(state["prints"])
        keys = (slots // _WAYS).astype(np.uint64) << np.uint64(64 - rows.bit_length() + 1)
        keys |= (state["prints"].reshape(-1)[slots] & ~_TAKEN).astype(np.uint64) << np.uint64(_REST_BITS)
        keys |= state["rests"].reshape(-1)[slots]
        keys[slots == _SPILLED] = state["spilled"]
        self.new(keys * np.uint64(pow(int(state["salt"][0]), -1, 1 << 64)))

    def _place(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give each key that is new a slot, or say that it is known."""
        rows = self._rows(keys)
        lines = self._prints.take(rows, axis=0)
        slots: NDArray[np.int64] = rows * _WAYS + (lines == 0).argmax(axis=1)
        slots[self._in_rows(keys, lines)] = _KNOWN
        # Of different keys in one row, the first of a batch takes the free slot, and the others spill.
        number = np.arange(len(keys))
        self._turns[rows[::-1]] = number[::-1]
        turns = self._turns.take(rows)
        later = turns != number
        slots[later & (keys[turns] == keys)] = _KNOWN
        full = self._prints.reshape(-1)[slots] != 0
        spills = keys >> np.uint64(64 - _SPILL_BITS)
        doubtful = (full | later | (self._spills.take(spills.view(np.int64)) != 0)) & (slots != _KNOWN)
        for place in np.flatnonzero(doubtful).tolist():
            key = int(keys[place])
            if key in self._spilled:
                slots[place] = _KNOWN
            elif full[place] or later[place]:
                slots[place] = _SPILLED
                self._spilled[key] = None
                self._spills[spills[place]] += 1
        taken = np.flatnonzero(slots >= 0)
        self._prints.reshape(-1)[slots[taken]] = _prints(keys[taken])
        self._rests.reshape(-1)[slots[taken]] = keys[taken].astype(np.uint32)
        return slots

    def _rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = (keys >> np.uint64(64 - self._row_bits)).view(np.int64)
        return rows

    def _in_rows(self, keys: NDArray[np.uint64], lines: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Which keys stand in their rows, of which `lines` are the prints."""
        match = lines == _prints(keys)[:, np.newaxis]
        halves = match.view(np.uint64)  # eight slots at a time: match.any(axis=1) takes five times as long
        found: NDArray[np.bool_] = (halves[:, 0] | halves[:, 1]) != 0
        if found.any():
            alike = np.flatnonzero(found)
            same = self._rests[self._rows(keys[alike])] == keys[alike].astype(np.uint32)[:, np.newaxis]
            found[alike] = (same & match[alike]).any(axis=1)
        return found

    def _age(self, slots: NDArray[np.int64]) -> None:
        """Note that these slots were taken, and free as many of the oldest as are too many."""
        places = np.arange(self._added, self._added + len(slots)) % self.capacity
        old = self._ring[places[max(self.capacity - self._added, 0) :]]
        spilled = old < 0
        if spilled.any():
            for _ in range(np.count_nonzero(spilled)):
                key, _ = self._spilled.popitem(last=False)
                self._spills[key >> (64 - _SPILL_BITS)] -= 1
            old = old[~spilled]
        self._prints.reshape(-1)[old] = 0
        self._ring[places] = slots
        self._added += len(slots)


def _prints(keys: NDArray[np.uint64]) -> NDArray[np.uint16]:
    return (keys >> np.uint64(_REST_BITS)).astype(np.uint16) | _TAKEN
