"""The ways in: each receiver hands the bytes that it gets to one intake, and tells the client what became of them."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from llmvitals import semconv
from llmvitals_collector.decode import Encoding


class Signal(Enum):
    """What a request tells of, and where OTLP/HTTP takes it."""

    TRACES = "/v1/traces"
    LOGS = "/v1/logs"
    METRICS = "/v1/metrics"  # which are sent, and not received


RECEIVED = (Signal.TRACES, Signal.LOGS)


@dataclass(frozen=True, slots=True)
class Rejected:
    """What a request held that was not taken, although the request was; nobody will send it again."""

    count: int  # spans or log records
    reason: str  # a sentence for the sender


class RefusedError(Exception):
    """A request that was not taken, nothing of it: why, in a sentence for the sender, and one of REFUSED_REASONS.

    Clients send it again, after `retry_after_seconds`, where there is such a time; else never.
    """

    def __init__(self, reason: str, sentence: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(RefusedError):
    """The collector cannot take anything at the moment: it stops, its disk is full, ..."""

    def __init__(self, retry_after_seconds: float, sentence: str) -> None:
        super().__init__(semconv.UNAVAILABLE, sentence, retry_after_seconds)


class Intake(Protocol):
    def take(self, receiver: str, signal: Signal, body: bytes, encoding: Encoding) -> Rejected | None:
        """Count the whole of a request before it is answered; called by several threads at once.

        Raises:
            MalformedError: the body cannot be decoded; nothing of it is counted.
            UnavailableError: nothing of it is counted, and the client is to send it again.
        """
        ...

    def refuse(self, receiver: str, refused: RefusedError, peer: str) -> None:
        """Note that a request was refused, by the receiver or by `take`; peer: the address that it came from."""
        ...
