"""OTLP's JSON to protobuf, for backends that take nothing else."""

import base64
import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

# What OTLP writes in hexadecimal digits, and protobuf's own JSON in base64.
# https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
_IDS = ("traceId", "spanId", "parentSpanId")


def protobuf(body: bytes, message: type[Message]) -> bytes:
    """A request, which has been decoded before and so is valid, in protobuf.

    Raises:
        ValueError: it is not valid.
    """
    document = json.loads(body, object_hook=_in_base64)
    return json_format.ParseDict(document, message(), ignore_unknown_fields=True).SerializeToString()


def _in_base64(members: dict[str, Any]) -> dict[str, Any]:
    for name in _IDS:
        if isinstance(digits := members.get(name), str):
            members[name] = base64.b64encode(bytes.fromhex(digits)).decode()
    return members
