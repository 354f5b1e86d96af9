"""The directory that keeps what must survive the collector, and belongs to one collector at a time."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

KEY = "storage.directory"  # of the configuration
UNFINISHED = ".unfinished"  # the suffix of a file that is being written
_LOCK = "lock"


class StorageError(Exception):
    """What is stored cannot be written, or not be trusted: one sentence, with the path."""


def unwritable(path: Path, error: OSError) -> StorageError:
    """The sentence for a failure of the operating system."""
    return StorageError(f"{KEY}: {path} cannot be written: {error.strerror or error}")


def unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{KEY}: {path} cannot be read: {error.strerror or error}")


def claim(directory: Path) -> int:
    """Create the directory if it is missing, and lock it until the file descriptor that this gives is closed.

    Raises:
        StorageError: it cannot be written, or another collector has it.
    """
    import fcntl  # here, as Windows has none, and a collector there can do without storage

    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unwritable(directory, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StorageError(f"{KEY}: {directory} is in use by another collector; each needs its own") from error
    except OSError as error:
        os.close(lock)
        raise StorageError(f"{KEY}: {directory} cannot be locked: {error.strerror}") from error
    return lock


def numbered(directory: Path, suffix: str) -> dict[int, Path]:
    """The files named by a number and this suffix, in the order of their numbers."""
    paths = [path for path in directory.glob(f"*{suffix}") if path.stem.isdecimal()]
    return dict(sorted((int(path.stem), path) for path in paths))


def path_of(directory: Path, number: int, suffix: str) -> Path:
    return directory / f"{number:016d}{suffix}"


def write_whole(path: Path, pieces: Iterable[bytes | memoryview]) -> int:
    """Write a file that is there as a whole or not at all, durable on return, and its owner's only; gives its size.

    Raises:
        OSError: it is not written; what was there before is unharmed.
    """
    unfinished = path.with_suffix(UNFINISHED)
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                file.write(piece)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_names(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    return size


def sync_names(directory: Path) -> None:
    """Make durable which files the directory has: a file that was synced can still lose its name.

    Raises:
        OSError: the names may be lost.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
