"""What was counted, as points of OTLP: of counters, and of histograms in one of their two forms."""

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.aggregate import Snapshot
from llmvitals_collector.counters import CounterSnapshot
from llmvitals_collector.expose.slices import Slice, slices
from llmvitals_collector.expose.wire import double, integer, message, varint, varints, zigzag
from llmvitals_collector.grid import SCHEMA
from llmvitals_collector.histograms import HistogramSnapshot
from llmvitals_collector.labels import OVERFLOW_ROW
from llmvitals_collector.push.metric import ATTRIBUTES, START, TIME, Points, attributes, metric, points

_VALUE = 4
_COUNT, _SUM, _BUCKETS, _BOUNDS, _EXEMPLARS = 4, 5, 6, 7, 8
_SCALE, _ZERO_COUNT, _POSITIVE, _EXPONENTIAL_EXEMPLARS, _ZERO_THRESHOLD = 6, 7, 8, 11, 14
_OFFSET, _BUCKET_COUNTS = 1, 2
# An exemplar's time, value, span id and trace id, each behind its tag, and the ids behind their lengths.
_EXEMPLAR = struct.Struct("<BQBdBB8sBB16s")

_Series: TypeAlias = CounterSnapshot | HistogramSnapshot


class Window(NamedTuple):
    """The time that points tell of, in nanoseconds since the epoch.

    now: when everything was copied. since: when that was copied which was accepted last; 0 is never. earlier: that
    copy, where points are differences from it; None where they are sums since their label set came.
    """

    now: int
    since: int = 0
    earlier: Snapshot | None = None


def counted_points(snapshot: Snapshot, window: Window, exponential: bool) -> Iterator[Points]:
    """The points of all series that are shown, in pieces, of which each takes a millisecond or two.

    exponential: the form of those histograms that have it.
    """
    for place, series in enumerate(snapshot.series):
        kind, encode = _form(series, exponential)
        told = metric(series.family.name, series.family.help, kind, delta=window.earlier is not None)
        change = _Change(series, place, snapshot, window)
        names, texts = series.names, snapshot.label_sets[series.names].texts
        closed = tuple(name for name in series.family.labels if name not in names)
        members = [_attributes(kind, closed, member) for member in series.members]
        for some in slices(series):
            labels = [_attributes(kind, names, texts[row]) + members[member] for row, member in some.pairs()]
            yield points(told, encode(change, some, labels))


class _Change:
    """What was counted of a family within a window, and since when.

    Numbers are rounded before they are subtracted, so that differences add up to what a sum would be.
    """

    def __init__(self, series: _Series, place: int, snapshot: Snapshot, window: Window) -> None:
        self.series: Any = series
        self.window = window
        self._created = snapshot.label_sets[series.names].created
        self._before: Any = None
        if window.earlier:
            self._before = window.earlier.series[place]
            before = window.earlier.label_sets[series.names].created[: len(self._before.shown)]
            # A row that came anew has forgotten what it counted.
            self._goes_on = np.zeros(len(self._created), np.bool_)
            self._goes_on[: len(before)] = self._created[: len(before)] == before

    def of(self, read: Callable[[Any, Slice], NDArray[Any]], some: Slice) -> NDArray[Any]:
        """The numbers of some series; `read` takes them from a copy of all."""
        numbers = read(self.series, some)
        if self._before is None:
            return numbers
        goes_on = self._goes_on[some.rows]
        earlier = read(self._before, Slice(np.where(goes_on, some.rows, OVERFLOW_ROW), some.members))
        earlier[~goes_on] = 0
        difference: NDArray[Any] = numbers - earlier
        return difference

    def times(self, some: Slice) -> dict[int, NDArray[Any] | int]:
        """The fields of the times of some series' points."""
        created = np.rint(self._created[some.rows] * 1e9).astype(np.uint64)
        return {START: created if self._before is None else self.window.since, TIME: self.window.now}


def _form(series: _Series, exponential: bool) -> tuple[str, Callable[..., Iterator[bytes]]]:
    """The kind of a family's metric, and what writes its points."""
    if isinstance(series, CounterSnapshot):
        return "counter", _counters
    return ("exponential", _exponential) if exponential and len(series.grid.native) else ("histogram", _explicit)


def _counters(change: _Change, some: Slice, labels: list[bytes]) -> Iterator[bytes]:
    values = change.of(lambda counters, at: counters.cells[at.rows, at.members], some)
    fixed = _fixed(len(labels), {**change.times(some), _VALUE: values})
    return (label + each for label, each in zip(labels, fixed, strict=True))


