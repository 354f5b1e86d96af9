"""Files of JSON lines that only grow: a crash may cut the last line, and no other."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def append(path: Path, records: Sequence[msgspec.Struct], *, sync: bool = False) -> None:
    """Write records at the end of a file, which is made for its owner only.

    sync: whether they survive a crash of the machine, if the file's name does.

    Raises:
        OSError: they may be lost, in part or all.
        ValueError: one of them cannot be written as JSON.
    """
    data = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    with open(path, "ab+", buffering=0, opener=_private) as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            data = data if file.read(1) == b"\n" else b"\n" + data
        if file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if sync:
            os.fsync(file.fileno())


def read(path: Path, form: type[S]) -> tuple[list[S], int]:
    """The records of a file, and how many lines of it are none.

    Raises:
        OSError: it cannot be read.
    """
    records, damaged = [], 0
    for line in path.read_bytes().split(b"\n"):
        try:
            records += [msgspec.json.decode(line, type=form)] if line.strip() else []
        except msgspec.MsgspecError:
            damaged += 1
    return records, damaged


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
