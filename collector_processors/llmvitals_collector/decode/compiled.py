"""OTLP in protobuf, by the compiled walker: importing this raises ImportError where that has not been built."""

import ctypes
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.decode.build import library
from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.records import Attributes, Events, Records, Wanted

try:
    _walker = ctypes.CDLL(str(library()))
except OSError as error:
    raise ImportError(f"{library()} is not there or cannot be loaded; build.py beside it compiles it") from error
_walk, _release = _walker.llmvitals_walk, _walker.llmvitals_release
_BYTES = (ctypes.c_char_p, ctypes.c_size_t)
_walk.argtypes = (ctypes.c_bool, *_BYTES, *_BYTES, ctypes.POINTER(ctypes.c_size_t))
_walk.restype = ctypes.c_void_p
_release.argtypes, _release.restype = (ctypes.c_void_p, ctypes.c_size_t), None

_WORD, _COUNT, _CODE, _FLAG = np.dtype(np.uint64), np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.bool_)
_FORMS = (_CODE, np.dtype(np.float64), _WORD, np.dtype(np.float64))  # of texts, numbers, hashes, vectors
_VECTOR = 3
_RECORD, _RESOURCE, _EVENT, _EVENT_NAME = range(4)  # what a wanted key is of


def spans(body: bytes, wanted: Wanted) -> Records:
    """The spans in the body of an ExportTraceServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return _records(body, wanted, of_logs=False)


def log_records(body: bytes, wanted: Wanted) -> Records:
    """The log records in the body of an ExportLogsServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return _records(body, wanted, of_logs=True)


class _Request:
    """What is wanted, in the form in which the walker reads it; the place of a key is its place in its tuple."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.keys, self.resource = tuple(wanted.attributes), tuple(wanted.resource)
        self.event_keys = tuple(wanted.event_attributes)
        entries = [(_RECORD, self._argument(key), key) for key in self.keys]
        entries += [(_RESOURCE, 0, key) for key in self.resource]
        entries += [(_EVENT, 0, key) for key in self.event_keys]
        entries += [(_EVENT_NAME, int(repeated), name) for name, repeated in wanted.events.items()]
        texts = [(role, argument, key.encode()) for role, argument, key in entries]
        self.entries = b"".join(struct.pack("<III", *head, len(key)) + key for *head, key in texts)

    def _argument(self, key: str) -> int:
        # 1 for a key of which only hashes are wanted, more for a vector, 0 for all others.
        return 1 + self.wanted.vectors[key] if key in self.wanted.vectors else int(key in self.wanted.hashed)


_requests: dict[int, _Request] = {}  # by the identity of what is wanted, which is kept along with it


def _records(body: bytes, wanted: Wanted, *, of_logs: bool) -> Records:
    request = _requests.get(id(wanted))
    if request is None:
        request = _requests[id(wanted)] = _Request(wanted)
    length = ctypes.c_size_t()
    pointer = _walk(of_logs, request.entries, len(request.entries), body, len(body), length)
    if pointer is None:
        if length.value:
            raise RuntimeError("the compiled walker failed; LLMVITALS_COLLECTOR_DECODER=python does without it")
        raise MalformedError(f"the body is no Export{'Logs' if of_logs else 'Trace'}ServiceRequest in protobuf")
    try:
        columns = bytearray(ctypes.string_at(pointer, length.value))
    finally:
        _release(pointer, length)
    return _Columns(columns).records(request)


class _Columns:
    """Takes the columns, one after the other, out of the bytes in which the walker has laid them."""

    def __init__(self, columns: bytearray) -> None:
        self._columns = columns
        self._at = 0

    def records(self, request: _Request) -> Records:
        take = self._take
        rows, resources, events, texts = take(_WORD, 4).tolist()
        trace_id = take(_WORD, 2 * rows).reshape(-1, 2)
        span_id, parent_id, start, end = [take(_WORD, rows) for _ in range(4)]
        failed, client, sampled = [take(_FLAG, rows) for _ in range(3)]
        name, scope, trace_state = [take(_CODE, rows) for _ in range(3)]
        of_spans, names, times = take(_CODE, events), take(_CODE, events), take(_WORD, events)
        counts = take(_COUNT, resources)
        of_resources = self._attributes(request.resource, {}, resources).texts
        return Records(
            trace_id=trace_id,
            span_id=span_id,
            parent_id=parent_id,
            start=start,
            end=end,
            failed=failed,
            client=client,
            sampled=sampled,
            name=name,
            scope=scope,
            trace_state=trace_state,
            resource={key: np.repeat(codes, counts) for key, codes in of_resources.items()},
            attributes=self._attributes(request.keys, request.wanted.vectors, rows),
            events=Events(of_spans, names, times, self._attributes(request.event_keys, {}, events)),
            strings=self._texts(texts),
        )

    def _attributes(self, keys: tuple[str, ...], vectors: Mapping[str, int], rows: int) -> Attributes:
        attributes = Attributes()
        columns = (attributes.texts, attributes.numbers, attributes.hashes, attributes.vectors)
        for head in self._take(_WORD, *self._take(_WORD, 1).tolist()).tolist():
            key, form = keys[head // 4], head % 4
            width = vectors[key] if form == _VECTOR else 1
            column = self._take(_FORMS[form], rows * width)
            columns[form][key] = column.reshape(-1, width) if form == _VECTOR else column
        return attributes

    def _texts(self, count: int) -> list[str]:
        ends = np.cumsum(self._take(_WORD, count)).tolist()
        text = self._columns[self._at :].decode()
        return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def _take(self, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
        column = np.frombuffer(self._columns, dtype, count, self._at)
        self._at += (column.nbytes + 7) // 8 * 8
        return column
