"""What becomes of a request: decoded, kept, counted, and the answer to whoever sent it."""

import time
from typing import Any

from llmvitals import semconv
from llmvitals_collector.counting import Counting
from llmvitals_collector.debug import Debug
from llmvitals_collector.decode import Encoding, decode_logs, decode_traces
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.health import Health
from llmvitals_collector.receivers import RefusedError, Rejected, Signal, UnavailableError
from llmvitals_collector.storage import StorageError
from llmvitals_collector.telemetry import Telemetry

_DATA_TYPES = {Signal.TRACES: semconv.DATA_TRACES, Signal.LOGS: semconv.DATA_LOGS}
_SENTENCES = {
    semconv.INVALID_IDS: "have no valid trace id and span id, without which a repetition would count twice",
}
# A disk that is full does not get empty at once.
_RETRY_SECONDS = 5.0


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
        self._storage_fails = False

    def take(self, receiver: str, signal: Signal, body: bytes, encoding: Encoding) -> Rejected | None:
        since = time.thread_time()
        decoded = self._decoded(signal, body, encoding)
        self._telemetry.spent(semconv.STAGE_DECODE, since)
        self._debug.note(_DATA_TYPES[signal], decoded)
        try:
            for records in (decoded.records, *decoded.beside):
                self._counting.take(records)
        except StorageError as error:
            self._storage_fails = True
            self._health.report("storage", str(error))
            self._telemetry.not_taken(receiver, signal, len(decoded.told))
            raise UnavailableError(_RETRY_SECONDS, str(error)) from error
        if self._storage_fails:
            self._storage_fails = False
            self._health.report("storage", None)
        self._telemetry.taken(receiver, signal, decoded)
        self._forward.offer(signal, body, encoding, len(decoded.told))
        return _rejected(decoded)

    def _decoded(self, signal: Signal, body: bytes, encoding: Encoding) -> Decoded[Any]:
        if signal is Signal.TRACES:
            return decode_traces(body, encoding, content=self.content)
        return decode_logs(body, encoding)

    def refuse(self, receiver: str, refused: RefusedError, peer: str) -> None:
        self._telemetry.count(semconv.COLLECTOR_REFUSED_REQUESTS, receiver, refused.reason)
        self._debug.refused(receiver, refused.reason, str(refused), peer)


def _rejected(decoded: Decoded[Any]) -> Rejected | None:
    if not decoded.rejected:
        return None
    sentences = (f"{count} {_SENTENCES[reason]}" for reason, count in decoded.rejected.items())
    return Rejected(decoded.rejected.total(), "; ".join(sentences))
