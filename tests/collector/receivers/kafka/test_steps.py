"""One step of the receiver at a time, without a cluster: in which order it works, and what it does about errors."""

import msgspec
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from llmvitals import semconv
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers.kafka import Message
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.commits import CommitError
from llmvitals_collector.receivers.kafka.config import KafkaReceiver

OF, OTHER = ("otlp_spans", 0), ("otlp_spans", 1)


@pytest.fixture
def pipeline(config):
    """A collector that is not started."""
    kafka = KafkaReceiver(brokers=("127.0.0.1:1",))
    return Pipeline(msgspec.structs.replace(config, receivers=msgspec.structs.replace(config.receivers, kafka=kafka)))


@pytest.fixture
def receiver(pipeline):
    """One that holds a partition, and has a message of it in hand."""
    receiver = pipeline._kafka
    receiver._partitions.held = {OF: Committed(5, 1), OTHER: Committed(0, 1)}
    receiver._hand = [Message(OF, 5, b""), Message(OTHER, 0, b"")]
    return receiver


@pytest.fixture
def happened(receiver, monkeypatch):
    """What happens to ranges, in its order."""
    steps = []
    counting = receiver._counting
    for step in ("prepare", "settle"):
        working = getattr(counting, step)

        def noted(ranges, step=step, working=working):
            steps.append(step)
            working(ranges)

        monkeypatch.setattr(counting, step, noted)
    return steps


class Commits:
    """Takes commits, after as many failures."""

    def __init__(self, happened, failures=0):
        self._happened = happened
        self._failures = failures

    def commit(self, consumer, wanted):
        if self._failures:
            self._failures -= 1
            raise CommitError("no member")
        self._happened.append(f"commit {sorted(each.offset for each in wanted.values())}")


def test_messages_are_prepared_then_committed_then_counted(receiver, happened):
    receiver._take(None, Commits(happened), receiver._reading())
    assert happened == ["prepare", "commit [1, 6]", "settle"]
    assert {of: each.offset for of, each in receiver._partitions.held.items()} == {OF: 6, OTHER: 1}
    assert not receiver._portions


def test_what_the_group_refuses_does_not_count_and_is_committed_again_as_it_is_prepared(receiver, happened):
    commits = Commits(happened, failures=1)
    with pytest.raises(CommitError):
        receiver._take(None, commits, receiver._reading())
    assert happened == ["prepare"]
    receiver._take(None, commits, receiver._reading())
    assert happened == ["prepare", "commit [1, 6]", "settle"]


def test_what_is_in_hand_or_prepared_of_a_partition_that_leaves_is_forgotten(receiver, happened):
    with pytest.raises(CommitError):
        receiver._take(None, Commits(happened, failures=1), receiver._reading())
    receiver._hand = [Message(OF, 6, b""), Message(OTHER, 1, b"")]
    receiver._revoked(None, [TopicPartition(*OF)])
    assert receiver._hand == [Message(OTHER, 1, b"")]
    assert receiver._portions.keys() == receiver._partitions.held.keys() == {OTHER}


def test_once_it_is_to_stop_it_prepares_nothing_more(receiver, happened):
    receiver.stop()
    receiver._take(None, Commits(happened), receiver._reading())
    assert happened == []


class Consumer:
    """Brings one message, which is an error."""

    def __init__(self, code):
        self._code = code

    def consume(self, _count, _seconds):
        return [self]

    def error(self):
        return KafkaError(self._code)

    def topic(self):
        return OF[0]

    def partition(self):
        return OF[1]

    def offset(self):
        return 5


def test_where_there_are_no_messages_it_joins_anew_and_looks_where_there_are(receiver):
    with pytest.raises(KafkaException):
        receiver._consume(Consumer(KafkaError._AUTO_OFFSET_RESET), 0)
    assert receiver._partitions.astray == {OF}


def test_a_client_that_was_thrown_out_by_its_double_is_given_up(receiver):
    with pytest.raises(KafkaException):
        receiver._consume(Consumer(KafkaError._FATAL), 0)


def test_any_other_error_is_told_once_and_stops_nothing(receiver, caplog):
    for _ in range(3):
        receiver._consume(Consumer(KafkaError.UNKNOWN_TOPIC_OR_PART), 0)
    assert len(caplog.records) == 1
    assert "Unknown topic or partition" in caplog.text


def test_who_has_the_same_instance_id_is_asked_for(config, caplog):
    kafka = KafkaReceiver(brokers=("127.0.0.1:1",), instance_id="a")
    receivers = msgspec.structs.replace(config.receivers, kafka=kafka)
    receiver = Pipeline(msgspec.structs.replace(config, receivers=receivers))._kafka
    receiver._trouble(KafkaException(KafkaError(KafkaError._FATAL, "fenced", fatal=True)))
    assert "has another replica the receivers.kafka.instance_id 'a', too?" in caplog.text
    assert receiver._telemetry.values()[semconv.KAFKA_FAILURES] == {(): 1}
