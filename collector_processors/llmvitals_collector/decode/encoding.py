"""The two encodings of OTLP."""

from enum import Enum


class Encoding(Enum):
    """How a request body is encoded, by its content type. https://opentelemetry.io/docs/specs/otlp/"""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"
