"""The ways in: each receiver hands the bytes that it gets to one intake."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from llmvitals_collector.decode import Decoded, Encoding

Decode: TypeAlias = Callable[[bytes, Encoding], Decoded[Any]]


class Intake(Protocol):
    def take(self, receiver: str, decode: Decode, body: bytes, encoding: Encoding) -> None:
        """Count the whole of a request before it is answered.

        Raises:
            MalformedError: the body cannot be decoded; nothing of it is counted.
        """
        ...

    def refuse(self, receiver: str, reason: str) -> None:
        """Note that a request was refused before its body was looked at; `reason` is one of REFUSED_REASONS."""
        ...
