"""The format of the journal: entries one after the other, each with a header that shows whether it is intact."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from llmvitals_collector.storage.directory import StorageError

# Contiguous pieces of memory that make up one payload, in order.
Buffers: TypeAlias = Sequence[bytes | memoryview]

VERSION = 1
_MAGIC = b"LVJ"
# Magic, version, length of the payload, number of the entry, checksum of the payload; then the checksum of all this.
_FIELDS = struct.Struct("<3sBIQI")
_CHECKSUM = struct.Struct("<I")
HEADER_BYTES = _FIELDS.size + _CHECKSUM.size


class Entry(NamedTuple):
    """An intact entry. `end`: where the next one begins, in bytes from the start of the segment."""

    number: int
    payload: memoryview
    end: int


def header(number: int, buffers: Buffers) -> bytes:
    """The header of the entry with this number and payload."""
    length = checksum = 0
    for buffer in buffers:
        length += memoryview(buffer).nbytes
        checksum = zlib.crc32(buffer, checksum)
    fields = _FIELDS.pack(_MAGIC, VERSION, length, number, checksum)
    return fields + _CHECKSUM.pack(zlib.crc32(fields))


def entries(segment: bytes, first: int) -> Iterator[Entry]:
    """The intact entries of a segment, the first of which should have the number `first`.

    Numbers that are missing are those of damaged entries. A damaged payload is stepped over by its length. Only after a
    damaged header the next one is searched, and its number must be one that the bytes in between have room for: what
    looks like an entry may be a part of a payload.

    Raises:
        StorageError: another version of llmvitals wrote it.
    """
    view = memoryview(segment)
    intact = at = 0
    while 0 <= at <= len(segment) - HEADER_BYTES:
        _, version, length, number, checksum = _FIELDS.unpack_from(segment, at)
        end = at + HEADER_BYTES + length
        if not _is_header(segment, at) or not first <= number <= first + (at - intact) // HEADER_BYTES:
            at = segment.find(_MAGIC, at + 1)
            continue
        if version != VERSION:
            raise StorageError(
                f"the journal has format {version}, but this version of llmvitals reads format {VERSION}"
            )
        payload = view[at + HEADER_BYTES : end]
        if end <= len(segment) and zlib.crc32(payload) == checksum:
            yield Entry(number, payload, end)
            first, intact = number + 1, end
        at = end


def _is_header(segment: bytes, at: int) -> bool:
    checked = at + _FIELDS.size
    checksum = _CHECKSUM.pack(zlib.crc32(segment[at:checked]))
    return segment.startswith(_MAGIC, at) and segment.startswith(checksum, checked)
