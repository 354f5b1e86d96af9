"""Fields of protobuf messages, written by hand: https://protobuf.dev/programming-guides/encoding/"""

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_BYTE_BITS = 7  # that each byte of a varint holds


def integer(field: int, value: int) -> bytes:
    """A field of a whole number that is not negative."""
    return varint(field << 3) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """A field of a whole number that always takes eight bytes."""
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def text(field: int, value: str) -> bytes:
    return message(field, value.encode("utf-8", "replace"))


def message(field: int, value: bytes) -> bytes:
    """A field of bytes, of a text in UTF-8 or of another message."""
    return varint(field << 3 | 2) + varint(len(value)) + value


# Most are tags, lengths and small counts, again and again.
@lru_cache(maxsize=1 << 12)
def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= _BYTE_BITS
    encoded.append(value)
    return bytes(encoded)


def zigzag(value: int) -> int:
    """A number that may be negative as one that is not."""
    return value << 1 if value >= 0 else ~(value << 1)


def varints(values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Whole numbers that are not negative as varints of the same length, for which the smaller ones are padded.

    values: any shape; the bytes are along one more axis. Padding is valid up to ten bytes.
    """
    width = -(-max(int(values.max(initial=0)).bit_length(), 1) // _BYTE_BITS)
    shifts = np.arange(width) * _BYTE_BITS
    encoded = ((values[..., np.newaxis] >> shifts) & 0x7F).astype(np.uint8)
    encoded[..., :-1] |= 0x80
    return encoded
