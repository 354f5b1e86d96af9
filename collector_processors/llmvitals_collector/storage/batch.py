"""Entries of the journal: a batch of records, without the texts of messages, or a range of Kafka's that waits."""

import math
from collections.abc import Mapping
from itertools import accumulate, chain
from typing import Any

import msgspec
import numpy as np

from llmvitals_collector.cache_lookups import CacheLookups
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns, Kind
from llmvitals_collector.results import Results
from llmvitals_collector.storage.entries import Buffers
from llmvitals_collector.storage.prepared import OffsetRange, Prepared, Settled
from llmvitals_collector.tasks import Tasks

_RECORDS: Mapping[str, type[Columns]] = {
    "calls": Calls,
    "results": Results,
    "tasks": Tasks,
    "cache_lookups": CacheLookups,
}
_NAMES = {record: name for name, record in _RECORDS.items()}


class _Head(msgspec.Struct, omit_defaults=True):
    """What an entry begins with.

    Of a batch: the record, its strings, and of each array that follows the name, dtype and shape.
    Of a range: which, the bytes of each of the batches that follow, and once it is settled, whether it counts.
    """

    record: str = ""
    strings: list[str] = []
    arrays: list[tuple[str, str, tuple[int, ...]]] = []
    range: OffsetRange | None = None
    sizes: list[int] = []
    counts: bool | None = None


def packed(batch: Columns, *, kept: bool = True) -> Buffers:
    """A batch as one entry; kept: whether of the columns that the journal has, or of the others."""
    columns = {
        column.name: batch[column.name] for column in batch.decoded if column.kept is kept and column.name in batch
    }
    texts = [column.name for column in batch.decoded if column.kind is Kind.TEXT and column.name in columns]
    # A request has strings that no call has, of which nothing is to be kept.
    used = np.zeros(len(batch.strings), np.bool_)
    used[0] = True
    if texts:
        # All at once: for so few rows each of numpy's steps costs more than its work.
        told = np.stack([columns[name] for name in texts])
        used[told] = True
        codes = (np.cumsum(used) - 1).astype(np.int32)
        columns |= dict(zip(texts, codes[told], strict=True))
    head = _Head(
        _NAMES[type(batch)],
        [text for text, is_used in zip(batch.strings, used.tolist(), strict=True) if is_used],
        [(name, array.dtype.str, array.shape) for name, array in columns.items()],
    )
    return [*_encoded(head), *(np.ascontiguousarray(array).data for array in columns.values())]


def packed_range(of: Prepared | Settled) -> Buffers:
    """A range with its batches, or what became of it, as one entry."""
    if isinstance(of, Settled):
        return _encoded(_Head(range=of.range, counts=of.counts))
    batches = [packed(batch) for batch in of.batches]
    sizes = [sum(memoryview(buffer).nbytes for buffer in batch) for batch in batches]
    return [*_encoded(_Head(range=of.range, sizes=sizes)), *chain.from_iterable(batches)]


def unpacked(payload: memoryview) -> Columns | Prepared | Settled:
    """What packed() or packed_range() made an entry of."""
    head, at = _decoded(payload)
    if not head.range:
        return _batch(head, at, payload)
    if head.counts is not None:
        return Settled(head.range, head.counts)
    starts = accumulate(head.sizes, initial=at)
    parts = (payload[start : start + size] for size, start in zip(head.sizes, starts, strict=False))
    return Prepared(head.range, [unpacked_batch(part) for part in parts])


def unpacked_batch(payload: memoryview) -> Columns:
    """What packed() made an entry of."""
    return _batch(*_decoded(payload), payload)


def _batch(head: _Head, at: int, payload: memoryview) -> Columns:
    arrays: dict[str, Any] = {}
    for name, dtype, shape in head.arrays:
        array = np.frombuffer(payload, dtype, math.prod(shape), at)
        arrays[name] = array if len(shape) == 1 else array.reshape(shape)
        at += arrays[name].nbytes
    return _RECORDS[head.record](head.strings, arrays)


def _encoded(head: _Head) -> list[bytes]:
    encoded = msgspec.json.encode(head)
    return [len(encoded).to_bytes(4, "little"), encoded]


def _decoded(payload: memoryview) -> tuple[_Head, int]:
    """The head of an entry, and where it ends."""
    at = 4 + int.from_bytes(payload[:4], "little")
    return msgspec.json.decode(payload[4:at], type=_Head), at
