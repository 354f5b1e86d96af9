"""What the collector keeps on disk, so that what was acknowledged is counted exactly once, whatever happens.

Settings, under `storage`:

    directory:                      where; created if it is missing. Without one nothing is kept
    max_bytes: 1073741824           of the journal, 33554432 to 1099511627776; snapshots need room beside it

A batch is appended to the journal, applied to the state, and acknowledged once the journal is synced. A snapshot holds
the state at one position of the journal, with what tells retries apart. A restart takes it, and applies what follows in
the journal. A snapshot is due whenever the journal has grown by a quarter of `max_bytes`.
"""

import logging
import os
import time
from pathlib import Path
from threading import Thread
from typing import Annotated

import msgspec

from llmvitals_collector.storage.directory import StorageError, claim
from llmvitals_collector.storage.journal import Journal
from llmvitals_collector.storage.prepared import OffsetRange, Prepared, Ranges, Settled
from llmvitals_collector.storage.snapshot import Parts, Snapshots

__all__ = [
    "Journal",
    "OffsetRange",
    "Parts",
    "Prepared",
    "Ranges",
    "Settled",
    "Snapshots",
    "Storage",
    "StorageConfig",
    "StorageError",
]

_logger = logging.getLogger(__name__)

StorageBytes = Annotated[
    int,
    msgspec.Meta(ge=32 << 20, le=1 << 40, description="a whole number of bytes from 33554432 to 1099511627776"),
]


class StorageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept on disk, so that what was acknowledged counts exactly once, whatever happens.

    Attributes:
        directory: where; it is created if it is missing. Without one nothing is kept.
        journal: whether each batch is on disk before it is acknowledged. Without, everything is kept when the collector
            stops in an orderly way, and a crash loses what was counted since its start.
        max_bytes: of the journal; snapshots need room beside it.
    """

    directory: str = ""
    journal: bool = True
    max_bytes: StorageBytes = 1 << 30


class Storage:
    """The journal and the snapshots of one directory, which is locked until close().

    journals: whether batches are to be appended to the journal.
    failed_snapshots: how many could not be written.
    saved_at: when the last one was, in seconds since the epoch; 0 is never.
    """

    def __init__(self, config: StorageConfig) -> None:
        """Open the directory.

        Raises:
            StorageError: another collector has it, it cannot be written, or another version of llmvitals wrote it.
        """
        directory = Path(config.directory)
        self._lock = claim(directory)
        try:
            self.snapshots = Snapshots(directory)
            self.journal = Journal(
                directory, self.snapshots.position, config.max_bytes, min(32 << 20, config.max_bytes // 16)
            )
        except BaseException:
            os.close(self._lock)
            raise
        self.journals = config.journal
        self.failed_snapshots = 0
        self.saved_at = 0.0
        self._closed = False
        self._saving: Thread | None = None
        self._step = config.max_bytes // 4
        # What an earlier run left in the journal counts, whether or not a snapshot has it already.
        self._due_at = self._step - self.journal.size

    @property
    def due(self) -> bool:
        """Whether it is time for a snapshot, and none is being written."""
        return self.journal.written >= self._due_at and not (self._saving and self._saving.is_alive())

    def save(self, position: int, parts: Parts) -> None:
        """Begin to write a snapshot, then to delete what the journal has twice. Waits for the one before.

        A failure is counted and logged; the journal then has everything, and the next snapshot is due sooner.

        position: how far the journal is applied in the state that the parts are a copy of.
        """
        self.wait()
        self._due_at = self.journal.written + self._step
        self._saving = Thread(target=self._save, args=(position, parts), name="snapshot")
        self._saving.start()

    def wait(self) -> None:
        """Wait for the snapshot that is being written."""
        if self._saving:
            self._saving.join()

    def close(self) -> None:
        """Wait for the snapshot that is being written, make the journal durable, and let go of the directory.

        Safe to call twice.

        Raises:
            StorageError: the end of the journal may be lost; the directory is let go of all the same.
        """
        self.wait()
        if self._closed:
            return
        self._closed = True
        try:
            self.journal.sync(self.journal.position)
        finally:
            self.journal.close()
            os.close(self._lock)

    def _save(self, position: int, parts: Parts) -> None:
        try:
            # Else the power could fail between the two, and what only the snapshot has would be lost with it.
            self.journal.sync(position)
            self.snapshots.write(position, parts)
            self.saved_at = time.time()
            self.journal.drop(self.snapshots.needed_from)
        except StorageError as error:
            self.failed_snapshots += 1
            self._due_at = self.journal.written + self._step // 8
            _logger.error("no snapshot at position %d: %s", position, error)  # noqa: TRY400 - the sentence says it
