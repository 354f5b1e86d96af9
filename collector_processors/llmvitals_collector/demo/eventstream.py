"""Amazon's binary framing of events (https://smithy.io/2.0/aws/amazon-eventstream.html)."""

import json
import struct
import zlib
from typing import Any

from llmvitals_collector.demo.wire import Event

MEDIA_TYPE = "application/vnd.amazon.eventstream"

STRING = 7  # the type of a header's value


def event(name: str, body: dict[str, Any], *, is_token: bool = False) -> Event:
    """An event of the type `name`."""
    return Event(_message({":event-type": name, ":message-type": "event"}, body), is_token)


def exception(name: str, body: dict[str, Any]) -> Event:
    """A failure in mid-stream, of the type `name`."""
    return Event(_message({":exception-type": name, ":message-type": "exception"}, body))


def _message(headers: dict[str, str], body: dict[str, Any]) -> bytes:
    """Lengths and their checksum, headers, payload, and the checksum of all that."""
    payload = json.dumps(body).encode()
    encoded = b"".join(_header(*header) for header in {**headers, ":content-type": "application/json"}.items())
    total = 4 * struct.calcsize("!I") + len(encoded) + len(payload)
    prelude = struct.pack("!II", total, len(encoded))
    message = prelude + _checksum(prelude) + encoded + payload
    return message + _checksum(message)


def _header(name: str, value: str) -> bytes:
    return struct.pack(f"!B{len(name)}sBH", len(name), name.encode(), STRING, len(value)) + value.encode()


def _checksum(data: bytes) -> bytes:
    return struct.pack("!I", zlib.crc32(data))
