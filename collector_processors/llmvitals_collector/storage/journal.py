"""Everything that was acknowledged and is in no snapshot yet, in files that are only appended to."""

import logging
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Condition

from llmvitals_collector.storage.directory import (
    KEY,
    StorageError,
    numbered,
    path_of,
    sync_names,
    unreadable,
    unwritable,
)
from llmvitals_collector.storage.entries import Buffers, entries, header

_logger = logging.getLogger(__name__)

SUFFIX = ".journal"
_flush = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Journal:
    """Numbered entries, in segments that are named by the number of their first entry.

    A position is a number of entries: those before position p are 0 to p - 1. Opening cuts what follows the last intact
    entry: a write that a crash interrupted, of which nobody was told that it is safe.

    position: the end, and the number that the next entry gets.
    size: bytes in all segments.
    written: bytes that append() wrote.
    cut_bytes: what opening cut.
    lost_entries: how many entries replay() found damaged or missing.
    """

    def __init__(
        self, directory: Path, start: int = 0, max_bytes: int = 1 << 30, segment_bytes: int = 32 << 20
    ) -> None:
        """Open the journal of a directory that nobody else writes to.

        start: the least position; what is before it is in a snapshot, even if the journal lost it.
        max_bytes: the size beyond which append() refuses.
        segment_bytes: the size of a segment, unless a single entry is larger.

        Raises:
            StorageError: it cannot be read or written, or another version of llmvitals wrote it.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._changed = Condition()
        self._syncing = False
        self._failure = ""  # why nothing can be trusted to be written any more
        self.written = 0
        self.cut_bytes = 0
        self.lost_entries = 0
        self._sizes = {first: path.stat().st_size for first, path in numbered(directory, SUFFIX).items()}
        self._last = max(self._sizes, default=start)  # the segment that is appended to
        try:
            self._file = self._open(self._last)
            self.position = self._cut()
            if self.position < start:
                self._begin(start)
                self.position = start
        except OSError as error:
            raise unwritable(directory, error) from error
        self.size = sum(self._sizes.values())
        self._synced = self.position

    def append(self, buffers: Buffers) -> int:
        """Write an entry, of at most 1023 buffers, and give the position that sync() is to make durable.

        Not to be called twice at once.

        Raises:
            StorageError: the entry is not written: the disk or the journal is full, or the journal has failed for good.
        """
        self._check()
        entry = [header(self.position, buffers), *buffers]
        length = sum(memoryview(buffer).nbytes for buffer in entry)
        if self.size + length > self._max_bytes:
            raise StorageError(
                f"storage.max_bytes: the journal in {self._directory} is full: it has {self.size} bytes of "
                f"{self._max_bytes}, and {length} more are to be written"
            )
        try:
            if self._sizes[self._last] and self._sizes[self._last] + length > self._segment_bytes:
                self.sync(self.position)  # so that only the last segment can have a torn end
                self._begin(self.position)
            written = os.pwritev(self._file, entry, self._sizes[self._last])
            if written < length:
                raise OSError(f"only {written} of {length} bytes were taken")  # noqa: TRY301 - as any other failure
        except OSError as error:
            self._take_back()
            raise unwritable(self._directory, error) from error
        with self._changed:
            self._sizes[self._last] += length
            self.size += length
            self.written += length
            self.position += 1
            return self.position

    def sync(self, position: int) -> None:
        """Return once everything before the position is durable. One thread writes to the disk for all that wait.

        Raises:
            StorageError: it may be lost; the journal has failed for good.
        """
        with self._changed:
            while self._syncing and self._synced < position:
                self._changed.wait()
            if self._synced >= position:
                return
            self._check()
            self._syncing = True
            durable, end, file = self._synced, self.position, self._file
        try:
            _flush(file)
            durable = end
        except OSError as error:
            # The kernel may have dropped what it could not write, and a second attempt would succeed without it.
            self._fail(error)
        finally:
            with self._changed:
                self._syncing = False
                self._synced = durable
                self._changed.notify_all()
        self._check()

    def replay(self, position: int) -> Iterator[tuple[int, memoryview]]:
        """The payloads from a position on, each with the position after it. What is missing is counted and logged.

        Raises:
            StorageError: a segment cannot be read, or another version of llmvitals wrote it.
        """
        end = self.position
        for first, following in pairwise([*self._sizes, end]):
            if following <= position:
                continue
            for number, payload, _ in entries(self._read(first), first):
                if number >= position:
                    self._lose(position, number)
                    position = number + 1
                    yield position, payload
        self._lose(position, end)

    def drop(self, position: int) -> None:
        """Delete the segments of which every entry is before the position; may be called at any time.

        Raises:
            StorageError: one cannot be deleted.
        """
        with self._changed:
            for first, following in pairwise(list(self._sizes)):
                if following > position:
                    return
                try:
                    path_of(self._directory, first, SUFFIX).unlink(missing_ok=True)
                except OSError as error:
                    raise unwritable(self._directory, error) from error
                self.size -= self._sizes.pop(first)

    def close(self) -> None:
        """Close the file; what is not synced may be lost."""
        os.close(self._file)

    def _cut(self) -> int:
        """Cut the last segment after its last intact entry, and give the position there."""
        position, end = self._last, 0
        for number, _, end in entries(self._read(self._last), self._last):  # noqa: B007 - the last one counts
            position = number + 1
        self.cut_bytes = self._sizes[self._last] - end
        if self.cut_bytes:
            path = path_of(self._directory, self._last, SUFFIX)
            _logger.warning("%s: cut %d bytes without an intact entry, from byte %d on", path, self.cut_bytes, end)
            os.ftruncate(self._file, end)
            os.fsync(self._file)
            self._sizes[self._last] = end
        return position

    def _begin(self, first: int) -> None:
        """Go on in a new segment."""
        file = self._open(first)
        os.close(self._file)
        self._file, self._last = file, first

    def _open(self, first: int) -> int:
        file = os.open(path_of(self._directory, first, SUFFIX), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            sync_names(self._directory)
        except OSError as error:
            # Its file may be there or not, so that nothing may go to the segment before it any more.
            self._fail(error)
            os.close(file)
            raise
        self._sizes.setdefault(first, 0)
        return file

    def _read(self, first: int) -> bytes:
        path = path_of(self._directory, first, SUFFIX)
        try:
            return path.read_bytes()
        except OSError as error:
            raise unreadable(path, error) from error

    def _take_back(self) -> None:
        """Remove what a failed append left, which would otherwise stand before the next entry's end."""
        try:
            os.ftruncate(self._file, self._sizes[self._last])
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._failure = f"{KEY}: the journal in {self._directory} has failed, and needs a restart: {error.strerror}"

    def _check(self) -> None:
        if self._failure:
            raise StorageError(self._failure)

    def _lose(self, first: int, following: int) -> None:
        if first < following:
            self.lost_entries += following - first
            _logger.error("%s: the entries %d to %d are damaged or missing", self._directory, first, following - 1)
