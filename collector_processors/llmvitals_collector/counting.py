"""From decoded batches to sums: batches wait a moment, so that many are processed and counted as one."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, Protocol, TypeVar

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
from llmvitals_collector.storage import Storage
from llmvitals_collector.storage.batch import packed, unpacked
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
            self._wait(unpacked(payload), position)
            if self._rows >= ROWS:
                self.flush()
        self._position = storage.journal.position
        self.flush()
        self._storage = storage
        if not storage.journals:
            # A crash is to start from nothing: what was counted before would otherwise be counted again as new.
            storage.snapshots.discard()
        elif self._position > restored:
            storage.save(self._position, self._parts())

    def take(self, batch: Columns) -> None:
        """Take a batch; it is durable on return, if there is a storage.

        Raises:
            StorageError: the storage cannot take it. It is not to be acknowledged.
        """
        if not len(batch):
            return
        journal = self._storage.journal if self._storage and self._storage.journals else None
        since = time.thread_time()
        entry = packed(batch) if journal else ()
        with self._order:
            position = journal.append(entry) if journal else self._position
            self._wait(batch, position)
            due = self._rows >= ROWS
        if journal:
            began = time.perf_counter()
            journal.sync(position)
            self._telemetry.observe(semconv.COLLECTOR_JOURNAL_SYNC, time.perf_counter() - began)
            self._telemetry.spent(semconv.STAGE_STORE, since)
        if due:
            self.flush()

    def flush(self) -> None:
        """Count what waits."""
        with self._counting:
            position = self._flush()
            if self._storage and self._storage.due:
                self._storage.save(position, self._parts())

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
            position = self._flush()
            if self._storage:
                storage, self._storage = self._storage, None
                storage.save(position, self._parts())
                storage.close()

    def _wait(self, batch: Columns, position: int) -> None:
        self._waiting.append(batch)
        self._rows += len(batch)
        self._position = position

    def _flush(self) -> int:
        """Count what waits; returns the position of the journal up to which everything is counted."""
        with self._order:
            waiting, self._waiting, self._rows = self._waiting, [], 0
            position = self._position
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
        return position

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

    def _parts(self) -> dict[str, NDArray[Any] | bytes]:
        """A copy of everything that a restart needs, by who knows it."""
        parts = {f"state/{name}": part for name, part in self._state.parts().items()}
        parts |= {f"seen/{name}": part for name, part in self._seen.state().items()}
        for name, processor in self._processors.items():
            if isinstance(processor, Remembering):
                parts[f"processor/{name}"] = processor.state()
        return parts

    def _restore(self, parts: Mapping[str, NDArray[Any] | bytes]) -> None:
        of: dict[str, dict[str, Any]] = {"state": {}, "seen": {}, "processor": {}}
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
