"""Prometheus' protobuf format, the only one that has native histograms."""

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.counters import CounterSnapshot
from llmvitals_collector.expose.slices import Slice, slices
from llmvitals_collector.expose.wire import double, integer, message, text, varint, varints, zigzag
from llmvitals_collector.grid import SCHEMA, Grid
from llmvitals_collector.histograms import HistogramSnapshot
from llmvitals_collector.labels import LabelSetSnapshot

# Field numbers of https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
_FAMILY_NAME, _FAMILY_HELP, _FAMILY_TYPE, _FAMILY_METRIC = 1, 2, 3, 4
_TYPES = {"counter": 0, "histogram": 4}
_METRIC_LABEL, _METRIC_COUNTER, _METRIC_HISTOGRAM = 1, 3, 7
_PAIR_NAME, _PAIR_VALUE = 1, 2
_COUNTER_VALUE, _COUNTER_CREATED = 1, 3
_COUNT, _SUM, _BUCKET, _COUNT_FLOAT, _SCHEMA, _ZERO_THRESHOLD, _ZERO_COUNT, _ZERO_COUNT_FLOAT = 1, 2, 3, 4, 5, 6, 7, 8
_SPAN, _DELTAS, _COUNTS, _CREATED, _EXEMPLARS = 12, 13, 14, 15, 16
_BUCKET_COUNT, _BUCKET_BOUND, _BUCKET_EXEMPLAR = 1, 2, 3
_SPAN_OFFSET, _SPAN_LENGTH = 1, 2
_EXEMPLAR_LABEL, _EXEMPLAR_VALUE, _EXEMPLAR_TIME = 1, 2, 3
_SECONDS, _NANOSECONDS = 1, 2


class _Exemplar(NamedTuple):
    value: float
    time: float
    encoded: bytes


def pieces(series: CounterSnapshot | HistogramSnapshot, label_sets: LabelSetSnapshot) -> Iterator[bytes]:
    """A family as one message with its length before it, which is only known at the end: empty pieces come before."""
    family = series.family
    closed = tuple(name for name in family.labels if name not in label_sets.names)
    members = [_labels(closed, member) for member in series.members]
    body = [text(_FAMILY_NAME, family.name), text(_FAMILY_HELP, family.help)]
    body.append(integer(_FAMILY_TYPE, _TYPES[family.kind]))
    for some in slices(series):
        labels = [_labels(label_sets.names, label_sets.texts[row]) + members[member] for row, member in some.pairs()]
        created = [_timestamp(time) for time in label_sets.created[some.rows].tolist()]
        if isinstance(series, HistogramSnapshot):
            metrics = _histograms(series, some, labels, created)
        else:
            metrics = _counters(series, some, labels, created)
        body += (message(_FAMILY_METRIC, each) for each in metrics)
        yield b""
    whole = b"".join(body)
    yield varint(len(whole)) + whole


def _counters(counters: CounterSnapshot, some: Slice, labels: list[bytes], created: list[bytes]) -> Iterator[bytes]:
    values = counters.cells[some.rows, some.members].tolist()
    for each, value, born in zip(labels, values, created, strict=True):
        yield each + message(_METRIC_COUNTER, double(_COUNTER_VALUE, value) + message(_COUNTER_CREATED, born))


def _histograms(
    histograms: HistogramSnapshot, some: Slice, labels: list[bytes], created: list[bytes]
) -> Iterator[bytes]:
    grid = histograms.grid
    counted = histograms.counts(some.rows, some.members)
    # As in text: the classic buckets have whole numbers, also of calls that stand for a fraction more than one.
    rounded = np.rint(np.cumsum(counted, axis=1)).astype(np.int64)
    sums = histograms.sums[some.rows, some.members].tolist()
    exemplars = _exemplars(histograms, some)
    classic = _classic(grid.bounds[grid.classic], rounded[:, grid.classic], exemplars)
    native = _native(grid, counted, exemplars) if len(grid.native) else [b""] * len(labels)
    parts = zip(labels, rounded[:, -1].tolist(), sums, classic, native, created, strict=True)
    for each, count, sum_, buckets, spans, born in parts:
        body = integer(_COUNT, count) + double(_SUM, sum_) + buckets + spans + message(_CREATED, born)
        yield each + message(_METRIC_HISTOGRAM, body)


