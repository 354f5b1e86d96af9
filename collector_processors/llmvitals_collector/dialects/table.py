"""A dialect's table, and how it is read: from the attributes of foreign spans to the columns of calls."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import FORMS, Kind
from llmvitals_collector.records import Mask, Records, Wanted

_COLUMNS = {column.name: column for column in Calls.decoded}
_TRUE = ("true", "1")
NANOSECONDS = 1e9


class Source(NamedTuple):
    """One place in which the value of a column may stand.

    column: of `Calls`.
    key: the attribute.
    event: the span event whose attribute it is. Without a key, the value is the time from the start of the span to
        the first such event.
    path: where in the attribute's JSON text the value stands, as member names, and places in lists, joined by dots; "."
        is all of it.
    unit: what a number is multiplied by: 0.001 where the sender counts milliseconds.
    values: the sender's words for ours; a word that is not in it stays as it is.
    moment: whether the value is a moment, as ISO 8601 has it; it counts from the start of the span.

    A value is made to fit its column: numbers and booleans may be told as text, as several senders do.
    """

    column: str
    key: str = ""
    event: str = ""
    path: str = ""
    unit: float = 1.0
    values: Mapping[str, str] = {}
    moment: bool = False


def wanted(tables: Iterable[Iterable[Source]], resource: Iterable[str], further: Iterable[str]) -> Wanted:
    """What a walker must look at so that these tables can be read; `further` are keys of attributes beside them."""
    sources = [source for table in tables for source in table]
    plain = {source.key for source in sources if not source.event}
    return Wanted(
        attributes=frozenset({*plain, *further}),
        hashed=frozenset(each.key for each in sources if _COLUMNS[each.column].kind is Kind.ID and not each.path),
        vectors={each.key: _COLUMNS[each.column].width for each in sources if _COLUMNS[each.column].width},
        resource=frozenset(resource),
        events={source.event: False for source in sources if source.event},
        event_attributes=frozenset(source.key for source in sources if source.event and source.key),
    )


class Reading:
    """Reads a request's records by tables; each distinct text is parsed once, however many records have it."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._codes = dict(records.codes)
        self._parsed: dict[int, Any] = {}

    @property
    def strings(self) -> list[str]:
        """The strings of the records, and of the words that tables have put in their place."""
        return list(self._codes)

    def code(self, text: str) -> int:
        """The code of a text, which need not be one of the request's."""
        return self._codes.setdefault(text, len(self._codes))

    def columns(self, table: Iterable[Source]) -> dict[str, NDArray[Any]]:
        """The columns that a table gives, each of n elements; of several sources the first that is present counts."""
        columns: dict[str, NDArray[Any]] = {}
        for source in table:
            value = self._value(source)
            if value is None:
                continue
            column = columns.get(source.column)
            if column is None:
                columns[source.column] = value
            else:
                columns[source.column] = np.where(_absent(column), value, column)
        return columns

    def _value(self, source: Source) -> NDArray[Any] | None:
        """What one source gives, in the form of its column; None where no record has it."""
        kind = _COLUMNS[source.column].kind
        if source.event and not source.key:
            return self._since_start(source.event)
        attributes, of_event = self.records.attributes, bool(source.event)
        if of_event:
            attributes = self.records.events.attributes
        texts = attributes.texts.get(source.key)
        numbers = attributes.numbers.get(source.key)
        hashes = attributes.hashes.get(source.key)
        value: NDArray[Any] | None = None
        if kind is Kind.ID:
            value = hashes
        elif kind is Kind.VECTOR:
            value = attributes.vectors.get(source.key)
        elif kind is Kind.TEXT:
            value = None if texts is None else self._texts(texts, source)
            if numbers is not None:
                written = self._written(numbers)
                value = written if value is None else np.where(value == 0, written, value)
        else:
            if numbers is not None:
                value = numbers * source.unit if source.unit != 1.0 else numbers
            if texts is not None:
                told = self._numbers(texts, source)
                value = told if value is None else np.where(np.isnan(value), told, value)
        if value is None:
            return None
        if of_event:
            value = self._of_span(value, source.event, FORMS[kind][1])
        return value

    def _texts(self, codes: NDArray[np.int32], source: Source) -> NDArray[np.int32]:
        if not source.path and not source.values:
            return codes

        def ours(text: str, code: int) -> int:
            value = self._member(code, source.path) if source.path else text
            word = value if isinstance(value, str) else ""
            return self.code(source.values.get(word, word))

        return self._each(codes, ours, np.int32)

    def _numbers(self, codes: NDArray[np.int32], source: Source) -> NDArray[np.float64]:
        if source.moment:
            start = self.records.start / NANOSECONDS
            moments = self._each(codes, lambda text, _: _seconds(text), np.float64)
            return np.where(start > 0, moments - start, np.nan)

        def number(text: str, code: int) -> float:
            value = self._member(code, source.path) if source.path else text
            return _number(value) * source.unit

        return self._each(codes, number, np.float64)

    def _written(self, numbers: NDArray[np.float64]) -> NDArray[np.int32]:
        """Numbers as text, for a column of texts: HTTP's 429 is the error type "429"."""
        distinct, which = np.unique(numbers, return_inverse=True)
        codes = [0 if np.isnan(each) else self.code(f"{each:.15g}") for each in distinct.tolist()]
        return np.array(codes, np.int32)[which]

    def _each(self, codes: NDArray[np.int32], convert: Callable[[str, int], Any], dtype: Any) -> NDArray[Any]:
        """Convert each distinct text once."""
        strings = self.records.strings
        distinct, which = np.unique(codes, return_inverse=True)
        return np.array([convert(strings[code], code) for code in distinct.tolist()], dtype)[which]

    def _member(self, code: int, path: str) -> Any:
        """What stands at a path of a JSON text, or None."""
        if code not in self._parsed:
            try:
                self._parsed[code] = json.loads(self.records.strings[code], parse_int=float)
            except (ValueError, RecursionError):
                self._parsed[code] = None
        value = self._parsed[code]
        for name in filter(None, path.split(".")):
            if isinstance(value, list):
                value = dict(zip(map(str, range(len(value))), value, strict=True))
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _since_start(self, event: str) -> NDArray[np.float64] | None:
        """Seconds from each span's start to its first event of a name."""
        events = self.records.events
        chosen = events.name == self._codes.get(event, -1)
        if not chosen.any():
            return None
        spans = events.span[chosen]
        # As integers: in nanoseconds since the epoch, a double is off by hundreds.
        times = events.time[chosen].astype(np.int64) - self.records.start[spans].astype(np.int64)
        seconds = np.full(len(self.records), np.nan)
        # Backwards, so that of several events the first one stays.
        seconds[spans[::-1]] = times[::-1] / NANOSECONDS
        return seconds

    def _of_span(self, values: NDArray[Any], event: str, absent: Any) -> NDArray[Any]:
        """Give each span the value of its first event of a name."""
        events = self.records.events
        chosen = events.name == self._codes.get(event, -1)
        result = np.full(len(self.records), 0 if absent == "" else absent, values.dtype)
        result[events.span[chosen][::-1]] = values[chosen][::-1]
        return result


def _absent(column: NDArray[Any]) -> Mask:
    absent: Mask = np.isnan(column) if column.dtype == np.float64 else column == 0
    return absent


def _number(value: object) -> float:
    """A number, however it is told; NaN where it is none."""
    if isinstance(value, str):
        folded = value.strip().lower()
        if folded in ("true", "false"):
            return float(folded == "true")
        try:
            return float(folded)
        except ValueError:
            return np.nan
    return float(value) if isinstance(value, (int, float)) else np.nan


def _seconds(text: str) -> float:
    """A moment in ISO 8601, as seconds since the epoch; some senders put it in JSON's quotation marks."""
    try:
        return datetime.fromisoformat(text.strip('"')).timestamp()
    except ValueError:
        return np.nan
