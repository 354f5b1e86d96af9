"""From messages of several partitions to what is to be prepared of each."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from llmvitals import semconv
from llmvitals_collector.columns import Columns
from llmvitals_collector.decode import Encoding, MalformedError, is_whole
from llmvitals_collector.decoded import Decoded
from llmvitals_collector.joining import JOINED_BYTES
from llmvitals_collector.receivers import Signal
from llmvitals_collector.receivers.kafka import Message
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.receivers.kafka.set_aside import SetAside
from llmvitals_collector.storage.prepared import OffsetRange, Partition, Prepared
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

_ENCODINGS = {"otlp_proto": Encoding.PROTOBUF, "otlp_json": Encoding.JSON}
_TOGETHER_BYTES = 1 << 20  # backends that requests are forwarded to take 4 MiB at least


class Request(NamedTuple):
    """A message, which is a request as the other receivers get them, or several that are one; and what it holds."""

    signal: Signal
    body: bytes
    encoding: Encoding
    decoded: Decoded[Any]


class Portion(NamedTuple):
    """The next messages of a partition."""

    prepared: Prepared
    requests: Sequence[Request]


class Decode(Protocol):
    def decode(self, signal: Signal, body: bytes, encoding: Encoding) -> Decoded[Any]:
        """What a request holds.

        Raises:
            MalformedError: it cannot be decoded.
        """
        ...


class Reading:
    """Decodes messages; what cannot be decoded is counted, set aside, and passed."""

    def __init__(self, config: KafkaReceiver, decode: Decode, aside: SetAside, telemetry: Telemetry) -> None:
        self.signals = {
            **dict.fromkeys(config.traces_topics, Signal.TRACES),
            **dict.fromkeys(config.logs_topics, Signal.LOGS),
        }
        self._encoding = _ENCODINGS[config.encoding]
        self._most = config.max_message_bytes
        self._decode = decode
        self._aside = aside
        self._telemetry = telemetry

    def portions(self, messages: Iterable[Message], held: Mapping[Partition, Committed]) -> dict[Partition, Portion]:
        """The messages of partitions that are held, without those that were counted or came before.

        Raises:
            SetAsideError: a message that cannot be decoded cannot be set aside, either.
        """
        by_partition: dict[Partition, list[Message]] = {}
        ends = {of: each.offset for of, each in held.items()}
        for message in messages:
            if message.offset >= ends.get(message.of, message.offset + 1):
                by_partition.setdefault(message.of, []).append(message)
                ends[message.of] = message.offset + 1
        return {of: self._portion(of, found, held[of]) for of, found in by_partition.items()}

    def _portion(self, of: Partition, messages: Sequence[Message], held: Committed) -> Portion:
        requests = list(self._requests(messages))
        batches: dict[type[Columns], list[Columns]] = {}
        for request in requests:
            for batch in (request.decoded.records, *request.decoded.beside):
                if len(batch):
                    batches.setdefault(type(batch), []).append(batch)
        joined = [record.joined(several) for record, several in batches.items()]
        covers = OffsetRange(*of, held.claim, held.offset, messages[-1].offset + 1)
        return Portion(Prepared(covers, joined), requests)

    def _requests(self, messages: Sequence[Message]) -> Iterator[Request]:
        """Small messages as one request: an exporter that partitions by trace writes one for each trace."""
        joined: list[Message] = []
        size = 0
        for message in messages:
            more = len(message.value)
            if not self._joins(message.value):
                yield from self._together([message])
                continue
            if size + more > _TOGETHER_BYTES:
                yield from self._together(joined)
                joined, size = [], 0
            joined.append(message)
            size += more
        yield from self._together(joined)

    def _joins(self, body: bytes) -> bool:
        small = len(body) <= min(JOINED_BYTES, self._most)
        return small and self._encoding is Encoding.PROTOBUF and is_whole(body)

    def _together(self, messages: Sequence[Message]) -> Sequence[Request]:
        if len(messages) > 1:
            with suppress(Exception):  # of one of them, which is then set aside alone
                return [self._decoded(messages[0].of, b"".join(message.value for message in messages))]
        return [request for message in messages if (request := self._request(message))]

    def _decoded(self, of: Partition, body: bytes) -> Request:
        signal = self.signals[of[0]]
        return Request(signal, body, self._encoding, self._decode.decode(signal, body, self._encoding))

    def _request(self, message: Message) -> Request | None:
        if len(message.value) > self._most:
            self._set_aside(message, semconv.TOO_LARGE)
            return None
        try:
            return self._decoded(message.of, message.value)
        except MalformedError:
            self._set_aside(message, semconv.MALFORMED)
        except Exception:
            _logger.exception("%s made the collector fail", message)
            self._set_aside(message, semconv.INTERNAL)
        return None

    def _set_aside(self, message: Message, reason: str) -> None:
        self._aside.keep(message, reason)
        self._telemetry.count(semconv.KAFKA_SET_ASIDE, message.of[0], reason)
