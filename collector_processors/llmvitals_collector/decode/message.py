"""OTLP bytes to the official protobuf messages, from either encoding."""

import base64
import json
from enum import Enum
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

M = TypeVar("M", bound=Message)

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


class Encoding(Enum):
    """The two encodings of OTLP, by their content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class MalformedError(ValueError):
    """A request body that is not what it should be; nothing of it is counted."""


def parse(message: type[M], body: bytes, encoding: Encoding) -> M:
    """Parse a request body.

    Raises:
        MalformedError: the body is not such a message in that encoding.
    """
    try:
        if encoding is Encoding.PROTOBUF:
            return message.FromString(body)
        return json_format.ParseDict(_json_object(body), message(), ignore_unknown_fields=True)
    # Wrong types end in a TypeError, JSON that is nested too deeply in a RecursionError.
    except (DecodeError, json_format.ParseError, ValueError, TypeError, RecursionError) as error:
        raise MalformedError(f"the body is no {message.DESCRIPTOR.name} in {encoding.value}") from error


def _json_object(body: bytes) -> dict[str, Any]:
    value = json.loads(body, object_hook=_ids_in_base64)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _ids_in_base64(value: dict[str, Any]) -> dict[str, Any]:
    """Rewrite hexadecimal ids, which OTLP/JSON has, in base64, which protobuf's own JSON mapping reads.

    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    """
    for key in _IDS & value.keys():
        if value[key]:
            value[key] = base64.b64encode(bytes.fromhex(value[key])).decode()
    return value
