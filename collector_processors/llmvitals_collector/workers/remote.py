"""Counting, for a worker: whatever it is given goes to the process that counts."""

import time
from collections.abc import Iterable, Sequence
from queue import SimpleQueue
from threading import Condition

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns
from llmvitals_collector.storage import StorageError
from llmvitals_collector.storage.batch import packed
from llmvitals_collector.telemetry import Telemetry
from llmvitals_collector.workers.messages import Connection, Failed, Stored, Take
from llmvitals_collector.workers.reporting import Reporting


class RemoteError(Exception):
    """The process that counts failed on a batch."""


class RemoteCounting:
    """Hands batches over in one message at a time, which has all that came while the one before was under way.

    Of small requests under load there so are many in one entry of the journal, for which the process that counts has
    little more to do than for one.
    """

    def __init__(self, connection: Connection, reporting: Reporting, telemetry: Telemetry) -> None:
        self._connection = connection
        self._reporting = reporting
        self._telemetry = telemetry
        self._answers: SimpleQueue[Stored | Failed] = SimpleQueue()
        self._changed = Condition()
        self._under_way = False
        self._waiting = _Together()

    def take(self, *batches: Columns) -> None:
        """Have the batches of a request counted; they are durable on return, if anything is kept.

        Raises:
            StorageError: they cannot be kept. They are not to be acknowledged.
            RemoteError: the process that counts has failed on them.
        """
        taken = [batch for batch in batches if len(batch)]
        if not taken:
            return
        with self._changed:
            mine = self._waiting
            mine.add(taken)
            self._changed.wait_for(lambda: not self._under_way or mine.answer)
            if not mine.answer:
                self._under_way = True
                self._waiting = _Together()
        if not mine.answer:
            try:
                mine.answer = self._handed_over(mine.joined())
            except OSError:
                # Clients send again what this says, to whoever takes this process's place.
                mine.answer = Stored("the process that counts has ended")
            except BaseException:
                mine.answer = Failed()
                raise
            finally:
                with self._changed:
                    self._under_way = False
                    self._changed.notify_all()
        mine.check()

    def answered(self, answer: Stored | Failed) -> None:
        """Note what became of what was handed over last."""
        self._answers.put(answer)

    def _handed_over(self, batches: Sequence[Columns]) -> Stored | Failed:
        since = time.thread_time()
        entries = [b"".join(packed(batch)) for batch in batches]
        first = batches[0]
        content = [column.name for column in first.decoded if not column.kept and column.name in first]
        if content:
            entries.append(b"".join(packed(first, kept=False)))
        sizes = [len(entry) for entry in entries]
        with self._reporting.order:
            self._connection.send(Take(sizes, bool(content), self._reporting.due()), *entries)
        self._telemetry.spent(semconv.STAGE_STORE, since)
        return self._answers.get()


class _Together:
    """Batches of several requests that go in one message. answer: what became of them, once that is known."""

    def __init__(self) -> None:
        self._batches: dict[type[Columns], list[Columns]] = {}
        self.answer: Stored | Failed | None = None

    def add(self, batches: Iterable[Columns]) -> None:
        for batch in batches:
            self._batches.setdefault(type(batch), []).append(batch)

    def joined(self) -> list[Columns]:
        """One batch of each record, calls first."""
        several = sorted(self._batches.items(), key=lambda each: each[0] is not Calls)
        return [batches[0] if len(batches) == 1 else record.joined(batches) for record, batches in several]

    def check(self) -> None:
        match self.answer:
            case Stored(failure) if failure:
                raise StorageError(failure)
            case Failed():
                raise RemoteError("the process that counts failed on a batch; its log says why")
