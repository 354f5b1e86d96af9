"""From decoded batches to sums: batches wait a moment, so that many are processed and counted as one."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.evaluators import read
from llmvitals.semconv import Family
from llmvitals_collector import quality
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns
from llmvitals_collector.debug import Debug
from llmvitals_collector.once import once
from llmvitals_collector.processors import Processor, Remembering, Telling
from llmvitals_collector.results import Results
from llmvitals_collector.storage import Journal, Prepared, Ranges, Settled, Storage
from llmvitals_collector.storage.batch import packed, packed_range, unpacked, unpacked_batch
from llmvitals_collector.storage.entries import Buffers
from llmvitals_collector.storage.seen import Seen
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)
T = TypeVar("T")

# So many rows are counted at once. Python's cost for each of numpy's steps is then small beside the step.
ROWS = 4096


class Evaluate(Protocol):
    """What looks at answers once they are counted."""

    def take(self, calls: Calls, /) -> None:
        """Look at the calls that count, later: they and their texts are not to be held up."""
        ...

    def expected(self, template: str) -> Iterable[Mapping[str, str]]:
        """Columns of the results that can come of a template: dimension, source, evaluator, rubric."""
        ...


class Counting:
    """Takes batches in the order in which they come, and counts them in that order.

    What waits is counted before anybody looks: at a scrape, before a snapshot, and when `ROWS` rows wait.
    """

    def __init__(self, state: State, processors: Mapping[str, Processor], telemetry: Telemetry, debug: Debug) -> None:
        self._processors = processors
        self._state = state
        self._telemetry = telemetry
        self._debug = debug
        self._storage: Storage | None = None
        self._seen = Seen()
        self._order = Lock()  # of batches: the journal has them as they are counted
        self._counting = Lock()
        self._waiting: list[Columns] = []
        self._rows = 0
        self._position = 0  # of the journal, after what waits
        self._ranges = Ranges({}, {})  # at that position
        self._failed: set[str] = set()  # steps whose failure is in the log; the others are only counted
        self._evaluate: Evaluate | None = None

    def evaluate(self, evaluate: Evaluate) -> None:
        """Hand on the calls that count, once they are counted."""
        self._evaluate = evaluate

    def open(self, storage: Storage) -> None:
        """Go on where an earlier run ended, and keep everything from now on.

        Raises:
            StorageError: it cannot be read.
        """
        snapshot = storage.snapshots.read_newest()
        if snapshot:
            self._position, parts = snapshot
            self._restore(parts)
        restored = self._position
        for position, payload in storage.journal.replay(self._position):
            self._position = position
            match unpacked(payload):
                case Prepared() as prepared:
                    self._ranges.prepare(prepared)
                case Settled() as settled:
                    self._wait(*self._ranges.settle(settled))
                case batch:
                    self._wait(batch)
            if self._rows >= ROWS:
                self.flush()
        self._position = storage.journal.position
        self.flush()
        self._storage = storage
        if not storage.journals:
            # A crash is to start from nothing: what was counted before would otherwise be counted again as new.
            storage.snapshots.discard()
        elif self._position > restored:
            storage.save(self._position, self._parts(self._ranges))

    def take(self, *batches: Columns) -> None:
        """Take the batches of a request; they are durable on return, if there is a storage.

        Raises:
            StorageError: the storage cannot take them. They are not to be acknowledged.
        """
        journal = self._journal
        since = time.thread_time()
        taken = [batch for batch in batches if len(batch)]
        self._take(journal, taken, [packed(batch) for batch in taken] if journal else [()] * len(taken), since)
        self.flush_if_full()

    def take_packed(self, entries: Sequence[memoryview], content: memoryview | None = None) -> None:
        """Take batches as another process has packed them, who is to call flush_if_full() then; else as take().

        content: the texts of the first, which the journal does not get.
        """
        since = time.thread_time()
        batches = [unpacked_batch(entry) for entry in entries]
        if content:
            batches[0] = batches[0].beside(unpacked_batch(content))
        since = self._telemetry.spent(semconv.STAGE_STORE, since)
        self._take(self._journal, batches, [[entry] for entry in entries], since)

    def flush_if_full(self) -> None:
        """Count what waits if it is enough to be counted at once."""
        if self._rows >= ROWS:
            self.flush()

    def prepare(self, several: Sequence[Prepared]) -> None:
        """Take ranges of messages, at most one of each partition; they count with settle(), and are durable on return.

        Raises:
            StorageError: the storage cannot take all of them; prepare the others anew, or settle them as not to count.
        """
        journal = self._journal
        since = time.thread_time()
        entries = [packed_range(each) for each in several] if journal else [()] * len(several)
        with self._order:
            for each, entry in zip(several, entries, strict=True):
                if journal:
                    self._position = journal.append(entry)
                self._ranges.prepare(each)
            position = self._position
        self._sync(journal, position, since)

    def settle(self, several: Sequence[Settled]) -> None:
        """Count prepared ranges, or drop them.

        If that is lost in a crash they are prepared again, and there again to be settled.

        Raises:
            StorageError: the storage cannot take it; the ranges up to the one that failed are settled.
        """
        journal = self._journal
        with self._order:
            for each in several:
                if journal:
                    self._position = journal.append(packed_range(each))
                self._wait(*self._ranges.settle(each))
            due = self._rows >= ROWS
        if due:
            self.flush()

    @property
    def ranges(self) -> Ranges:
        """What is prepared, and up to where is counted; a copy."""
        with self._order:
            return self._ranges.copy()

    def flush(self) -> None:
        """Count what waits."""
        with self._counting:
            position, ranges = self._flush()
            if self._storage and self._storage.due:
                self._storage.save(position, self._parts(ranges))

    def set(self, processors: Mapping[str, Processor]) -> None:
        """Put other processors in the place of those that there are, who go on with what these know."""
        with self._counting:
            for name, processor in processors.items():
                before = self._processors.get(name)
                if isinstance(processor, Remembering) and isinstance(before, Remembering):
                    processor.restore(before.state())
            self._processors = processors
            self._state.all_first(semconv.RESPONSES)  # of which other verdicts may come

    @property
    def waiting(self) -> int:
        """How many rows wait to be counted."""
        return self._rows

    def gauges(self, family: Family) -> dict[tuple[str, ...], float]:
        """What processors show of a gauge, by the values of its labels."""
        told = (each.gauges() for each in self._processors.values() if isinstance(each, Telling))
        return {labels: value for gauges in told for shown, labels, value in gauges if shown is family}

    def close(self) -> None:
        """Count what waits, and keep it; without effect where nothing was opened.

        Raises:
            StorageError: it cannot be kept.
        """
        with self._counting:
            position, ranges = self._flush()
            if self._storage:
                storage, self._storage = self._storage, None
                storage.save(position, self._parts(ranges))
                storage.close()

    @property
    def _journal(self) -> Journal | None:
        return self._storage.journal if self._storage and self._storage.journals else None

    def _take(
        self, journal: Journal | None, batches: Sequence[Columns], entries: Sequence[Buffers], since: float
    ) -> None:
        if not batches:
            return
        with self._order:
            for batch, entry in zip(batches, entries, strict=True):
                if journal:
                    self._position = journal.append(entry)
                self._wait(batch)
            position = self._position
        self._sync(journal, position, since)

    def _sync(self, journal: Journal | None, position: int, since: float) -> None:
        """Return once everything before the position is durable."""
        if not journal:
            return
        began = time.perf_counter()
        journal.sync(position)
        self._telemetry.observe(semconv.COLLECTOR_JOURNAL_SYNC, time.perf_counter() - began)
        self._telemetry.spent(semconv.STAGE_STORE, since)

    def _wait(self, *batches: Columns) -> None:
        self._waiting += batches
        self._rows += sum(map(len, batches))

    def _flush(self) -> tuple[int, Ranges]:
        """Count what waits; returns the position of the journal up to which everything is counted, and what it has."""
        with self._order:
            waiting, self._waiting, self._rows = self._waiting, [], 0
            position, ranges = self._position, self._ranges.copy()
        batches: dict[type[Columns], list[Columns]] = {}
        for batch in waiting:
            batches.setdefault(type(batch), []).append(batch)
        for record, several in batches.items():
            try:
                self._count(record.joined(several))
            except Exception:
                # Their senders were told that they are safe, so this must be seen.
                _logger.exception("a batch was accepted, and then lost to a fault of the collector")
                self._telemetry.count(semconv.COLLECTOR_LOST_RECORDS, amount=sum(map(len, several)))
        return position, ranges

    def _count(self, records: Columns) -> None:
        if isinstance(records, Calls):
            self._count_calls(records)
            return
        records = records.where(self._seen.new(records["record_id"]))
        if isinstance(records, Results):
            self._telemetry.resulted(records)
            records = quality.rated(records)
        self._state.add(records)

    def _count_calls(self, calls: Calls) -> None:
        since = time.thread_time()
        repeated = once(calls, self._seen)
        for place, amount in enumerate(np.bincount(repeated + 1).tolist()[1:]):
            self._telemetry.count(semconv.COLLECTOR_DUPLICATE_CALLS, semconv.REPEATED_REASONS[place], amount=amount)
        self._debug.repeated(calls, repeated)
        kept = repeated < 0
        calls = calls if kept.all() else calls.where(kept)
        for name, processor in self._processors.items():
            calls = self._contained(name, processor.process, calls) or calls
        results = self._contained("quality", quality.of_calls, calls)
        since = self._telemetry.spent(semconv.STAGE_PROCESS, since)
        self._telemetry.counted(calls)
        self._debug.counted(calls)
        self._state.add(calls)
        if results:
            self._state.add(results)
        self._contained("quality", self._announce, calls)
        if self._evaluate and len(calls):
            self._contained("evaluation", self._evaluate.take, calls)
        self._telemetry.spent(semconv.STAGE_COUNT, since)

    def _announce(self, calls: Calls) -> None:
        """Show the series of what can be said of answers, where their template, or its version, is new."""
        firsts = self._state.firsts(semconv.RESPONSES)
        if firsts:
            checks = {name for code in np.unique(calls["checks"]).tolist() for name in read(calls.strings[code])}
            verdicts = self._evaluate.expected if self._evaluate else lambda _template: ()
            self._state.announce(quality.expected(firsts, verdicts, checks))

    def _contained(self, step: str, work: Callable[[Calls], T], calls: Calls) -> T | None:
        """What a step makes of calls; None if it fails, which is counted, and the calls go on without it."""
        try:
            return work(calls)
        except Exception:
            self._telemetry.count(semconv.COLLECTOR_PROCESSOR_FAILURES, step)
            if step not in self._failed:
                _logger.exception("processor %s failed on a batch, which goes on without it", step)
            self._failed.add(step)
            return None

    def _parts(self, ranges: Ranges) -> dict[str, NDArray[Any] | bytes]:
        """A copy of everything that a restart needs, by who knows it; ranges: at the position of the snapshot."""
        parts = {f"state/{name}": part for name, part in self._state.parts().items()}
        parts |= {f"seen/{name}": part for name, part in self._seen.state().items()}
        for name, processor in self._processors.items():
            if isinstance(processor, Remembering):
                parts[f"processor/{name}"] = processor.state()
        for place, each in enumerate(ranges.prepared.values()):
            parts[f"prepared/{place}"] = b"".join(packed_range(each))
        parts["ranges/ends"] = msgspec.json.encode([(*of, end) for of, end in ranges.ends.items()])
        return parts

    def _restore(self, parts: Mapping[str, NDArray[Any] | bytes]) -> None:
        of: dict[str, dict[str, Any]] = {"state": {}, "seen": {}, "processor": {}, "prepared": {}, "ranges": {}}
        for name, part in parts.items():
            owner, _, what = name.partition("/")
            of[owner][what] = part
        for sentence in self._state.restore(of["state"]):
            _logger.warning("%s", sentence)
        self._state.all_first(semconv.RESPONSES)  # the configuration may be another one, too
        self._seen.restore(of["seen"])
        for name, state in of["processor"].items():
            processor = self._processors.get(name)
            if isinstance(processor, Remembering):
                processor.restore(state)
        for part in of["prepared"].values():
            if isinstance(prepared := unpacked(memoryview(part)), Prepared):
                self._ranges.prepare(prepared)
        for topic, partition, end in msgspec.json.decode(of["ranges"].get("ends", b"[]")):
            self._ranges.ends[topic, partition] = end
