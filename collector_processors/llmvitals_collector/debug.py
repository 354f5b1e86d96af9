"""What became of the last spans, log records and requests: the answer to "why is my panel empty?"."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from threading import Lock
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import LABELS, Columns
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.dialects import DIALECTS
from llmvitals_collector.records import Records

# So many rows are noted in a second; a burst may bring as many as are kept.
_ROWS_PER_SECOND = 20.0
# So many kinds of rows are told apart, in one request and since the start; scopes name themselves.
_KINDS_OF_REQUEST, _KINDS = 32, 500
_TEXT_CHARACTERS = 200
_COUNTED = semconv.VERDICTS.index(semconv.COUNTED)
_LABEL_NAMES = dict(zip((column.name for column in LABELS), semconv.CALL_LABELS, strict=True))
# Of -1, which stands for none, the last one.
_DIALECT_NAMES = (*(dialect.name for dialect in DIALECTS), "")


class DebugConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """/debug, beside /metrics: what became of the last spans, log records and requests; names and labels, no content.

    Attributes:
        enabled: whether there is such a page.
        spans: how many of the last spans and log records it shows, and how many refused requests.
    """

    enabled: Annotated[bool, msgspec.Meta(description="true or false")] = True
    spans: Annotated[int, msgspec.Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")] = 100


class Note(msgspec.Struct):
    """A span or a log record: what it says of itself, and what became of it.

    time: of its arrival, in seconds since the epoch. record: one of semconv.DATA_TYPES. dialect: "" for none.
    labels: those of its series, once it is counted. keys: of its attributes, as far as any dialect knows them.
    """

    time: float
    record: str
    service: str
    scope: str
    name: str
    trace_id: str
    span_id: str
    dialect: str
    verdict: str
    labels: dict[str, str]
    keys: list[str]


class Refusal(msgspec.Struct):
    """A refused request: when, by which receiver, which of semconv.REFUSED_REASONS, what it was told, from where."""

    time: float
    receiver: str
    reason: str
    sentence: str
    peer: str


class Total(NamedTuple):
    """One kind of spans or log records; what was told by another span, too, was `counted` before, in some scope."""

    record: str
    scope: str
    dialect: str
    verdict: str


class View(msgspec.Struct):
    """What a page shows, of one moment; the newest first."""

    since: float
    totals: list[tuple[Total, int]]
    refusals: list[Refusal]
    notes: list[Note]


class Debug:
    """Notes a part of what comes in, of which a slow trickle is all, and counts the rest by its kind.

    gather: is called before anybody looks, to bring in what other processes have noted.
    """

    def __init__(self, config: DebugConfig) -> None:
        self.enabled = config.enabled
        self.gather: Callable[[], None] = lambda: None
        self._lock = Lock()
        self._since = time.time()
        self._totals: Counter[Total] = Counter()
        self._refusals: deque[Refusal] = deque(maxlen=config.spans)
        self._notes: deque[Note] = deque()
        self._kept = config.spans
        # Calls that wait to be counted, by their span id.
        self._waiting: dict[int, Note] = {}
        self._allowance = float(config.spans)
        self._refilled = time.monotonic()

    def note(self, record: str, decoded: Decoded[Columns]) -> None:
        """Note what decoding has made of a request; `record` is one of semconv.DATA_TYPES."""
        if not self.enabled or not len(decoded.told):
            return
        with self._lock:
            firsts = []
            for first, count in _kinds(decoded):
                firsts.append(first)
                self._add(Total(record, *_kind(decoded, first)), count)
            others = (row for row in range(len(decoded.told)) if row not in firsts)
            for row in islice(chain(firsts, others), self._allowed(len(decoded.told))):
                self._append(*_note(record, decoded, row))

    def repeated(self, calls: Calls, reasons: NDArray[np.signedinteger[Any]]) -> None:
        """Tell which calls are not counted; reasons: places in semconv.REPEATED_REASONS, or -1, shape (n,)."""
        if not self.enabled or not (reasons >= 0).any():
            return
        with self._lock:
            for row in np.flatnonzero(reasons >= 0).tolist():
                reason = semconv.REPEATED_REASONS[reasons[row]]
                self._add(Total(semconv.DATA_TRACES, "", calls.strings[calls["dialect"][row]], reason), 1)
                if note := self._waiting.pop(calls["span_id"][row].item(), None):
                    note.verdict = reason

    def counted(self, calls: Calls) -> None:
        """Tell with which labels calls were counted."""
        if not self._waiting:
            return
        with self._lock:
            waiting = np.fromiter(self._waiting, np.uint64, len(self._waiting))
            for row in np.flatnonzero(np.isin(calls["span_id"], waiting)).tolist():
                if note := self._waiting.pop(calls["span_id"][row].item(), None):
                    note.labels = _labels(calls, row)

    def refused(self, receiver: str, reason: str, sentence: str, peer: str) -> None:
        """Note a refused request: what its sender was told, and where it came from."""
        if self.enabled:
            with self._lock:
                self._refusals.append(Refusal(time.time(), receiver, reason, sentence[:_TEXT_CHARACTERS], peer))

    @property
    def noted(self) -> bool:
        """Whether there are notes."""
        return bool(self._notes)

    def take(self) -> View:
        """All that has come since this was last called, for the process that counts what was noted here."""
        with self._lock:
            notes, totals, refusals = list(self._notes), list(self._totals.items()), list(self._refusals)
            for each in (self._notes, self._totals, self._refusals, self._waiting):
                each.clear()
        return View(self._since, totals, refusals[::-1], notes[::-1])

    def add(self, view: View) -> None:
        """Add what another process took, before what it noted is counted here."""
        with self._lock:
            for total, count in view.totals:
                self._add(total, count)
            self._refusals += reversed(view.refusals)
            for note in reversed(view.notes):
                self._append(int(note.span_id or "0", 16), note)

    def view(self) -> View:
        """All of it, of one moment."""
        self.gather()
        with self._lock:
            notes = [msgspec.structs.replace(note) for note in reversed(self._notes)]
            totals = self._totals.most_common()
        return View(self._since, totals, list(reversed(self._refusals)), notes)

    def _allowed(self, wanted: int) -> int:
        now = time.monotonic()
        refill = (now - self._refilled) * _ROWS_PER_SECOND
        self._allowance, self._refilled = min(self._allowance + refill, self._kept), now
        allowed = min(wanted, int(self._allowance))
        self._allowance -= allowed
        return allowed

    def _append(self, span_id: int, note: Note) -> None:
        if len(self._notes) == self._kept:
            gone = self._notes.popleft()
            if gone.span_id and self._waiting.get(key := int(gone.span_id, 16)) is gone:
                del self._waiting[key]
        self._notes.append(note)
        if note.verdict == semconv.COUNTED and note.record == semconv.DATA_TRACES:
            self._waiting[span_id] = note

    def _add(self, total: Total, count: int) -> None:
        if total not in self._totals and len(self._totals) >= _KINDS:
            total = total._replace(scope=semconv.OVERFLOW)
        self._totals[total] += count


def _kinds(decoded: Decoded[Columns]) -> Iterator[tuple[int, int]]:
    """The first row of each kind, and how many rows are of it."""
    columns = (decoded.told.scope, decoded.dialects, decoded.verdicts)
    if all(_is_uniform(column) for column in columns):
        yield 0, len(decoded.told)
        return
    keys = (columns[0].astype(np.int64) << 16) + (columns[1].astype(np.int64) << 8) + columns[2]
    rows = np.arange(len(keys))
    for _ in range(_KINDS_OF_REQUEST):
        others = keys != keys[0]
        left = int(np.count_nonzero(others))
        yield int(rows[0]), len(rows) - left
        if not left:
            return
        keys, rows = keys[others], rows[others]
    yield int(rows[0]), len(rows)


def _is_uniform(column: NDArray[Any]) -> bool:
    # On the columns of one request several times as fast as numpy's comparison.
    raw = column.tobytes()
    return raw == raw[: column.itemsize] * len(column)


def _kind(decoded: Decoded[Columns], row: int) -> tuple[str, str, str]:
    """The scope, the dialect and the verdict of a row."""
    scope = decoded.told.strings[decoded.told.scope[row]][:_TEXT_CHARACTERS]
    return scope, _DIALECT_NAMES[decoded.dialects[row]], semconv.VERDICTS[decoded.verdicts[row]]


def _note(record: str, decoded: Decoded[Columns], row: int) -> tuple[int, Note]:
    """The span id of a row, and what there is to say of it."""
    told = decoded.told
    scope, dialect, verdict = _kind(decoded, row)
    services = told.resource.get(semconv.SERVICE_NAME)
    labels: dict[str, str] = {}
    if record == semconv.DATA_LOGS and verdict == semconv.COUNTED:
        # No processor changes the labels of these.
        labels = _labels(decoded.records, int(np.count_nonzero(decoded.verdicts[:row] == _COUNTED)))
    span_id = told.span_id[row].item()
    high, low = told.trace_id[row].tolist()
    return span_id, Note(
        time=time.time(),
        record=record,
        service=(told.strings[services[row]] if services is not None else "") or semconv.UNKNOWN_SERVICE,
        scope=scope,
        name=told.strings[told.name[row]][:_TEXT_CHARACTERS],
        trace_id=f"{high:016x}{low:016x}" if high or low else "",
        span_id=f"{span_id:016x}" if span_id else "",
        dialect=dialect,
        verdict=verdict,
        labels=labels,
        keys=_keys(told, row),
    )


def _labels(records: Columns, row: int) -> dict[str, str]:
    values = {name: records.strings[records[column][row]] for column, name in _LABEL_NAMES.items()}
    return {name: value[:_TEXT_CHARACTERS] for name, value in values.items()}


def _keys(told: Records, row: int) -> list[str]:
    attributes = told.attributes
    present = {key for key, codes in attributes.texts.items() if codes[row]}
    present |= {key for key, numbers in attributes.numbers.items() if not np.isnan(numbers[row])}
    present |= {key for key, hashes in attributes.hashes.items() if hashes[row]}
    return sorted(present)
