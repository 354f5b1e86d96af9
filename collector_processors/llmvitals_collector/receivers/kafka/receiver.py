"""Reads topics in a consumer group, and counts what is in them; see claims for how each message counts once."""

import logging
import re
import time
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from llmvitals import semconv
from llmvitals_collector.counting import Counting
from llmvitals_collector.health import Health
from llmvitals_collector.intake import Intake
from llmvitals_collector.lifecycle import GRACE_SECONDS
from llmvitals_collector.receivers import RefusedError
from llmvitals_collector.receivers.admission import Admission
from llmvitals_collector.receivers.kafka import Message, client
from llmvitals_collector.receivers.kafka.commits import CommitError, Commits
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.receivers.kafka.partitions import Partitions
from llmvitals_collector.receivers.kafka.reading import Portion, Reading
from llmvitals_collector.receivers.kafka.set_aside import DeadLetterTopic, Files, Nowhere, SetAside, SetAsideError
from llmvitals_collector.storage import Settled, StorageError
from llmvitals_collector.storage.prepared import Partition
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

_MESSAGES = 512  # that are taken together at most, with one commit
_WAIT_SECONDS = 0.1  # for as many
_RETRY_SECONDS = 0.5
_FATAL_SECONDS = 10.0  # of two replicas with one instance_id each ends the other, which is not to be a busy loop
_LOOK_SECONDS = 2.0  # between two looks at what others have and do
_TOLD_SECONDS = 600.0  # before the same trouble is in the log again


