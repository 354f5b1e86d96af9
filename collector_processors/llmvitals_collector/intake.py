"""What becomes of a request: decoded, kept, counted, and the answer to whoever sent it."""

import time
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any, Protocol

from llmvitals import semconv
from llmvitals_collector.columns import Columns
from llmvitals_collector.debug import Debug
from llmvitals_collector.decode import Encoding, decode_logs, decode_traces, is_whole
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.health import Health
from llmvitals_collector.joining import JOINED_BYTES, Joining
from llmvitals_collector.receivers import RECEIVED, RefusedError, Rejected, Signal, UnavailableError
from llmvitals_collector.storage import StorageError
from llmvitals_collector.telemetry import Telemetry

_DATA_TYPES = {Signal.TRACES: semconv.DATA_TRACES, Signal.LOGS: semconv.DATA_LOGS}
_SENTENCES = {
    semconv.INVALID_IDS: "have no valid trace id and span id, without which a repetition would count twice",
}
# A disk that is full does not get empty at once.
_RETRY_SECONDS = 5.0


class Counting(Protocol):
    """What counts: in this process, or in the one that this process works for."""

    def take(self, *batches: Columns) -> None:
        """Take the batches of a request; they are durable on return, if anything is kept.

        Raises:
            StorageError: they cannot be kept. They are not to be acknowledged.
        """
        ...


class Intake:
    """Takes requests from the receivers, several at once; see receivers.Intake.

    content: whether what was said in calls is read, because something looks at it. May be set anew at any time.
    """

    def __init__(
        self, counting: Counting, telemetry: Telemetry, debug: Debug, forward: Forward, health: Health
    ) -> None:
        self.content = False
        self._counting = counting
        self._telemetry = telemetry
        self._debug = debug
        self._forward = forward
        self._health = health
        # Of the network's requests; what the collector finds itself comes one at a time.
        self._joining = {
            of: Joining(partial(self._take, *of, encoding=Encoding.PROTOBUF), partial(self._take_together, *of), None)
            for of in product((semconv.RECEIVER_GRPC, semconv.RECEIVER_HTTP), RECEIVED)
        }

    def take(self, receiver: str, signal: Signal, body: bytes, encoding: Encoding) -> Rejected | None:
        joining = self._joining.get((receiver, signal))
        if joining and encoding is Encoding.PROTOBUF and len(body) <= JOINED_BYTES and is_whole(body):
            return joining.take(body)
        return self._take(receiver, signal, body, encoding)

    def _take(self, receiver: str, signal: Signal, body: bytes, encoding: Encoding) -> Rejected | None:
        decoded = self.decode(signal, body, encoding)
        self._count(receiver, signal, decoded)
        self.taken(receiver, signal, body, encoding, decoded)
        return _rejected(decoded)

    def _take_together(self, receiver: str, signal: Signal, bodies: Sequence[bytes]) -> bool:
        """Take several whole requests as the one that they are; False where one of them is to get its own answer."""
        body = b"".join(bodies)
        try:
            decoded = self._decoded(signal, body, Encoding.PROTOBUF)
        except Exception:  # whatever is wrong with one of them is not to keep the others out
            return False
        if decoded.rejected:
            return False
        self._debug.note(_DATA_TYPES[signal], decoded)
        self._count(receiver, signal, decoded)
        self.taken(receiver, signal, body, Encoding.PROTOBUF, decoded)
        return True

    def _count(self, receiver: str, signal: Signal, decoded: Decoded[Any]) -> None:
        try:
            with self._health.of("storage", StorageError):
                self._counting.take(decoded.records, *decoded.beside)
        except StorageError as error:
            self._telemetry.not_taken(receiver, signal, len(decoded.told))
            raise UnavailableError(_RETRY_SECONDS, str(error)) from error

    def taken(self, receiver: str, signal: Signal, body: bytes, encoding: Encoding, decoded: Decoded[Any]) -> None:
        """Note a request that is counted, and send it on."""
        self._telemetry.taken(receiver, signal, decoded)
        self._forward.offer(signal, body, encoding, len(decoded.told))

    def decode(self, signal: Signal, body: bytes, encoding: Encoding) -> Decoded[Any]:
        """What a request holds, of which nothing is counted yet.

        Raises:
            MalformedError: it cannot be decoded.
        """
        decoded = self._decoded(signal, body, encoding)
        self._debug.note(_DATA_TYPES[signal], decoded)
        return decoded

    def _decoded(self, signal: Signal, body: bytes, encoding: Encoding) -> Decoded[Any]:
        since = time.thread_time()
        try:
            if signal is Signal.TRACES:
                return decode_traces(body, encoding, content=self.content)
            return decode_logs(body, encoding)
        finally:
            self._telemetry.spent(semconv.STAGE_DECODE, since)

    def refuse(self, receiver: str, refused: RefusedError, peer: str) -> None:
        self._telemetry.count(semconv.COLLECTOR_REFUSED_REQUESTS, receiver, refused.reason)
        self._debug.refused(receiver, refused.reason, str(refused), peer)


def _rejected(decoded: Decoded[Any]) -> Rejected | None:
    if not decoded.rejected:
        return None
    sentences = (f"{count} {_SENTENCES[reason]}" for reason, count in decoded.rejected.items())
    return Rejected(decoded.rejected.total(), "; ".join(sentences))
