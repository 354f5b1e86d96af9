"""What a request holds, in columns: the form in which both walkers hand over what they have read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int32]  # into the request's strings; 0 is "" and means absent
Ids: TypeAlias = NDArray[np.uint64]  # 0 means absent
Mask: TypeAlias = NDArray[np.bool_]


class Wanted(NamedTuple):
    """What a walker is to look at; everything else in a request is checked to be well formed, and skipped.

    attributes: keys of the attributes of spans or log records.
    hashed: those keys whose values are only ever compared with one another, so that no string is made of them.
    vectors: those keys whose values are arrays of numbers, and how many numbers each has.
    resource: keys of the attributes of resources.
    events: names of span events. True keeps each of them, False the first of its span.
    event_attributes: keys of the attributes of those events.
    """

    attributes: frozenset[str] = frozenset()
    hashed: frozenset[str] = frozenset()
    vectors: Mapping[str, int] = {}
    resource: frozenset[str] = frozenset()
    events: Mapping[str, bool] = {}
    event_attributes: frozenset[str] = frozenset()


@dataclass
class Attributes:
    """The attributes of n records: a column for each wanted key that occurs at all.

    texts: key -> codes of strings; of an array, the string that it begins with.
    numbers: key -> float64 (n,), NaN means absent; of integers, doubles, and booleans as 0 and 1.
    hashes: key -> the CRC-32 of a text's UTF-8, plus 2**32.
    vectors: key -> float64 (n, as many as wanted); zeros where the value is no such array.

    Of a key that stands twice in one record the last counts. A value of another type counts as absent.
    """

    texts: dict[str, Codes] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    hashes: dict[str, Ids] = field(default_factory=dict)
    vectors: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass
class Events:
    """The wanted events of the spans of a request, in the order in which they stand in it.

    span: int32, the row of the span. name: codes. time: uint64, nanoseconds since the epoch.
    """

    span: NDArray[np.int32]
    name: Codes
    time: Ids
    attributes: Attributes


@dataclass
class Records:
    """The n spans, or the n log records, of a request, in the order in which they stand in it.

    strings: every text that a code stands for; the first is "".
    trace_id: (n, 2) the high and the low half. span_id, parent_id: (n,). An id of another length than the
    protocol's is absent. https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
    start, end: uint64, nanoseconds since the epoch, 0 where there is none. Of a log record, both are its time or,
    where it has none, the time at which it was observed.
    failed: whether the status is an error. client: whether the kind is CLIENT. sampled: whether the trace is kept, as
    far as the flags tell: where those of the trace are 0, nothing is known, and of a log record neither.
    name: of the span, or of the log record's event. scope: the name of its instrumentation scope.
    resource: attribute key -> codes, of the resource. Other values than texts count as absent.
    """

    strings: list[str]
    trace_id: Ids
    span_id: Ids
    parent_id: Ids
    start: Ids
    end: Ids
    failed: Mask
    client: Mask
    sampled: Mask
    name: Codes
    scope: Codes
    trace_state: Codes
    resource: dict[str, Codes]
    attributes: Attributes
    events: Events
    codes: dict[str, int] = field(init=False)  # of each string
    none: Mask = field(init=False)  # what every question gives that no record answers with yes; not to be written to
    _scopes: list[int] | None = field(init=False, default=None)  # those that occur

    def __post_init__(self) -> None:
        self.codes = {text: code for code, text in enumerate(self.strings)}
        self.none = np.zeros(len(self), np.bool_)
        self.none.flags.writeable = False

    def __len__(self) -> int:
        return len(self.span_id)

    def has(self, *keys: str) -> Mask:
        """Which records have one of these attributes, of whatever type. Shape (n,)."""
        attributes = self.attributes
        # Most questions are about keys that do not occur in a request at all.
        found = [attributes.texts[key] > 0 for key in keys if key in attributes.texts]
        found += [~np.isnan(attributes.numbers[key]) for key in keys if key in attributes.numbers]
        found += [attributes.hashes[key] > 0 for key in keys if key in attributes.hashes]
        if not found:
            return self.none
        result: Mask = found[0] if len(found) == 1 else np.logical_or.reduce(found)
        return result

    def attribute_is(self, key: str, *values: str) -> Mask:
        """Which records have one of these texts under a key. Shape (n,)."""
        return self._are(self.attributes.texts.get(key), values)

    def scope_begins(self, *prefixes: str) -> Mask:
        """Which records come from an instrumentation scope whose name begins so. Shape (n,)."""
        # A request has few scopes, but many strings.
        if self._scopes is None:
            self._scopes = np.flatnonzero(np.bincount(self.scope)).tolist()  # np.unique sorts
        return self._among(self.scope, (code for code in self._scopes if self.strings[code].startswith(prefixes)))

    def name_is(self, *values: str) -> Mask:
        """Which records have one of these names. Shape (n,)."""
        return self._are(self.name, values)

    def _are(self, codes: Codes | None, values: tuple[str, ...]) -> Mask:
        return self.none if codes is None else self._among(codes, map(self.codes.get, values))

    def _among(self, codes: Codes, wanted: Iterable[int | None]) -> Mask:
        found = [code for code in wanted if code]
        if not found:
            return self.none
        table = np.zeros(len(self.strings), np.bool_)
        table[found] = True
        among: Mask = table[codes]
        return among
