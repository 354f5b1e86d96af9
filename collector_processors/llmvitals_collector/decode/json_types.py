"""Numbers, ids and bytes as OTLP/JSON writes them, each with what it refuses.

https://protobuf.dev/programming-guides/json/ and https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import re

Written = int | float | str  # in any of these a number may be written

_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_INTEGER = re.compile(r"-?[0-9]{1,20}")  # more digits never fit, and would take long to read
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def int64(written: Written) -> int:
    """An integer: a number, or a text of one; a fraction of zeros and an exponent are allowed.

    Raises:
        ValueError, OverflowError: it is none, or does not fit into 64 bits.
    """
    return _integer(written, -(2**63), 2**63 - 1)


def uint64(written: Written) -> int:
    """The same without a sign."""
    return _integer(written, 0, 2**64 - 1)


def uint32(written: Written) -> int:
    """The same without a sign, in 32 bits."""
    return _integer(written, 0, 2**32 - 1)


def _integer(written: Written, least: int, most: int) -> int:
    if isinstance(written, str) and not _INTEGER.fullmatch(written):
        written = double(written)
    number = int(written)
    if not least <= number <= most or (isinstance(written, float) and number != written):
        raise ValueError("a number that is no integer, or does not fit")
    return number


def double(written: Written) -> float:
    """A number, or a text of one, which may also be NaN, Infinity or -Infinity.

    Raises:
        ValueError: it is none.
    """
    if isinstance(written, str) and written not in _NOT_FINITE and not _DECIMAL.fullmatch(written):
        raise ValueError("a text that is no number")
    return float(written)


def identifier(written: str) -> bytes:
    """An id in hexadecimal, in either case.

    Raises:
        ValueError: it is none.
    """
    value = bytes.fromhex(written)
    if 2 * len(value) != len(written):
        raise ValueError("a text with blanks, which Python would skip")
    return value


def check_bytes(written: str) -> None:
    """Refuse what is no base64, standard or URL-safe, with or without padding.

    Raises:
        ValueError: it is none.
    """
    standard = written.replace("-", "+").replace("_", "/").rstrip("=")
    base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