def _explicit(change: _Change, some: Slice, labels: list[bytes]) -> Iterator[bytes]:
    grid = change.series.grid
    counts = change.of(_classic_counts, some)
    sums = change.of(_sums, some)
    fixed = _fixed(len(labels), {**change.times(some), _COUNT: counts.sum(axis=1), _SUM: sums})
    buckets = counts.astype("<u8")
    head = varint(_BUCKETS << 3 | 2) + varint(buckets[:1].nbytes)
    bounds = message(_BOUNDS, grid.bounds[grid.classic].astype("<f8").tobytes())
    # From the lowest value on, as Prometheus puts them into buckets.
    exemplars = _exemplars(change, some, _EXEMPLARS, "value")
    for place, (label, each, counted) in enumerate(zip(labels, fixed, buckets, strict=True)):
        yield label + each + head + counted.tobytes() + bounds + exemplars.get(place, b"")


def _exponential(change: _Change, some: Slice, labels: list[bytes]) -> Iterator[bytes]:
    grid = change.series.grid
    counts = change.of(_native_counts, some)
    sums = change.of(_sums, some)
    totals = {_COUNT: counts.sum(axis=1), _SUM: sums, _ZERO_COUNT: counts[:, 0]}
    fixed = _fixed(len(labels), {**change.times(some), **totals})
    positive = counts[:, 1:]
    filled = positive != 0
    first = filled.argmax(axis=1).tolist()
    last = np.where(filled.any(axis=1), filled.shape[1] - filled[:, ::-1].argmax(axis=1), 0).tolist()
    encoded = varints(positive)
    scale = integer(_SCALE, zigzag(SCHEMA)) + double(_ZERO_THRESHOLD, grid.zero_threshold)
    exemplars = _exemplars(change, some, _EXPONENTIAL_EXEMPLARS, "time")
    for place, (label, each) in enumerate(zip(labels, fixed, strict=True)):
        buckets = b""
        if last[place]:
            # Prometheus numbers a bucket by its upper bound, OTLP by its lower one.
            offset = integer(_OFFSET, zigzag(grid.first_native + first[place] - 1))
            body = encoded[place, first[place] : last[place]].tobytes()
            buckets = message(_POSITIVE, offset + message(_BUCKET_COUNTS, body))
        yield label + each + scale + buckets + exemplars.get(place, b"")


# Calls that stand for several may make fractions, and OTLP has whole numbers only. Each bucket is rounded on its own:
# differences of what is rounded when it is cumulative would fall at times.
def _classic_counts(histograms: HistogramSnapshot, at: Slice) -> NDArray[np.int64]:
    counts = histograms.counts(at.rows, at.members)
    return np.rint(histograms.grid.classic_counts(counts)).astype(np.int64)


def _native_counts(histograms: HistogramSnapshot, at: Slice) -> NDArray[np.int64]:
    counts = histograms.counts(at.rows, at.members)
    return np.rint(histograms.grid.native_counts(counts)).astype(np.int64)


def _sums(histograms: HistogramSnapshot, at: Slice) -> NDArray[np.float64]:
    return histograms.sums[at.rows, at.members]


def _fixed(rows: int, fields: Mapping[int, NDArray[Any] | int]) -> list[bytes]:
    """The fields of n messages that take eight bytes each, by number: float64 (n,), or whole numbers."""
    arrays = {number: np.asarray(values) for number, values in fields.items()}
    form = [
        (f"{number}", [("tag", "u1"), ("value", "<f8" if each.dtype.kind == "f" else "<u8")])
        for number, each in arrays.items()
    ]
    record = np.empty(rows, form)
    for number, values in arrays.items():
        record[f"{number}"]["tag"], record[f"{number}"]["value"] = number << 3 | 1, values
    return [each.tobytes() for each in record]


def _exemplars(change: _Change, some: Slice, field: int, order: str) -> dict[int, bytes]:
    """The exemplars that came within the window, of those of some histograms that have any; order: value or time."""
    kept = change.series.exemplars[:, some.rows, some.members]
    found: dict[int, set[tuple[float, bytes]]] = {}
    for slot, place in np.argwhere(kept["taken"] * 1e9 > change.window.since).tolist():
        value, (time, high, low, span), _ = kept[slot, place].item()
        ids = (0x22, 8, span.to_bytes(8, "big"), 0x2A, 16, high.to_bytes(8, "big") + low.to_bytes(8, "big"))
        encoded = _EXEMPLAR.pack(0x11, round(time * 1e9), 0x19, value, *ids)
        found.setdefault(place, set()).add((value if order == "value" else time, message(field, encoded)))
    return {place: b"".join(each for _, each in sorted(several)) for place, several in found.items()}


# As in expose/text.py: for as many label sets as fit into a few megabytes.
@lru_cache(maxsize=1 << 14)
def _attributes(kind: str, names: tuple[str, ...], values: tuple[str, ...]) -> bytes:
    return attributes(ATTRIBUTES[kind], zip(names, values, strict=True))
