"""What is behind the page: a sample each minute, and the answers that all open pages share."""

import gzip
import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.history import SLOT_SECONDS, History
from llmvitals_collector.page.question import Question
from llmvitals_collector.page.reading import Reading
from llmvitals_collector.page.vitals import vitals

_logger = logging.getLogger(__name__)
# Pages ask every few seconds, each for itself: they get the same for so long.
SHARED_SECONDS = 2.0


class Page:
    """Remembers the last hour, from `start` to `stop`, and tells what is asked of it. Its methods are thread-safe."""

    def __init__(self, read: Callable[[], Reading], floors: Floors) -> None:
        """read: gives everything as it is now."""
        self._read = read
        self._floors = floors
        self._lock = Lock()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="page", daemon=True)
        self._history: History | None = None
        self._now: Reading | None = None
        self._answers: dict[Question, bytes] = {}

    def start(self) -> None:
        """What has been counted until now was counted before the last hour."""
        self._history = History(self._read())
        self._thread.start()

    def stop(self) -> None:
        """Safe without a start, and twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def sample(self) -> None:
        """End a minute."""
        with self._lock:
            if self._history:
                self._history.sample(self._read())
                self._now = None  # of what has been counted since, it knows nothing

    def answer(self, question: Question) -> bytes:
        """The document of `vitals`, compressed by gzip."""
        with self._lock:
            history = self._history = self._history or History(self._read())
            if self._now is None or not 0 <= time.time() - self._now.at < SHARED_SECONDS:
                self._now, self._answers = self._read(), {}
            if question not in self._answers:
                self._answers[question] = gzip.compress(vitals(history, self._now, question, self._floors), 6, mtime=0)
            return self._answers[question]

    def _run(self) -> None:
        while not self._stopping.wait(SLOT_SECONDS):
            try:
                self.sample()
            except Exception:
                # The next minute takes what this one has not.
                _logger.exception("a minute is missing on the page")
