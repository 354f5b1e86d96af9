"""What is a request in protobuf, byte by byte. https://protobuf.dev/programming-guides/encoding/"""

import zlib

import numpy as np
import pytest
from otlp_corpus import WANTED, found

from llmvitals_collector.malformed import MalformedError


def part(number: int, *payload: bytes) -> bytes:
    """A field that has a length."""
    joined = b"".join(payload)
    return varint(number << 3 | 2) + varint(len(joined)) + joined


def varint(value: int) -> bytes:
    septets = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([septet | 0x80 for septet in septets[:-1]] + septets[-1:])


def request(*span: bytes) -> bytes:
    return part(1, part(2, part(2, *span)))


def attribute(key: str, *value: bytes) -> bytes:
    return part(9, part(1, key.encode()), *[part(2, each) for each in value])


def text(value: str) -> bytes:
    return part(1, value.encode())


def integer(value: int) -> bytes:
    return b"\x18" + varint(value)


def nested(levels: int) -> bytes:
    """A request whose deepest message stands so many levels below it."""
    value = b""
    for level in range(levels, 5, -1):
        value = part(5 if level % 2 == 0 else 1, value)
    return request(part(9, part(2, value)))


ODD_BUT_VALID = {
    "nothing": b"",
    "a field that no one knows": part(99, b"\xff"),
    "an unknown group": b"\x7b\x08\x01\x7c",
    "a group where a message is due": b"\x0b\x0c",
    "field number 0 within an unknown group": b"\x7b\x02\x00\x7c",
    "a hundred groups, each in the next": b"\x7b" * 100 + b"\x7c" * 100,
    "a tag of five bytes": b"\x8a\x80\x80\x80\x00\x00",
    "a length of five bytes": b"\x0a\x80\x80\x80\x80\x00",
    "a varint of ten bytes": b"\x78" + b"\xff" * 9 + b"\x01",
    "a varint of more than 64 bits": b"\x78" + b"\xff" * 9 + b"\x7f",
    "a text where an id is due": request(b"\x08\x05"),
    "a kind that there is not": request(b"\x30\x63"),
    "the last character of Unicode": request(part(5, b"\xf4\x8f\xbf\xbf")),
    "what is no UTF-8 in a field that no one knows": request(part(99, b"\xff")),
    "messages a hundred levels deep": nested(100),
}
MALFORMED = {
    "field number 0": b"\x00\x00",
    "wire type 6": b"\x7e",
    "wire type 7": b"\x7f",
    "a group that does not end": b"\x7b",
    "a group that did not begin": b"\x7c",
    "a group that ends as another": b"\x7b\x74",
    "a group that ends outside its message": part(1, b"\x7b") + b"\x7c",
    "a hundred and one groups": b"\x7b" * 101 + b"\x7c" * 101,
    "a tag of six bytes": b"\x8a\x80\x80\x80\x80\x00\x00",
    "a tag of more than 32 bits": b"\x8a\x80\x80\x80\x10\x00",
    "a length of six bytes": b"\x0a\x80\x80\x80\x80\x80\x00",
    "a varint of eleven bytes": b"\x78" + b"\x80" * 10 + b"\x00",
    "a length beyond the end": b"\x0a\x05\x00",
    "a span that is longer than its scope": part(1, part(2, b"\x12\x05\x00")),
    "half a time": request(b"\x39" + bytes(7)),
    "messages a hundred and one levels deep": nested(101),
    "a surrogate": request(part(5, b"\xed\xa0\x80")),
    "a character in too many bytes": request(part(5, b"\xc0\x80")),
    "what is no UTF-8 in the message of a status": request(part(15, part(2, b"\xff"))),
    "what is no UTF-8 in a key that no one wants": request(part(9, part(1, b"\xff"))),
    "what is no UTF-8 in a key that is given again": request(part(9, part(1, b"\xff"), part(1, b"model"))),
    "what is no UTF-8 in a list in a link": request(part(13, part(4, part(2, part(5, part(1, part(1, b"\xff"))))))),
    "what is no UTF-8 in an entity": part(1, part(1, part(3, part(4, b"\xff")))),
}


@pytest.mark.parametrize("name", ODD_BUT_VALID)
def test_what_is_odd_but_valid_is_read(walker, name):
    assert found(walker.spans, ODD_BUT_VALID[name]) is not None


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_whole(walker, name):
    valid = request(text("model"))
    for body in (MALFORMED[name], valid + MALFORMED[name], MALFORMED[name] + valid):
        with pytest.raises(MalformedError, match="the body is no ExportTraceServiceRequest in protobuf"):
            walker.spans(body, WANTED)


def test_log_records_are_refused_in_their_own_words(walker):
    with pytest.raises(MalformedError, match="the body is no ExportLogsServiceRequest in protobuf"):
        walker.log_records(b"\x0a", WANTED)


