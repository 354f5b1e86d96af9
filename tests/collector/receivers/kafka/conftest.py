"""librdkafka's own mock of a Kafka cluster, and a collector that reads from it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.config import Config
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers.kafka import receiver
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.storage import StorageConfig

MOCK = {"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0}


class PlainCommits:
    """librdkafka's mock (2.16) takes transactions, and forgets what offsets they commit."""

    def __init__(self, config: KafkaReceiver, id: str) -> None:
        pass

    def commit(self, consumer: Consumer, wanted: Mapping[tuple[str, int], Committed]) -> None:
        offsets = [TopicPartition(*of, each.offset, metadata=each.metadata) for of, each in wanted.items()]
        consumer.commit(offsets=offsets, asynchronous=False)


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    """The address of a cluster, which is there as long as the client that made it."""
    cluster = Producer(MOCK)
    yield ",".join(f"{each.host}:{each.port}" for each in cluster.list_topics(timeout=10).brokers.values())
    del cluster


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """Of this test alone."""
    return f"topic-{abs(hash(request.node.nodeid))}"


@pytest.fixture
def write(brokers: str, topic: str) -> Callable[..., None]:
    """Write messages to a partition of the topic."""
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})

    def send(*messages: bytes, partition: int = 0) -> None:
        for each in messages:
            producer.produce(topic, each, partition=partition)
        assert not producer.flush(20)

    return send


class Reading:
    """A collector that reads the topic; `kafka` and `directory` are its configuration."""

    def __init__(self, config: Config, kafka: Mapping[str, Any], directory: str) -> None:
        receivers = msgspec.structs.replace(config.receivers, kafka=KafkaReceiver(**kafka))
        self.pipeline = Pipeline(
            msgspec.structs.replace(config, receivers=receivers, storage=StorageConfig(directory=directory))
        )
        self.pipeline.start()

    def values(self, family: Family) -> dict[tuple[str, ...], float]:
        """What is not 0, by its labels."""
        self.pipeline._counting.flush()
        return {labels: value for labels, value in self.pipeline._telemetry.values()[family].items() if value}

    @property
    def calls(self) -> float:
        """How many are counted."""
        return sum(self.values(semconv.COLLECTOR_DIALECT_CALLS).values())


@pytest.fixture
def reading(
    config: Config, brokers: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Reading]]:
    """`reading(**kafka)` starts a collector; directory: where it keeps what it counts, "" for nowhere."""
    monkeypatch.setattr(receiver, "Commits", PlainCommits)
    started: list[Reading] = []

    def start(directory: str = str(tmp_path / "storage"), **kafka: Any) -> Reading:
        settings = {
            "brokers": (brokers,),
            "traces_topics": (topic,),
            "logs_topics": (),
            "group": topic,
            "session_timeout_seconds": 6.0,
            **kafka,
        }
        started.append(Reading(config, settings, directory))
        return started[-1]

    yield start
    for each in started:
        each.pipeline.stop()
