"""What was counted in each minute of the last hour, so that the page can show the last five and the trend."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals.semconv import Family
from llmvitals_collector.page.reading import Form, Held, Key, Reading

SLOT_SECONDS = 60.0
HOUR, RECENT = 3600.0, 300.0  # the windows that there are, in seconds
# A number that has risen takes 12 bytes: 24 MB in all. Above that the older minutes are put together.
MOST_CELLS = 2_000_000


class Risen(NamedTuple):
    """What has risen: at n places (the label set's code times the cells of a label set, plus the cell), by how much."""

    places: NDArray[np.int32]
    amounts: NDArray[np.float64]


class Slot(NamedTuple):
    """From `start` to `end`, in seconds since the epoch."""

    start: float
    end: float
    risen: dict[Family, Risen]

    @property
    def cells(self) -> int:
        return sum(len(each.places) for each in self.risen.values())


class Counted(NamedTuple):
    """What was counted in a family over some time: of each label set, float64 (label sets, cells)."""

    form: Form
    keys: Sequence[Key]
    values: NDArray[np.float64]


class _Codes:
    """A number for each label set; those that were not used for long are given to others."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self._codes: dict[Key, int] = {}
        self._used: list[float] = []
        self._free: list[int] = []

    def of(self, keys: Iterable[Key], at: float) -> NDArray[np.int64]:
        return np.array([self._code(key, at) for key in keys], np.int64)

    def forget(self, before: float) -> None:
        for key, code in list(self._codes.items()):
            if self._used[code] < before:
                del self._codes[key]
                self.keys[code] = ()
                self._free.append(code)

    def _code(self, key: Key, at: float) -> int:
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = self._free.pop() if self._free else len(self.keys)
            if code == len(self.keys):
                self.keys.append(())
                self._used.append(at)
            self.keys[code] = key
        self._used[code] = at
        return code


class History:
    """The last hour in slots of a minute: by the texts of the labels, as rows are given to others in time."""

    def __init__(self, first: Reading) -> None:
        """first: what had been counted before."""
        self._before = first
        self._slots: list[Slot] = []
        self._codes: defaultdict[Key, _Codes] = defaultdict(_Codes)

    def sample(self, now: Reading) -> None:
        """End a slot, and forget what is older than an hour."""
        self._slots.append(self._risen(now))
        self._before = now
        oldest = now.at - HOUR - SLOT_SECONDS
        self._slots = [slot for slot in self._slots if slot.end > oldest]
        self._thin(now.at)
        start = self._slots[0].start
        for codes in self._codes.values():
            codes.forget(start)

    def slots(self, now: Reading) -> list[Slot]:
        """The slots of the last hour; the last one has not ended yet."""
        return [*self._slots, self._risen(now)]

    def counted(self, family: Family, slots: Sequence[Slot]) -> Counted:
        """What was counted in these slots together."""
        form = self._before.held[family].form
        keys = self._codes[form.names].keys
        total = np.zeros((len(keys), form.width))
        for slot in slots:
            np.add.at(total.reshape(-1), *slot.risen[family])
        return Counted(form, keys, total)

    def by_slot(
        self, family: Family, slots: Sequence[Slot], wanted: Callable[[Key, Sequence[Key]], NDArray[np.bool_]]
    ) -> NDArray[np.float64]:
        """What was counted in each slot, of the label sets that are wanted together: float64 (slots, members, buckets).

        wanted: which of some label sets are, by the names of their labels and their values.
        """
        form = self._before.held[family].form
        kept = wanted(form.names, self._codes[form.names].keys)
        found = np.zeros((len(slots), form.width))
        for nth, slot in enumerate(slots):
            places, amounts = slot.risen[family]
            codes, cells = np.divmod(places, form.width)
            np.add.at(found[nth], cells, amounts * kept[codes])
        return found.reshape(len(slots), len(form.members), form.buckets)

    def _risen(self, now: Reading) -> Slot:
        risen = {}
        for family, held in now.held.items():
            more = _more(held, self._before.held[family])
            rows, cells = np.nonzero(more)
            distinct, nth = np.unique(rows, return_inverse=True)
            codes = self._codes[held.form.names].of((held.keys[row] for row in distinct.tolist()), now.at)
            places = (codes[nth] * held.form.width + cells).astype(np.int32)
            risen[family] = Risen(places, more[rows, cells])
        return Slot(self._before.at, now.at, risen)

    def _thin(self, now: float) -> None:
        """Keep within MOST_CELLS: neighbours become one, but for those of which the last five minutes consist."""
        while sum(slot.cells for slot in self._slots) > MOST_CELLS:
            old = [slot for slot in self._slots if slot.end < now - RECENT - SLOT_SECONDS]
            recent = self._slots[len(old) :]
            if len(old) > 1:
                self._slots = [_joined(old[place : place + 2]) for place in range(0, len(old), 2)] + recent
            elif len(self._slots) > 1:
                del self._slots[0]
            else:
                break


def last(slots: Sequence[Slot], seconds: float) -> Sequence[Slot]:
    """Those of the last so many seconds, to half a minute, and at least the one that has not ended yet."""
    begin = slots[-1].end - seconds - SLOT_SECONDS / 2
    return [slot for slot in slots[:-1] if slot.start >= begin] + [slots[-1]]


def _more(now: Held, before: Held) -> NDArray[np.float64]:
    """By how much each cell has risen; a row that counts anew began at 0."""
    rows = min(len(now.keys), len(before.keys))
    more = now.values.copy()
    same = now.created[:rows] == before.created[:rows]
    more[:rows] -= before.values[:rows] * same[:, None]
    return more


def _joined(slots: Sequence[Slot]) -> Slot:
    risen = {}
    for family in slots[0].risen:
        every, amounts = map(np.concatenate, zip(*(slot.risen[family] for slot in slots), strict=True))
        places, nth = np.unique(every, return_inverse=True)
        risen[family] = Risen(places, np.bincount(nth, amounts, len(places)).astype(np.float64))
    return Slot(slots[0].start, slots[-1].end, risen)
