"""OTLP out of Kafka, as one more consumer group: each message counts once, whatever fails when."""

from collections.abc import Sequence
from typing import NamedTuple

from llmvitals_collector.storage.prepared import Partition


class Message(NamedTuple):
    """One message, as it is in its partition."""

    of: Partition
    offset: int
    value: bytes
    key: bytes | None = None
    headers: Sequence[tuple[str, str | bytes | None]] = ()

    def __str__(self) -> str:
        topic, partition = self.of
        return f"{topic}-{partition}-{self.offset}"
