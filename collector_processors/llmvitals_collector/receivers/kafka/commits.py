"""Commits of the consumer group, each made by a member of its present generation, or not at all.

A plain commit would not do. librdkafka (2.16) holds one back while it looks for the coordinator, and then sends it in
the name of whatever it has become meanwhile; and if that is no member any more, brokers take the commit all the same
while the group happens to be empty. It would undo what others have committed. A transaction names the member and the
generation as they were, and brokers compare them:
https://cwiki.apache.org/confluence/display/KAFKA/KIP-447%3A+Producer+scalability+for+exactly+once+semantics
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Thread

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from llmvitals_collector.receivers.kafka import client
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.client import BROKER_SECONDS
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.storage.prepared import Partition

# How the metadata of a member begin that has no generation, in librdkafka's own form.
_NO_GENERATION = b"CGMDv2:" + (-1).to_bytes(4, "little", signed=True)

# The first one of a cluster makes a topic for transactions.
_BEGIN_SECONDS = 15.0


class CommitError(Exception):
    """The group did not take a commit: one sentence."""


class Commits:
    """One transaction for each; the next one with the same id ends what was left open."""

    def __init__(self, config: KafkaReceiver, id: str) -> None:
        """Connect.

        Raises:
            KafkaException: the brokers do not answer, or do not allow it.
        """
        self._producer = client.transactional_producer(config, id)
        self._producer.init_transactions(_BEGIN_SECONDS)

    def commit(self, consumer: Consumer, wanted: Mapping[Partition, Committed]) -> None:
        """Commit offsets with their claims, all of them or none.

        Raises:
            CommitError: nothing is committed.
            KafkaException: nobody knows; whoever gets the partitions next will.
        """
        member = consumer.consumer_group_metadata()
        if not consumer.memberid() or member.startswith(_NO_GENERATION):
            raise CommitError("the group has let go of this replica, which joins it again")
        offsets = [TopicPartition(*of, each.offset, metadata=each.metadata) for of, each in wanted.items()]
        _answer(partial(self._transact, offsets, member))

    def _transact(self, offsets: list[TopicPartition], member: object) -> None:
        self._producer.begin_transaction()
        try:
            self._producer.send_offsets_to_transaction(offsets, member, BROKER_SECONDS)
            self._producer.commit_transaction(BROKER_SECONDS)
        except KafkaException as error:
            if not error.args[0].txn_requires_abort():
                raise
            self._producer.abort_transaction(BROKER_SECONDS)
            raise CommitError(error.args[0].str()) from error


def _answer(call: Callable[[], object]) -> None:
    """Wait for a call, and let it be where it does not come back.

    send_offsets_to_transaction() of librdkafka (2.16) may wait for ever, whatever the timeout is that it is given
    (https://github.com/confluentinc/librdkafka/issues/5456). What it still sends then is of a transaction that the next
    one with the same id has ended.

    Raises:
        KafkaException: it does not come back.
    """
    answer: Future[object] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=run, name="kafka-commit", daemon=True).start()
    try:
        answer.result(2 * BROKER_SECONDS)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "a commit has no answer")) from None
