"""Clients of Kafka, and how they are configured."""

import logging
from collections.abc import Callable

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from llmvitals_collector.config import ConfigError
from llmvitals_collector.receivers.kafka.config import KafkaReceiver

BROKER_SECONDS = 4.0  # to wait for an answer; a stop has to come to its end meanwhile
_POLL_MILLISECONDS = 300_000  # librdkafka's default
_MOST_KILOBYTES = 2_097_151  # that librdkafka lets wait
_logger = logging.getLogger(__name__)


def check(config: KafkaReceiver) -> None:
    """See that librdkafka takes the properties. The clients know of no broker, so that nothing is connected to.

    Raises:
        ConfigError: it does not.
    """
    nowhere = msgspec.structs.replace(config, brokers=())
    try:
        consumer(nowhere, 1 << 20, lambda _error: None).close()
        producer(nowhere)
        transactional_producer(nowhere, "check")
    except KafkaException as error:
        raise ConfigError(f"receivers.kafka.properties: {error.args[0].str().strip()}") from error


def consumer(config: KafkaReceiver, waiting_bytes: int, tell: Callable[[KafkaError], None]) -> Consumer:
    """A consumer that is in no group yet.

    waiting_bytes: that it fetches ahead, about. tell: gets the errors that no call returns.

    Raises:
        KafkaException: it cannot be made.
    """
    return Consumer({**_consumer_properties(config, waiting_bytes), "error_cb": tell})


def producer(config: KafkaReceiver) -> Producer:
    # Whether a message is too large is the broker's affair.
    return Producer({"message.max.bytes": 1_000_000_000, **_connection(config)})


def transactional_producer(config: KafkaReceiver, id: str) -> Producer:
    """id: of its transactions; another one with the same id ends them."""
    return Producer(
        {
            "transaction.timeout.ms": 10_000,  # after which those of who died are undone, and others go on
            "retry.backoff.ms": 10,  # one transaction follows upon another, which the broker may not have finished
            **_connection(config),
            "transactional.id": id,
        }
    )


def _connection(config: KafkaReceiver) -> dict[str, str | int | bool | logging.Logger]:
    return {
        "logger": _logger,
        "log_level": 2,  # errors come to who asked, or to `tell`
        "socket.timeout.ms": round(BROKER_SECONDS * 1000),
        **config.properties,
        "bootstrap.servers": ",".join(config.brokers),
        "client.id": "llmvitals",
    }


def _consumer_properties(config: KafkaReceiver, waiting_bytes: int) -> dict[str, str | int | bool | logging.Logger]:
    milliseconds = round(config.session_timeout_seconds * 1000)
    return {
        "fetch.wait.max.ms": 100,
        "queued.max.messages.kbytes": min(waiting_bytes // 1024, _MOST_KILOBYTES),
        "topic.metadata.refresh.interval.ms": 10_000,  # so that partitions that are added are found soon
        "max.poll.interval.ms": max(milliseconds, _POLL_MILLISECONDS),
        **_connection(config),
        "group.id": config.group,
        **({"group.instance.id": config.instance_id} if config.instance_id else {}),
        # What claims are built on: generations, and nobody who commits but we.
        "group.protocol": "classic",
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "session.timeout.ms": milliseconds,
        "heartbeat.interval.ms": milliseconds // 6,
    }
