"""Where reading begins in a partition that the group gives: what Kafka has is told by a stand-in for its client."""

import pytest
from confluent_kafka import TopicPartition

from llmvitals import semconv
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.commits import CommitError
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.receivers.kafka.partitions import Partitions
from llmvitals_collector.storage import OffsetRange, Prepared, Ranges
from llmvitals_collector.telemetry import Telemetry

OF = ("otlp_spans", 0)


class Broker:
    """One partition: what is committed, and where its messages begin and end."""

    def __init__(self):
        self.committed_offset, self.metadata = -1001, ""
        self.bounds = (0, 100)
        self.refuses = False
        self.assigned = []

    def committed(self, partitions, timeout):
        return [TopicPartition(*OF, self.committed_offset, metadata=self.metadata) for _ in partitions]

    def get_watermark_offsets(self, partition, timeout):
        return self.bounds

    def incremental_assign(self, partitions):
        self.assigned += [each.offset for each in partitions]

    def commit(self, _consumer, wanted):
        if self.refuses:
            raise CommitError("no member")
        self.committed_offset, self.metadata = wanted[OF].offset, wanted[OF].metadata


class Counting:
    """What is prepared, and what became of it."""

    def __init__(self):
        self.kept = Ranges({}, {})
        self.settled = []

    @property
    def ranges(self):
        return self.kept.copy()

    def settle(self, several):
        for each in several:
            self.settled.append(each.counts)
            self.kept.settle(each)


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def counting():
    return Counting()


@pytest.fixture
def claimed(broker, counting):
    """`claimed(**configuration)`: the partitions, of which the one is claimed."""

    def claim(**configuration):
        partitions = Partitions(KafkaReceiver(**configuration), counting, Telemetry(10, ()))
        partitions.claim(broker, broker, [TopicPartition(*OF)])
        return partitions

    return claim


def counted(partitions, family):
    return sum(partitions._telemetry.values()[family].values())


@pytest.mark.parametrize(("initial", "begin"), [("earliest", 20), ("latest", 100)])
def test_what_the_group_knows_nothing_of_begins_as_configured_and_that_is_committed(broker, claimed, initial, begin):
    broker.bounds = (20, 100)
    claimed(initial_offset=initial)
    assert broker.assigned == [begin] == [broker.committed_offset]


def test_reading_goes_on_where_the_group_was_under_a_claim_of_its_own(broker, claimed):
    before = Committed(40).claimed()
    broker.committed_offset, broker.metadata = before.offset, before.metadata
    held = claimed().held[OF]
    assert broker.assigned == [40]
    assert held == Committed(40, before.claim + 1, (40, 40)) == Committed.read(40, broker.metadata)


def test_without_its_claim_a_partition_is_not_held_and_not_read(broker, counting):
    broker.refuses = True
    partitions = Partitions(KafkaReceiver(), counting, Telemetry(10, ()))
    with pytest.raises(CommitError):
        partitions.claim(broker, broker, [TopicPartition(*OF)])
    assert not partitions.held
    assert not broker.assigned


def test_messages_that_were_deleted_unread_are_lost_and_counted_as_such(broker, claimed):
    broker.committed_offset, broker.bounds = 40, (60, 100)
    partitions = Partitions(KafkaReceiver(), Counting(), Telemetry(10, ()))
    partitions.astray.add(OF)
    partitions.claim(broker, broker, [TopicPartition(*OF)])
    assert broker.assigned == [60]
    assert counted(partitions, semconv.KAFKA_LOST) == 20
    assert not partitions.astray


def test_a_topic_that_was_made_anew_is_read_from_its_begin(broker, counting):
    broker.committed_offset, broker.bounds = 40, (0, 10)
    partitions = Partitions(KafkaReceiver(), counting, Telemetry(10, ()))
    partitions.astray.add(OF)
    partitions.claim(broker, broker, [TopicPartition(*OF)])
    assert broker.assigned == [0]
    assert counted(partitions, semconv.KAFKA_LOST) == 0


def test_what_is_counted_here_does_not_count_again_when_the_group_has_forgotten_it(counting, broker, claimed):
    counting.kept.ends[OF] = 70
    claimed()
    assert broker.assigned == [70]


@pytest.mark.parametrize(("committed", "counts"), [(20, True), (10, False)])
def test_what_was_prepared_before_counts_if_it_was_committed(broker, counting, claimed, committed, counts):
    prepared = Committed(10).claimed()
    counting.kept.prepare(Prepared(OffsetRange(*OF, prepared.claim, 10, 20), ()))
    broker.committed_offset, broker.metadata = committed, prepared.metadata
    claimed()
    assert counting.settled == [counts]
    assert broker.assigned == [committed]


def test_what_others_have_claimed_is_settled_and_what_nobody_has_claimed_waits(broker, counting):
    partitions = Partitions(KafkaReceiver(), counting, Telemetry(10, ()))
    ours = Committed(10).claimed()
    counting.kept.prepare(Prepared(OffsetRange(*OF, ours.claim, 10, 20), ()))
    broker.committed_offset, broker.metadata = 10, ours.metadata
    partitions.settle_others(broker)
    assert counting.settled == []
    assert partitions.prepared == 10
    theirs = ours.claimed().until(50)
    broker.committed_offset, broker.metadata = theirs.offset, theirs.metadata
    partitions.settle_others(broker)
    assert counting.settled == [False]


def test_what_nobody_can_decide_does_not_count_and_is_told(broker, counting):
    partitions = Partitions(KafkaReceiver(), counting, Telemetry(10, ()))
    counting.kept.prepare(Prepared(OffsetRange(*OF, 5, 10, 20), ()))
    broker.committed_offset = 30  # somebody has set it
    partitions.claim(broker, broker, [TopicPartition(*OF)])
    assert counting.settled == [False]
    assert counted(partitions, semconv.KAFKA_UNDECIDED) == 10