def texts(records, codes):
    return [records.strings[code] for code in codes.tolist()]


def test_a_resource_counts_wherever_it_stands(walker):
    resource = part(1, part(1, part(1, b"service.name"), part(2, text("shop"))))
    spans = part(2, part(2), part(2))
    for body in (
        part(1, resource, spans),
        part(1, spans, resource),
        part(1, part(2, part(2)), resource, part(2, part(2))),
    ):
        records = walker.spans(body, WANTED)
        assert texts(records, records.resource["service.name"]) == ["shop", "shop"]


def test_each_resource_is_that_of_its_own_spans(walker):
    def of(name, spans):
        return part(1, part(1, part(1, part(1, b"service.name"), part(2, text(name)))), part(2, *[part(2)] * spans))

    records = walker.spans(of("a", 2) + part(1, part(2, part(2))) + of("b", 0) + of("c", 1), WANTED)
    assert texts(records, records.resource["service.name"]) == ["a", "a", "", "c"]


def test_of_a_key_that_stands_twice_the_last_counts(walker):
    model = walker.spans(request(attribute("model", text("a")), attribute("model", text("b"))), WANTED)
    assert texts(model, model.attributes.texts["model"]) == ["b"]
    emptied = walker.spans(request(attribute("model", text("a")), attribute("model")), WANTED)
    assert not emptied.attributes.texts


def test_of_a_value_that_is_given_twice_the_last_counts(walker):
    records = walker.spans(request(attribute("tokens", text("many"), integer(7))), WANTED)
    assert not records.attributes.texts
    assert records.attributes.numbers["tokens"].tolist() == [7]


def test_an_array_in_two_pieces_is_one(walker):
    one, two = part(5, part(1, integer(1))), part(5, part(1, integer(2)))
    assert walker.spans(request(attribute("gaps", one, two)), WANTED).attributes.vectors["gaps"].tolist() == [[1, 2]]
    broken = walker.spans(request(attribute("gaps", one, text(""), two)), WANTED)
    assert not broken.attributes.vectors


def test_a_truth_is_whatever_is_not_zero_in_64_bits(walker):
    values = [b"\x10\x00", b"\x10\x01", b"\x10\x80\x80\x01", b"\x10" + b"\x80" * 9 + b"\x02"]
    body = part(1, part(2, *[part(2, attribute("streamed", value)) for value in values]))
    assert walker.spans(body, WANTED).attributes.numbers["streamed"].tolist() == [0, 1, 1, 0]


def test_a_kind_is_what_its_lower_32_bits_say(walker):
    body = part(1, part(2, *[part(2, b"\x30" + varint(kind)) for kind in (3, 2**32 + 3, 4)]))
    assert walker.spans(body, WANTED).client.tolist() == [True, True, False]


def test_integers_are_rounded_to_the_nearest_double(walker):
    records = walker.spans(request(attribute("tokens", integer(2**53 + 1))), WANTED)
    assert records.attributes.numbers["tokens"].tolist() == [2.0**53]


@pytest.mark.parametrize("answer", ["chatcmpl-1", "größe", "x" * 1000])
def test_of_a_hashed_text_the_crc_32_is_kept(walker, answer):
    records = walker.spans(request(attribute("id", text(answer))), WANTED)
    assert records.attributes.hashes["id"].tolist() == [2**32 + zlib.crc32(answer.encode())]
    assert answer not in records.strings


def test_an_event_is_wanted_by_its_name_even_where_that_comes_last(walker):
    def event(name, value):
        return part(11, part(3, part(1, b"type"), part(2, text(value))), part(2, name.encode()))

    events = [
        event("exception", "A"),
        event("exception", "B"),
        event("chunk", "C"),
        event("chunk", "D"),
        event("x", "E"),
    ]
    records = walker.spans(part(1, part(2, part(2, *events), part(2, events[1]))), WANTED)
    assert records.events.span.tolist() == [0, 0, 0, 1]
    assert texts(records, records.events.name) == ["exception", "chunk", "chunk", "exception"]
    assert texts(records, records.events.attributes.texts["type"]) == ["A", "C", "D", "B"]


def test_columns_may_be_written_to(walker):
    records = walker.spans(request(attribute("tokens", integer(7))), WANTED)
    for column in (records.start, records.failed, records.name, records.attributes.numbers["tokens"]):
        assert column.flags.writeable


def test_an_id_of_another_length_is_absent(walker):
    records = walker.spans(request(part(1, b"1" * 16), part(2, b"2" * 7), part(4, b"3" * 8)), WANTED)
    assert records.trace_id.tolist() == [[0x3131313131313131] * 2]
    assert (records.span_id.tolist(), records.parent_id.tolist()) == ([0], [0x3333333333333333])
    assert records.trace_id.dtype == np.uint64
