"""OTLP in JSON: typed structs in the form of the official classes, through which the same walk goes.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: names are in lowerCamelCase, enums are integers, what
is unknown is ignored. Numbers and ids are those of json_types.
"""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import msgspec

from llmvitals_collector.decode.json_types import Written, check_bytes, double, identifier, int64, uint32, uint64
from llmvitals_collector.decode.walk import Value, Walk
from llmvitals_collector.malformed import MalformedError
from llmvitals_collector.records import Records, Wanted

S = TypeVar("S", bound=msgspec.Struct)
_Enum: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
if TYPE_CHECKING:
    _Id: TypeAlias = Any  # bytes, once it is converted
else:
    _Id = str


class _Message(msgspec.Struct, rename="camel", gc=False):
    pass


class _Array(_Message):
    values: "list[_Value]" = []


class _KeyValueList(_Message):
    values: "list[_Attribute]" = []


class _Value(_Message):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Written | None = None
    double_value: Written | None = None
    array_value: _Array | None = None
    kvlist_value: _KeyValueList | None = None
    bytes_value: str | None = None

    def __post_init__(self) -> None:
        single = (self.string_value, self.bool_value, self.int_value, self.double_value)
        if (*single, self.array_value, self.kvlist_value, self.bytes_value).count(None) < 6:
            raise ValueError("a value of several types")
        if self.int_value is not None:
            self.int_value = int64(self.int_value)
        elif self.double_value is not None:
            self.double_value = double(self.double_value)
        elif self.bytes_value is not None:
            check_bytes(self.bytes_value)


class _Attribute(_Message):
    key: str = ""
    value: _Value | None = None


class _EntityRef(_Message):
    schema_url: str = ""
    type: str = ""
    id_keys: list[str] = []
    description_keys: list[str] = []


class _Resource(_Message):
    attributes: list[_Attribute] = []
    dropped_attributes_count: Written = 0
    entity_refs: list[_EntityRef] = []

    def __post_init__(self) -> None:
        uint32(self.dropped_attributes_count)


class _Scope(_Message):
    name: str = ""
    version: str = ""
    attributes: list[_Attribute] = []
    dropped_attributes_count: Written = 0

    def __post_init__(self) -> None:
        uint32(self.dropped_attributes_count)


class _Event(_Message):
    time_unix_nano: Written = 0
    name: str = ""
    attributes: list[_Attribute] = []
    dropped_attributes_count: Written = 0

    def __post_init__(self) -> None:
        self.time_unix_nano = uint64(self.time_unix_nano)
        uint32(self.dropped_attributes_count)


class _Link(_Message):
    trace_id: _Id = ""
    span_id: _Id = ""
    trace_state: str = ""
    attributes: list[_Attribute] = []
    dropped_attributes_count: Written = 0
    flags: Written = 0

    def __post_init__(self) -> None:
        identifier(self.trace_id)
        identifier(self.span_id)
        uint32(self.flags)
        uint32(self.dropped_attributes_count)


class _Status(_Message):
    message: str = ""
    code: _Enum = 0


class _Span(_Message):
    trace_id: _Id = ""
    span_id: _Id = ""
    trace_state: str = ""
    parent_span_id: _Id = ""
    flags: Written = 0
    name: str = ""
    kind: _Enum = 0
    start_time_unix_nano: Written = 0
    end_time_unix_nano: Written = 0
    attributes: list[_Attribute] = []
    dropped_attributes_count: Written = 0
    events: list[_Event] = []
    dropped_events_count: Written = 0
    links: list[_Link] = []
    dropped_links_count: Written = 0
    status: _Status = msgspec.field(default_factory=_Status)

    def __post_init__(self) -> None:
        self.trace_id = identifier(self.trace_id)
        self.span_id = identifier(self.span_id)
        self.parent_span_id = identifier(self.parent_span_id)
        self.flags = uint32(self.flags)
        self.start_time_unix_nano = uint64(self.start_time_unix_nano)
        self.end_time_unix_nano = uint64(self.end_time_unix_nano)
        uint32(self.dropped_attributes_count)
        uint32(self.dropped_events_count)
        uint32(self.dropped_links_count)


class _ScopeSpans(_Message):
    scope: _Scope = msgspec.field(default_factory=_Scope)
    spans: list[_Span] = []
    schema_url: str = ""


class _ResourceSpans(_Message):
    resource: _Resource = msgspec.field(default_factory=_Resource)
    scope_spans: list[_ScopeSpans] = []
    schema_url: str = ""


class _Spans(_Message):
    resource_spans: list[_ResourceSpans] = []


class _LogRecord(_Message):
    time_unix_nano: Written = 0
    observed_time_unix_nano: Written = 0
    severity_number: _Enum = 0
    severity_text: str = ""
    body: _Value | None = None
    attributes: list[_Attribute] = []
    dropped_attributes_count: Written = 0
    flags: Written = 0
    trace_id: _Id = ""
    span_id: _Id = ""
    event_name: str = ""

    def __post_init__(self) -> None:
        self.trace_id = identifier(self.trace_id)
        self.span_id = identifier(self.span_id)
        self.time_unix_nano = uint64(self.time_unix_nano)
        self.observed_time_unix_nano = uint64(self.observed_time_unix_nano)
        uint32(self.flags)
        uint32(self.dropped_attributes_count)


class _ScopeLogs(_Message):
    scope: _Scope = msgspec.field(default_factory=_Scope)
    log_records: list[_LogRecord] = []
    schema_url: str = ""


class _ResourceLogs(_Message):
    resource: _Resource = msgspec.field(default_factory=_Resource)
    scope_logs: list[_ScopeLogs] = []
    schema_url: str = ""


class _Logs(_Message):
    resource_logs: list[_ResourceLogs] = []


def spans(body: bytes, wanted: Wanted) -> Records:
    """The spans in the body of an ExportTraceServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return Walk(wanted, _value).spans(_parsed(_SPANS, body, "ExportTraceServiceRequest"))


def log_records(body: bytes, wanted: Wanted) -> Records:
    """The log records in the body of an ExportLogsServiceRequest.

    Raises:
        MalformedError: the body is no such message.
    """
    return Walk(wanted, _value).log_records(_parsed(_LOGS, body, "ExportLogsServiceRequest"))


_SPANS, _LOGS = msgspec.json.Decoder(_Spans), msgspec.json.Decoder(_Logs)


def _parsed(decoder: msgspec.json.Decoder[S], body: bytes, message: str) -> S:
    try:
        text = body.decode()  # all of it, as msgspec skips what is unknown whatever its bytes are
        try:
            return decoder.decode(text)
        except msgspec.ValidationError:
            if "null" not in text:
                raise
            # Senders that write null where nothing is are few, and pay for it; the others do not.
            return msgspec.convert(_without_nulls(msgspec.json.decode(text)), decoder.type)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise MalformedError(f"the body is no {message} in JSON") from error


def _without_nulls(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _without_nulls(value) for name, value in node.items() if value is not None}
    return [_without_nulls(each) for each in node] if isinstance(node, list) else node


def _value(value: _Value | None) -> Value:
    if value is not None and value.array_value is not None:
        return [_single(each) for each in value.array_value.values]
    return _single(value)


def _single(value: _Value | None) -> Value:
    if value is None:
        return None
    for single in (value.string_value, value.int_value, value.double_value):
        if single is not None:
            return single
    return value.bool_value
