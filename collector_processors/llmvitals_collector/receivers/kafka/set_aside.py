"""Where messages go that cannot be taken, so that they neither stop their partition nor get lost."""

import logging
from pathlib import Path
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from llmvitals_collector.receivers.kafka import Message
from llmvitals_collector.receivers.kafka.client import BROKER_SECONDS
from llmvitals_collector.storage.directory import sync_names, write_whole

_logger = logging.getLogger(__name__)

FOLDER = "set-aside"
# More is worth nobody's disk; the metrics count on.
_MOST_BYTES = 256 << 20
_MOST_FILES = 10_000


class SetAsideError(Exception):
    """A message could not be set aside, and is to be tried again: one sentence."""


class SetAside(Protocol):
    def keep(self, message: Message, reason: str) -> None:
        """Keep a message; returns once it is safe.

        reason: one of semconv.SET_ASIDE_REASONS.

        Raises:
            SetAsideError: it is not kept.
        """
        ...


class Nowhere:
    """For who has neither a directory nor a topic."""

    def keep(self, message: Message, reason: str) -> None:
        _logger.warning("%s is %s, and passed; with storage.directory it would be kept", message, reason)


class Files:
    """One file for each message, in a folder for its topic, named by where it was; the same one twice is one file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / FOLDER
        self._sizes: dict[Path, int] | None = None  # as soon as they are needed

    def keep(self, message: Message, reason: str) -> None:
        topic, partition = message.of
        path = self._directory / topic / f"{partition}-{message.offset}.{reason}"
        try:
            if not self._has_room(path, len(message.value)):
                _logger.warning("%s is %s, and passed; %s is full", message, reason, self._directory)
                return
            for folder in (self._directory, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
                sync_names(folder.parent)
            write_whole(path, [message.value])
        except OSError as error:
            raise SetAsideError(f"{path} cannot be written: {error.strerror or error}") from error
        _logger.warning("%s is %s, and set aside in %s", message, reason, path)

    def _has_room(self, path: Path, size: int) -> bool:
        """Whether one more fits. Once they are full it takes a restart to see that some were taken away."""
        if self._sizes is None:
            self._sizes = {each: each.stat().st_size for each in self._directory.glob("*/*")}
        sizes = {**self._sizes, path: size}
        if len(sizes) > _MOST_FILES or sum(sizes.values()) > _MOST_BYTES:
            return False
        self._sizes = sizes
        return True


class DeadLetterTopic:
    """Each message as it was, with headers that say where it was and why it is there; after a crash perhaps twice."""

    def __init__(self, topic: str, producer: Producer) -> None:
        self._topic = topic
        self._producer = producer

    def keep(self, message: Message, reason: str) -> None:
        headers = [*message.headers, ("llmvitals.reason", reason), ("llmvitals.source", str(message))]
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: object) -> None:
            if error:
                failed.append(error)

        try:
            self._producer.produce(self._topic, message.value, message.key, headers=headers, on_delivery=delivered)
        except (BufferError, KafkaException) as error:
            raise self._error(str(error)) from error
        if self._producer.flush(BROKER_SECONDS):
            self._producer.purge()
            raise self._error("no broker took it in time")
        if failed and failed[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
            _logger.warning("%s is %s, and passed, as it is too large for the topic %s", message, reason, self._topic)
        elif failed:
            raise self._error(failed[0].str())

    def _error(self, why: str) -> SetAsideError:
        return SetAsideError(f"receivers.kafka.dead_letter_topic: {self._topic} does not take messages: {why}")
