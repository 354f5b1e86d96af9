"""The partitions of this replica: claimed when it gets them, and settled what was prepared of any."""

import logging

from confluent_kafka import Consumer, KafkaException, TopicPartition

from llmvitals import semconv
from llmvitals_collector.counting import Counting
from llmvitals_collector.receivers.kafka.claims import Committed, was_committed
from llmvitals_collector.receivers.kafka.client import BROKER_SECONDS
from llmvitals_collector.receivers.kafka.commits import Commits
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.storage import OffsetRange, Settled
from llmvitals_collector.storage.prepared import Partition
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)
_LAG_SECONDS = 1.0  # to wait for the ends of partitions, without which nothing but a metric is missing


class Partitions:
    """What the group has given to this replica.

    held: up to where it is committed, and under which claim.
    astray: where reading failed, as there are no messages at the offset that was committed.
    lags: how many messages wait, by topic and partition.
    """

    def __init__(self, config: KafkaReceiver, counting: Counting, telemetry: Telemetry) -> None:
        self._from_end = config.initial_offset == "latest"
        self._counting = counting
        self._telemetry = telemetry
        self.held: dict[Partition, Committed] = {}
        self.astray: set[Partition] = set()
        self.lags: dict[tuple[str, ...], float] = {}

    @property
    def prepared(self) -> int:
        """How many messages wait until it is known whether they were committed."""
        ranges = [each.range for each in self._counting.ranges.prepared.values()]
        return sum(each.end - each.start for each in ranges)

    def claim(self, consumer: Consumer, commits: Commits, given: list[TopicPartition]) -> None:
        """Claim partitions, settle what was prepared of them before, as nobody else can commit it now, and read them.

        Raises:
            KafkaException: the brokers do not answer.
            CommitError: the group does not take the claims.
            StorageError: what was prepared cannot be settled.
        """
        known: dict[Partition, Committed] = {}
        for found in consumer.committed(given, timeout=BROKER_SECONDS):
            known[found.topic, found.partition] = self._known(consumer, found)
        for of, prepared in self._counting.ranges.prepared.items():
            if of in known:
                self._settle(prepared.range, known[of])
        counted = self._counting.ranges.ends
        begun = {of: self._begin(consumer, of, each, counted.get(of, 0)).claimed() for of, each in known.items()}
        commits.commit(consumer, begun)
        self.held |= begun
        self.astray -= begun.keys()
        consumer.incremental_assign([TopicPartition(*of, each.offset) for of, each in begun.items()])
        self._telemetry.count(semconv.KAFKA_ASSIGNED, amount=len(begun))
        for of, each in begun.items():
            self._tell_lost(of, max(known[of].offset, counted.get(of, 0)), each.offset)

    def settle_others(self, consumer: Consumer) -> None:
        """Settle what is prepared of partitions that others have claimed, or that was committed as this replica died.

        Raises:
            KafkaException: the brokers do not answer.
            StorageError: it cannot be settled.
        """
        prepared = self._counting.ranges.prepared
        others = {of: each.range for of, each in prepared.items() if of not in self.held}
        if not others:
            return
        for found in consumer.committed([TopicPartition(*of) for of in others], timeout=BROKER_SECONDS):
            ours = others[found.topic, found.partition]
            committed = Committed.read(found.offset, found.metadata)
            made = committed.claim == ours.claim and committed.offset >= ours.end
            if not found.error and (made or committed.claim > ours.claim):
                self._settle(ours, committed)

    def measure(self, consumer: Consumer) -> None:
        """See how many messages wait.

        Raises:
            KafkaException: the brokers do not answer.
        """
        held = {of: each.offset for of, each in self.held.items()}
        # A logical offset in the place of a time asks for that offset.
        wanted = [TopicPartition(*of, -1) for of in held]
        ends = consumer.offsets_for_times(wanted, timeout=_LAG_SECONDS) if wanted else []
        self.lags = {
            (end.topic, str(end.partition)): float(max(0, end.offset - held[end.topic, end.partition]))
            for end in ends
            if not end.error
        }

    def _known(self, consumer: Consumer, found: TopicPartition) -> Committed:
        """What the group has committed, or where it begins."""
        if found.error:
            raise KafkaException(found.error)
        if found.offset >= 0:
            return Committed.read(found.offset, found.metadata)
        return Committed(_bounds(consumer, (found.topic, found.partition))[self._from_end])

    def _begin(self, consumer: Consumer, of: Partition, committed: Committed, counted: int) -> Committed:
        """Where to go on: behind what is counted here, should the group have forgotten it, and where messages are."""
        if counted <= committed.offset and of not in self.astray:
            return committed
        first, end = _bounds(consumer, of)
        if committed.offset > end:
            _logger.error("%s-%d ends before offset %d, and is read from its begin", *of, committed.offset)
            return committed.until(first)
        if committed.offset < counted <= end:
            _logger.warning("%s-%d goes on at offset %d, as what is before was counted", *of, counted)
            return committed.until(counted)
        return committed.until(max(first, committed.offset))

    def _tell_lost(self, of: Partition, wanted: int, begun: int) -> None:
        if wanted < begun:
            _logger.error("%s-%d: the messages %d to %d were deleted unread", *of, wanted, begun - 1)
            self._telemetry.count(semconv.KAFKA_LOST, of[0], amount=begun - wanted)

    def _settle(self, prepared: OffsetRange, committed: Committed) -> None:
        counts = was_committed(prepared, committed)
        self._counting.settle([Settled(prepared, bool(counts))])
        if counts is None:
            _logger.error("%s: whether it was committed cannot be told any more, and it does not count", prepared)
            self._telemetry.count(semconv.KAFKA_UNDECIDED, prepared.topic, amount=prepared.end - prepared.start)


def _bounds(consumer: Consumer, of: Partition) -> tuple[int, int]:
    """The first offset, and the one after the last.

    Raises:
        KafkaException: the brokers do not answer.
    """
    return consumer.get_watermark_offsets(TopicPartition(*of), timeout=BROKER_SECONDS)
