"""Requests for the tests of decoding: as odd as the wire format allows, or damaged; and what is in them."""

import base64
import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import Message

from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.records import Attributes, Records, Wanted

WANTED = Wanted(
    attributes=frozenset({"model", "tokens", "größe", "id", "gaps", "streamed"}),
    hashed=frozenset({"id"}),
    vectors={"gaps": 2},
    resource=frozenset({"service.name", "service.version"}),
    events={"exception": False, "chunk": True},
    event_attributes=frozenset({"type", "message"}),
)
_KEYS = [*WANTED.attributes, *WANTED.resource, *WANTED.event_attributes, "", "other", "model.name", "ключ" * 9]
_TEXTS = ["", "gpt-5", "größe", "日本語" * 7, "\0", "😀", "a" * 40, "exception", "chunk"]
_INTEGERS = [0, 1, 2, 3, 127, 128, 2**31, 2**32 + 3, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
_DOUBLES = [0.0, -0.0, 0.1, 1e308, float("inf"), float("-inf"), float("nan"), 5e-324]
_DEEPEST = 4


class Writer:
    """Writes requests field by field, each with some liberty that the wire format leaves."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def traces(self) -> bytes:
        """An ExportTraceServiceRequest with up to three spans in each scope."""
        return self._request(self._span)

    def logs(self) -> bytes:
        """An ExportLogsServiceRequest with up to three log records in each scope."""
        return self._request(self._log_record)

    def _request(self, record: Callable[[], bytes]) -> bytes:
        return self._message(*[(1, self._of_resource(record)) for _ in range(self._up_to(2))])

    def _of_resource(self, record: Callable[[], bytes]) -> bytes:
        def resource() -> bytes:
            return self._message(*self._attributes(1), (2, 7), (3, self._entity()))

        resources = [(1, resource()) for _ in range(self._up_to(2))]
        scopes = [(2, self._of_scope(record)) for _ in range(self._up_to(2))]
        return self._message(*resources, *scopes, (3, self._text()))

    def _entity(self) -> bytes:
        return self._message((1, self._text()), (2, self._text()), (3, self._text()), (4, self._text()))

    def _of_scope(self, record: Callable[[], bytes]) -> bytes:
        scopes = [(1, self._message((1, self._text()), (2, self._text()), *self._attributes(3)))] * self._up_to(2)
        return self._message(*scopes, *[(2, record()) for _ in range(self._up_to(3))], (3, self._text()))

    def _span(self) -> bytes:
        return self._message(
            (1, self._id(16)),
            (2, self._id(8)),
            (3, self._text()),
            (4, self._id(8)),
            (5, self._text()),
            (6, self._integer()),
            (7, self._fixed64()),
            (8, self._fixed64()),
            *self._attributes(9),
            *[(11, self._event()) for _ in range(self._up_to(3))],
            (13, self._message((1, self._id(16)), (3, self._text()), *self._attributes(4), (6, _Fixed(bytes(4))))),
            *[(15, self._message((2, self._text()), (3, self._integer()))) for _ in range(self._up_to(2))],
            (16, _Fixed(struct.pack("<I", self._random.choice([0, 1, 0x100, 0x101, 2**32 - 1])))),
        )

    def _event(self) -> bytes:
        return self._message((1, self._fixed64()), (2, self._text()), *self._attributes(3))

    def _log_record(self) -> bytes:
        return self._message(
            (1, self._fixed64()),
            (2, self._integer()),
            (3, self._text()),
            (5, self._any_value()),
            *self._attributes(6),
            (9, self._id(16)),
            (10, self._id(8)),
            (11, self._fixed64()),
            (12, self._text()),
        )

    def _attributes(self, number: int, depth: int = 0) -> list[tuple[int, Any]]:
        def attribute() -> bytes:
            values = [(2, self._any_value(depth + 1)) for _ in range(self._random.choice([0, 1, 1, 1, 1, 2]))]
            return self._message((1, self._random.choice(_KEYS).encode()), *values)

        return [(number, attribute()) for _ in range(self._up_to(4 if depth == 0 else 1))]

    def _any_value(self, depth: int = 0) -> bytes:
        def one() -> tuple[int, Any]:
            number = self._random.choice([1, 1, 2, 3, 4, 5, 5, 6, 7, 8] if depth < _DEEPEST else [1, 3])
            if number in (1, 7):
                return number, self._text()
            if number == 4:
                return 4, _Fixed(struct.pack("<d", self._random.choice(_DOUBLES)))
            if number == 5:
                return 5, self._message(*[(1, self._any_value(depth + 1)) for _ in range(self._up_to(3))])
            if number == 6:
                return 6, self._message(*self._attributes(1, depth + 1))
            return number, self._integer()

        return self._message(*[one() for _ in range(self._random.choice([0, 1, 1, 1, 1, 1, 2, 3]))])

    def _message(self, *fields: tuple[int, Any]) -> bytes:
        """Its fields, out of order and now and then with one left out, doubled, of another type, or unknown."""
        written = [self._field(number, value) for number, value in fields if self._random.random() < 0.9]
        chance = self._random.random()
        if chance < 0.3:
            self._random.shuffle(written)
        if chance < 0.1 and written:
            written.append(self._random.choice(written))
        elif chance < 0.15:
            written.append(self._field(self._random.randint(1, 16), self._random.choice([5, b"x", _Fixed(bytes(8))])))
        elif chance < 0.2:
            group = self._random.choice([99, 3]) << 3
            written.append(self._varint(group | 3) + self._field(1, b"\xff") + self._varint(group | 4))
        return b"".join(written)

    def _field(self, number: int, value: Any) -> bytes:
        if isinstance(value, _Fixed):
            return self._varint(number << 3 | (1 if len(value) == 8 else 5)) + value
        if isinstance(value, bytes):
            return self._varint(number << 3 | 2) + self._varint(len(value)) + value
        return self._varint(number << 3) + self._varint(value, longest=10)

    def _varint(self, value: int, longest: int = 5) -> bytes:
        padding = self._random.randint(1, longest) if self._random.random() < 0.02 else 0
        septets = [value >> shift & 0x7F for shift in range(0, 70, 7) if value >> shift or shift < 7 * padding]
        return bytes([septet | 0x80 for septet in septets[:-1]] + septets[-1:]) or b"\0"

    def _text(self) -> bytes:
        return self._random.choice(_TEXTS).encode()

    def _id(self, length: int) -> bytes:
        return self._random.randbytes(self._random.choice([0, 1, 8, 16, length, length, length, length]))

    def _integer(self) -> int:
        return self._random.choice(_INTEGERS)

    def _fixed64(self) -> "_Fixed":
        return _Fixed(struct.pack("<Q", self._integer()))

    def _up_to(self, most: int) -> int:
        return self._random.randint(0, most)


class _Fixed(bytes):
    """What is written without its length."""


def damaged(rng: random.Random, body: bytes, other: bytes) -> bytes:
    """The body after one to three of: a flipped bit, another byte, a cut, an insertion, a splice, a length changed."""
    spoiled = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(spoiled)) if spoiled else 0
        kind = rng.randrange(6)
        if kind == 0 and spoiled:
            spoiled[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and spoiled:
            spoiled[place] = rng.randrange(256)
        elif kind == 2:
            del spoiled[place : place + rng.randint(1, 8)]
        elif kind == 3:
            spoiled[place:place] = rng.randbytes(rng.randint(1, 4))
        elif kind == 4 and other:
            start = rng.randrange(len(other))
            spoiled[place:place] = other[start : start + rng.randint(1, 30)]
        elif spoiled:
            spoiled[place] = (spoiled[place] + rng.choice([-1, 1])) % 256
    return bytes(spoiled)


def document(message: Message) -> Any:
    """The message in OTLP/JSON: protobuf's own mapping, but with ids in hexadecimal and enums as integers."""

    def with_ids(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                name: base64.b64decode(value).hex() if name in _IDS else with_ids(value) for name, value in node.items()
            }
        return [with_ids(each) for each in node] if isinstance(node, list) else node

    return with_ids(json_format.MessageToDict(message, use_integers_for_enums=True))


_IDS = ("traceId", "spanId", "parentSpanId")
_ODD = [
    *(None, True, False, "", "x", "true", [], {}, [None], [{}], {"values": [{}]}),
    *(0, -1, 1.0, 1.5, -0.0, 1e300, 2**31, -(2**31) - 1, 2**63, 2**64),
    *("-1", "007", "1.0", "1e3", "1.5", "NaN", "Infinity", str(2**63), str(2**64), "9" * 5000),
    *("YQ==", "YQ", "-_", {"stringValue": "a", "intValue": 1}, {"stringValue": None, "intValue": 1}),
]


def altered(rng: random.Random, given: Any) -> tuple[str, Any, Any] | None:
    """The name of one of a document's places, something odd, and the document with that in the place."""
    copy = json.loads(json.dumps(given))
    places = list(_places(copy))
    if not places:
        return None
    name, container, at = rng.choice(places)
    container[at] = rng.choice(_ODD)
    return name, container[at], copy


def _places(node: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    for at, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        inner = at if isinstance(node, dict) else name
        yield inner, node, at
        yield from _places(value, inner)


Read = Callable[[bytes, Wanted], Records]


def found(read: Read, body: bytes, wanted: Wanted = WANTED) -> dict[str, Any] | None:
    """What is in a request, with texts in the place of their codes, so that it can be compared; None if refused."""
    try:
        records = read(body, wanted)
    except MalformedError:
        return None
    strings = records.strings

    def texts(codes: Any) -> tuple[Any, ...]:
        return str(codes.dtype), [strings[code] for code in codes.tolist()]

    def of(attributes: Attributes) -> dict[str, Any]:
        return {
            "texts": {key: texts(codes) for key, codes in attributes.texts.items()},
            "numbers": {key: _bits(column) for key, column in attributes.numbers.items()},
            "hashes": {key: _bits(column) for key, column in attributes.hashes.items()},
            "vectors": {key: _bits(column) for key, column in attributes.vectors.items()},
        }

    return {
        "first": strings[0],
        **{name: _bits(getattr(records, name)) for name in _PLAIN},
        **{name: texts(getattr(records, name)) for name in ("name", "scope", "trace_state")},
        "resource": {key: texts(codes) for key, codes in records.resource.items()},
        "attributes": of(records.attributes),
        "events": (_bits(records.events.span), texts(records.events.name), _bits(records.events.time)),
        "event attributes": of(records.events.attributes),
    }


_PLAIN = ("trace_id", "span_id", "parent_id", "start", "end", "failed", "client", "sampled")


def _bits(column: Any) -> tuple[str, tuple[int, ...], bytes]:
    if column.dtype == np.float64:
        column = np.where(np.isnan(column), np.nan, column)  # a NaN is a NaN
    return str(column.dtype), column.shape, column.tobytes()
