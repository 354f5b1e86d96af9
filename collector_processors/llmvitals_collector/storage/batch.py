"""A batch of records as an entry of the journal: what is in its columns, and nothing of what was sent beside it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from llmvitals_collector.cache_lookups import CacheLookups
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns, Kind
from llmvitals_collector.results import Results
from llmvitals_collector.storage.entries import Buffers
from llmvitals_collector.tasks import Tasks

_RECORDS: Mapping[str, type[Columns]] = {
    "calls": Calls,
    "results": Results,
    "tasks": Tasks,
    "cache_lookups": CacheLookups,
}
_NAMES = {record: name for name, record in _RECORDS.items()}


class _Contents(msgspec.Struct):
    """What stands before the arrays: the record, its strings, and of each array the name, dtype and shape."""

    record: str
    strings: list[str]
    arrays: list[tuple[str, str, tuple[int, ...]]]


def packed(batch: Columns) -> Buffers:
    """A batch as one entry."""
    kept = {column.name: batch[column.name] for column in batch.decoded if column.kept and column.name in batch}
    texts = [column.name for column in batch.decoded if column.kind is Kind.TEXT and column.name in kept]
    # A request has strings that no call has, of which nothing is to be kept.
    used = np.zeros(len(batch.strings), np.bool_)
    used[0] = True
    for name in texts:
        used[kept[name]] = True
    codes = (np.cumsum(used) - 1).astype(np.int32)
    arrays = {name: codes[array] if name in texts else array for name, array in kept.items()}
    contents = _Contents(
        _NAMES[type(batch)],
        [text for text, is_used in zip(batch.strings, used.tolist(), strict=True) if is_used],
        [(name, array.dtype.str, array.shape) for name, array in arrays.items()],
    )
    head = msgspec.json.encode(contents)
    return [len(head).to_bytes(4, "little"), head, *(np.ascontiguousarray(array).data for array in arrays.values())]


def unpacked(payload: memoryview) -> Columns:
    """The batch of an entry that packed() made."""
    at = 4 + int.from_bytes(payload[:4], "little")
    contents = msgspec.json.decode(payload[4:at], type=_Contents)
    arrays: dict[str, Any] = {}
    for name, dtype, shape in contents.arrays:
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(payload, dtype, count, at).reshape(shape)
        at += arrays[name].nbytes
    return _RECORDS[contents.record](contents.strings, arrays)
