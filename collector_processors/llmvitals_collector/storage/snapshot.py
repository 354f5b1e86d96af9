"""The state of the collector at a position of the journal, in a file that is there as a whole or not at all."""

import logging
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.storage.directory import (
    UNFINISHED,
    StorageError,
    numbered,
    path_of,
    unreadable,
    unwritable,
    write_whole,
)

_logger = logging.getLogger(__name__)

Parts: TypeAlias = Mapping[str, NDArray[Any] | bytes]

SUFFIX = ".snapshot"
VERSION = 1
_KEPT = 2
_MAGIC = b"LVS"
# Magic, version, length of the contents; a checksum of this and all that follows; the contents as JSON; the parts. The
# place and the extent of the checksum are those of every version, as what does not match it counts as damaged.
_FIELDS = struct.Struct("<3sBI")
_CHECKSUM = struct.Struct("<I")
_CONTENTS_AT = _FIELDS.size + _CHECKSUM.size


class _Part(msgspec.Struct):
    """What a part is. Without a dtype it is bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Snapshots:
    """The two newest snapshots; the older one is kept for the case that the newest gets damaged.

    position: the newest one's, damaged or not; 0 without any.
    size: bytes of all.
    damaged: how many read_newest() found damaged, and deleted.
    """

    def __init__(self, directory: Path) -> None:
        """Open the snapshots of a directory that nobody else writes to.

        Raises:
            StorageError: it cannot be written.
        """
        self._directory = directory
        self._sizes = {position: path.stat().st_size for position, path in numbered(directory, SUFFIX).items()}
        self.position = max(self._sizes, default=0)
        self.damaged = 0
        try:
            for path in directory.glob(f"*{UNFINISHED}"):
                path.unlink()
        except OSError as error:
            raise unwritable(directory, error) from error

    @property
    def size(self) -> int:
        return sum(self._sizes.values())

    @property
    def needed_from(self) -> int:
        """The position from which on the journal is needed, also if the newest snapshot gets damaged."""
        return min(self._sizes) if len(self._sizes) == _KEPT else 0

    def write(self, position: int, parts: Parts) -> None:
        """Write a snapshot, and delete the third newest.

        position: at least that of the newest one.
        parts: arrays of any shape and of a dtype without objects, or bytes; not to be changed meanwhile.

        Raises:
            StorageError: it is not written; the ones before are unharmed.
        """
        path = path_of(self._directory, position, SUFFIX)
        try:
            self._sizes[position] = write_whole(path, _encode(parts))
            self.position = position
            for old in sorted(self._sizes)[:-_KEPT]:
                path_of(self._directory, old, SUFFIX).unlink()
                del self._sizes[old]
        except OSError as error:
            raise unwritable(path, error) from error

    def discard(self) -> None:
        """Delete all of them.

        Raises:
            StorageError: one cannot be deleted.
        """
        try:
            for position in list(self._sizes):
                path_of(self._directory, position, SUFFIX).unlink()
                del self._sizes[position]
        except OSError as error:
            raise unwritable(self._directory, error) from error

    def read_newest(self) -> tuple[int, dict[str, NDArray[Any] | bytes]] | None:
        """The newest snapshot that is intact: its position, and its parts as they were given.

        Raises:
            StorageError: it cannot be read, or another version of llmvitals wrote it.
        """
        for position in sorted(self._sizes, reverse=True):
            path = path_of(self._directory, position, SUFFIX)
            try:
                data = path.read_bytes()
                if _is_intact(data):
                    return position, _decode(data, path)
                path.unlink()
            except OSError as error:
                raise unreadable(path, error) from error
            self.damaged += 1
            del self._sizes[position]
            _logger.error("%s is damaged, and deleted; the one before and the journal take its place", path)
        return None


def _encode(parts: Parts) -> list[bytes | memoryview]:
    described = [
        _Part(name, "", (len(part),)) if isinstance(part, bytes) else _Part(name, part.dtype.str, part.shape)
        for name, part in parts.items()
    ]
    pieces = [part if isinstance(part, bytes) else np.ascontiguousarray(part).data for part in parts.values()]
    contents = msgspec.json.encode(described)
    fields = _FIELDS.pack(_MAGIC, VERSION, len(contents))
    checksum = zlib.crc32(contents, zlib.crc32(fields))
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    return [fields, _CHECKSUM.pack(checksum), contents, *pieces]


def _is_intact(data: bytes) -> bool:
    if len(data) < _CONTENTS_AT or not data.startswith(_MAGIC):
        return False
    actual = zlib.crc32(memoryview(data)[_CONTENTS_AT:], zlib.crc32(data[: _FIELDS.size]))
    return data[_FIELDS.size : _CONTENTS_AT] == _CHECKSUM.pack(actual)


def _decode(data: bytes, path: Path) -> dict[str, NDArray[Any] | bytes]:
    _, version, length = _FIELDS.unpack_from(data)
    if version != VERSION:
        raise StorageError(f"{path} has format {version}, but this version of llmvitals reads format {VERSION}")
    at = _CONTENTS_AT + length
    parts: dict[str, NDArray[Any] | bytes] = {}
    for name, form, shape in map(msgspec.structs.astuple, msgspec.json.decode(data[_CONTENTS_AT:at], type=list[_Part])):
        dtype, count = np.dtype(form or np.uint8), int(np.prod(shape, dtype=np.int64))
        end = at + count * dtype.itemsize
        # A copy, as the caller's arrays are to be aligned, and to be written to.
        parts[name] = np.frombuffer(data[at:end], dtype).reshape(shape).copy() if form else data[at:end]
        at = end
    return parts