class Kafka:
    """A member of the consumer group. One thread speaks to the brokers, reads, prepares, commits and counts.

    Trouble with the brokers is told in the log and on /metrics, and not as bad health: requests come all the same.
    """

    def __init__(
        self,
        config: KafkaReceiver,
        intake: Intake,
        counting: Counting,
        admission: Admission,
        telemetry: Telemetry,
        health: Health,
        directory: str,
    ) -> None:
        """Connects to nothing yet.

        Raises:
            ConfigError: librdkafka does not take the configuration.
        """
        client.check(config)
        self._config = config
        self._intake = intake
        self._counting = counting
        self._admission = admission
        self._telemetry = telemetry
        self._health = health
        self._directory = directory
        self._id = f"llmvitals-{config.group}-{config.instance_id or uuid4()}"  # of transactions
        self._partitions = Partitions(config, counting, telemetry)
        self._hand: list[Message] = []  # that came, and are not looked at yet
        self._portions: dict[Partition, Portion] = {}  # of messages that are being taken
        self._prepared = False  # whether those are
        self._paused = False
        self._member = False
        self._look_at = 0.0
        self._told: dict[str, float] = {}
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="kafka", daemon=True)
        self._watch()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave the group; what could not be committed stays prepared, and is settled after the next start."""
        self._stopping.set()
        if not self._thread.is_alive():
            return
        self._thread.join(GRACE_SECONDS)
        if self._thread.is_alive():
            _logger.warning("Kafka: the brokers do not answer, and are left without a word")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._belong()
            except Exception as error:
                self._trouble(error)
                self._stopping.wait(_FATAL_SECONDS if _is_fatal(error) else _RETRY_SECONDS)

    def _belong(self) -> None:
        """Be in the group until the collector stops, or nothing but joining it anew helps."""
        reading = self._reading()
        commits = Commits(self._config, self._id)

        def assigned(consumer: Consumer, given: list[TopicPartition]) -> None:
            try:
                if given:
                    self._partitions.claim(consumer, commits, given)
            except Exception:  # noqa: TRY203
                # What confluent-kafka (2.16) raised itself comes out of consume() as what no `except` takes, unless
                # Python has caught it in between.
                raise

        consumer = client.consumer(self._config, self._admission.limit // 4, self._tell)
        try:
            consumer.subscribe(
                list(reading.signals), on_assign=assigned, on_revoke=self._revoked, on_lost=self._revoked
            )
            while not self._stopping.is_set():
                self._step(consumer, commits, reading)
        finally:
            self._member = self._paused = False
            self._revoked(consumer, [TopicPartition(*of) for of in self._partitions.held])
            consumer.close()

    def _step(self, consumer: Consumer, commits: Commits, reading: Reading) -> None:
        """Take what has come; what cannot be taken now is taken with the next step, and nothing else comes before."""
        if self._hand or self._portions:
            consumer.pause(consumer.assignment())
            self._paused = True
        self._consume(consumer, _RETRY_SECONDS if self._paused else _WAIT_SECONDS)
        try:
            self._take(consumer, commits, reading)
        except (RefusedError, StorageError, SetAsideError, CommitError) as error:
            self._trouble(error)
        else:
            if self._paused:
                consumer.resume(consumer.assignment())
                self._paused = False
        self._look(consumer)

    def _consume(self, consumer: Consumer, seconds: float) -> None:
        """Take in hand what comes within so many seconds; meanwhile partitions come and go.

        Raises:
            KafkaException: the consumer is of no use any more.
        """
        for each in consumer.consume(_MESSAGES, seconds):
            error, topic, partition, offset = each.error(), each.topic(), each.partition(), each.offset()
            if error:
                if error.code() == KafkaError._AUTO_OFFSET_RESET and topic is not None and partition is not None:
                    self._partitions.astray.add((topic, partition))
                if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError._FATAL):
                    raise KafkaException(error)
                self._tell(error)
            elif topic is not None and partition is not None and offset is not None:
                told = each.headers() or ()
                headers = tuple(told.items() if isinstance(told, dict) else told)
                self._hand.append(Message((topic, partition), offset, each.value() or b"", each.key(), headers))

    def _take(self, consumer: Consumer, commits: Commits, reading: Reading) -> None:
        while (self._hand or self._portions) and not self._stopping.is_set():
            if not self._portions:
                taken, size = self._next()
                with self._admission.admit() as lease:
                    lease.grow(size)
                    self._portions = reading.portions(taken, self._partitions.held)
                del self._hand[: len(taken)]
                self._prepared = False
            if not self._prepared:
                with self._health.of("storage", StorageError):
                    self._counting.prepare([portion.prepared for portion in self._portions.values()])
                self._prepared = True
            self._commit(consumer, commits)

    def _next(self) -> tuple[list[Message], int]:
        """As many messages as are taken at once, and how many of their bytes are to be decoded."""
        taken: list[Message] = []
        size = 0
        for message in self._hand:
            more = len(message.value) if len(message.value) <= self._config.max_message_bytes else 0
            if taken and size + more > self._admission.limit // 4:
                break
            taken.append(message)
            size += more
        return taken, size

    def _commit(self, consumer: Consumer, commits: Commits) -> None:
        """Commit what is prepared, and count what is committed."""
        portions = self._portions
        wanted = {of: self._partitions.held[of].until(each.prepared.range.end) for of, each in portions.items()}
        commits.commit(consumer, wanted)
        with self._health.of("storage", StorageError):
            self._counting.settle([Settled(each.prepared.range, counts=True) for each in portions.values()])
        self._partitions.held |= wanted
        self._portions = {}
        for portion in portions.values():
            for request in portion.requests:
                self._intake.taken(semconv.RECEIVER_KAFKA, *request)

    def _revoked(self, _consumer: Consumer, taken: list[TopicPartition]) -> None:
        for each in taken:
            of = (each.topic, each.partition)
            self._partitions.held.pop(of, None)
            self._portions.pop(of, None)  # if it is prepared, whoever claims the partition decides
            self._hand = [message for message in self._hand if message.of != of]

    def _look(self, consumer: Consumer) -> None:
        """See how far behind we are, and what became of partitions that others have now."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_SECONDS
        self._member = bool(consumer.memberid())
        try:
            self._partitions.settle_others(consumer)
            self._partitions.measure(consumer)
        except (KafkaException, StorageError) as error:
            self._trouble(error)

    def _watch(self) -> None:
        """Tell telemetry what there is to be read at a scrape, and what is counted from 0 on."""
        self._telemetry.watch(semconv.KAFKA_LAG, lambda: self._partitions.lags)
        self._telemetry.watch(semconv.KAFKA_PREPARED, lambda: {(): float(self._partitions.prepared)})
        self._telemetry.watch(semconv.KAFKA_MEMBER, lambda: {(): float(self._member)})
        self._telemetry.count(semconv.KAFKA_FAILURES, amount=0)
        for topic in (*self._config.traces_topics, *self._config.logs_topics):
            self._telemetry.count(semconv.KAFKA_LOST, topic, amount=0)
            self._telemetry.count(semconv.KAFKA_UNDECIDED, topic, amount=0)
            for reason in semconv.SET_ASIDE_REASONS:
                self._telemetry.count(semconv.KAFKA_SET_ASIDE, topic, reason, amount=0)

    def _trouble(self, error: Exception) -> None:
        """Note what keeps messages from being taken; it is tried again."""
        self._telemetry.count(semconv.KAFKA_FAILURES)
        self._tell(error)

    def _tell(self, error: Exception | KafkaError) -> None:
        """Put an error into the log, and the same one not again for a while; it may tell of times, which differ."""
        told = error.args[0] if isinstance(error, KafkaException) else error
        sentence = told.str() if isinstance(told, KafkaError) else str(told)
        if _is_fatal(error) and self._config.instance_id:
            sentence += f"; has another replica the receivers.kafka.instance_id {self._config.instance_id!r}, too?"
        kind = re.sub(r"\d+", "", sentence)
        now = time.monotonic()
        if now >= self._told.get(kind, now):
            self._told[kind] = now + _TOLD_SECONDS
            _logger.warning("Kafka: %s", sentence)

    def _reading(self) -> Reading:
        aside: SetAside = Files(Path(self._directory)) if self._directory else Nowhere()
        if self._config.dead_letter_topic:
            aside = DeadLetterTopic(self._config.dead_letter_topic, client.producer(self._config))
        return Reading(self._config, self._intake, aside, self._telemetry)


def _is_fatal(error: Exception | KafkaError) -> bool:
    """Whether the client is of no use any more, as after another one came with its instance_id."""
    return isinstance(error, KafkaException) and (
        error.args[0].fatal() or error.args[0].code() in (KafkaError._FATAL, KafkaError._FENCED)
    )
