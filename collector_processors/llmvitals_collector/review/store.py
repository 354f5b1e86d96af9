"""The answers that wait for people: a file for each day, kept for as long as a review may take."""

import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llmvitals_collector.review import lines
from llmvitals_collector.review.item import TAIL, Item

_logger = logging.getLogger(__name__)

_FILE = re.compile(r"\d{4}-\d\d-\d\d\.jsonl")


class ReviewStore:
    """A directory of items. One thread of one process adds; others may read meanwhile.

    keep_days: how many days, by UTC, an item stays after that on which it came; then its content is deleted.
    max_items_per_day: later ones are lost, so that content can't fill the disk. What is only to be read may take half
        of the room: the rest is for what is drawn, as else a rate would be that of each day's first hours.
    clock: gives seconds since the epoch.

    Items hold what users wrote: files are for their owner only.
    """

    def __init__(
        self,
        directory: Path,
        keep_days: int = 30,
        max_items_per_day: int = 10_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lost = 0
        """Items that could not be kept, or were too many; not those that are only to be read and found no room."""
        self._directory = directory
        self._keep_days = keep_days
        self._max_items = max_items_per_day
        self._clock = clock
        self._day = ""
        self._items = 0  # of that day
        self._silent = False

    def add(self, item: Item) -> bool:
        """Keep an item; whether it is kept. Failures are counted, logged once until one succeeds, and never raised."""
        try:
            kept = self._append(item)
        except (OSError, ValueError) as error:
            self.lost += 1
            if not self._silent:
                _logger.warning("%s: answers for review are lost: %s", self._directory, error)
            self._silent = True
            return False
        self._silent = self._silent and not kept
        return kept

    def read(self, since: float) -> list[Item]:
        """The items answered at `since`, in seconds since the epoch, or later or nobody knows when: one for each id.

        A line that is no item, as a crash leaves one, is passed over and logged.

        Raises:
            OSError: the directory or a file of it cannot be read.
        """
        items: dict[str, Item] = {}
        for path in self._files():
            found, damaged = lines.read(path, Item)
            if damaged:
                _logger.warning("%s: %d damaged lines are passed over", path, damaged)
            for item in found:
                # An answer that was drawn, and was odd as well, was drawn.
                recent = item.answered_at is None or item.answered_at >= since
                if recent and (item.id not in items or items[item.id].why == TAIL):
                    items[item.id] = item
        return list(items.values())

    def _append(self, item: Item) -> bool:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        today = datetime.fromtimestamp(self._clock(), UTC)
        path = self._directory / f"{today.date().isoformat()}.jsonl"
        if path.stem != self._day:
            self._delete_before((today - timedelta(days=self._keep_days)).date().isoformat())
            self._items = path.read_bytes().count(b"\n") if path.exists() else 0
            self._day = path.stem
        if item.why == TAIL and self._items >= self._max_items // 2:
            return False
        if self._items >= self._max_items:
            raise ValueError(f"{self._max_items} came on {self._day}, which is the most that are kept of a day")
        lines.append(path, [item])
        self._items += 1
        return True

    def _delete_before(self, day: str) -> None:
        for path in self._files():
            if path.stem < day:
                path.unlink()

    def _files(self) -> list[Path]:
        """In the order of their days."""
        return sorted(path for path in self._directory.iterdir() if _FILE.fullmatch(path.name))