def _classic(
    bounds: NDArray[np.float64], counts: NDArray[np.int64], exemplars: dict[int, list[_Exemplar]]
) -> Iterator[bytes]:
    """The classic buckets of n histograms, the infinite one left out; counts: int64 (n, bounds), cumulative."""
    numbers = varints(counts)
    width = numbers.shape[-1] + 12
    # All buckets are equally long, so that they are written as one array: tag, length, tag, count, tag, bound.
    record = np.empty((*counts.shape, width), np.uint8)
    record[..., 0], record[..., 1], record[..., 2] = _BUCKET << 3 | 2, width - 2, _BUCKET_COUNT << 3
    record[..., 3:-9] = numbers
    record[..., -9] = _BUCKET_BOUND << 3 | 1
    record[..., -8:] = bounds.astype("<f8").view(np.uint8).reshape(-1, 8)
    uppers = bounds.tolist()
    for place, row in enumerate(record.reshape(len(counts), -1)):
        buckets = row.tobytes()
        # From the last on, so that the places of those before stay. The larger one is the one that stays in a bucket.
        marked = {bisect_left(uppers, each.value): each for each in exemplars.get(place, ())}
        for bucket in sorted(marked, reverse=True):
            start, end = bucket * width, (bucket + 1) * width
            if end <= len(buckets):
                with_exemplar = buckets[start + 2 : end] + message(_BUCKET_EXEMPLAR, marked[bucket].encoded)
                buckets = buckets[:start] + message(_BUCKET, with_exemplar) + buckets[end:]
        yield buckets


def _native(grid: Grid, counted: NDArray[np.float64], exemplars: dict[int, list[_Exemplar]]) -> Iterator[bytes]:
    """The native form of n histograms; counted: float64 (n, buckets of the grid)."""
    # Sums of counts that only rise never fall; differences of sums might, by a bit, which Prometheus would take for a
    # reset.
    summed = grid.native_counts(counted)
    zeros, counts = summed[:, 0].tolist(), summed[:, 1:]
    filled = counts != 0
    first = filled.argmax(axis=1)
    last = np.where(filled.any(axis=1), filled.shape[1] - filled[:, ::-1].argmax(axis=1), 0)
    # Counts are whole numbers, unless calls stand for several that are a fraction more.
    whole = (counted == np.rint(counted)).all(axis=1).tolist()
    totals = counted.sum(axis=1).tolist()
    steps: Any = np.diff(np.rint(counts).astype(np.int64), prepend=0)
    deltas = varints(steps << 1 ^ steps >> 63)
    head = integer(_SCHEMA, zigzag(SCHEMA)) + double(_ZERO_THRESHOLD, grid.zero_threshold)
    for place, (start, end, zero) in enumerate(zip(first.tolist(), last.tolist(), zeros, strict=True)):
        # One span from the first to the last bucket with something in it. A histogram without has an empty one, by
        # which it is known as native.
        span = _span(grid.first_native + start if end else 0, end - start)
        if whole[place]:
            spans = integer(_ZERO_COUNT, round(zero)) + span + message(_DELTAS, deltas[place, start:end].tobytes())
        else:
            spans = double(_COUNT_FLOAT, totals[place]) + double(_ZERO_COUNT_FLOAT, zero) + span
            spans += message(_COUNTS, counts[place, start:end].astype("<f8").tobytes())
        # Prometheus 3 wants them in the order of their times.
        told = sorted(exemplars.get(place, ()), key=lambda exemplar: exemplar.time)
        yield head + spans + b"".join(message(_EXEMPLARS, exemplar.encoded) for exemplar in told)


def _exemplars(histograms: HistogramSnapshot, some: Slice) -> dict[int, list[_Exemplar]]:
    """The exemplars of those histograms of a slice that have any; the largest one comes last."""
    found: dict[int, list[_Exemplar]] = {}
    kept = histograms.exemplars[:, some.rows, some.members]
    slots, places = np.nonzero(kept["taken"])
    for place, (value, (time, high, low, span), _) in zip(
        places[::-1].tolist(), kept[slots, places][::-1].tolist(), strict=True
    ):
        labels = _EXEMPLAR_LABELS % (b"%016x%016x" % (high, low), b"%016x" % span)
        encoded = labels + double(_EXEMPLAR_VALUE, value) + message(_EXEMPLAR_TIME, _timestamp(time))
        found.setdefault(place, []).append(_Exemplar(value, time, encoded))
    return found


@lru_cache(maxsize=1 << 12)
def _span(offset: int, length: int) -> bytes:
    return message(_SPAN, integer(_SPAN_OFFSET, zigzag(offset)) + integer(_SPAN_LENGTH, length))


@lru_cache(maxsize=1 << 12)
def _timestamp(time: float) -> bytes:
    seconds, rest = divmod(time, 1)
    return integer(_SECONDS, int(seconds)) + integer(_NANOSECONDS, int(rest * 1e9))


# As in text.py: for as many label sets as fit into a few megabytes.
@lru_cache(maxsize=1 << 14)
def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> bytes:
    return b"".join(message(_METRIC_LABEL, _pair(*each)) for each in zip(names, values, strict=True))


def _pair(name: str, value: str) -> bytes:
    return text(_PAIR_NAME, name) + text(_PAIR_VALUE, value)


# Ids are always equally long.
_EXEMPLAR_LABELS = b"".join(
    message(_EXEMPLAR_LABEL, _pair(name, "0" * length)).replace(b"0" * length, b"%s")
    for name, length in ((semconv.LABEL_TRACE_ID, 32), (semconv.LABEL_SPAN_ID, 16))
)
