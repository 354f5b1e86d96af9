"""What becomes of a commit of which nobody knows whether it was made."""

from threading import Event

import pytest
from confluent_kafka import KafkaException

from llmvitals_collector.receivers.kafka import client, commits
from llmvitals_collector.receivers.kafka.claims import Committed
from llmvitals_collector.receivers.kafka.commits import Commits
from llmvitals_collector.receivers.kafka.config import KafkaReceiver


class Silent:
    """A producer whose coordinator never answers."""

    def __init__(self):
        self.given_up = Event()

    def init_transactions(self, timeout):
        pass

    def begin_transaction(self):
        pass

    def send_offsets_to_transaction(self, offsets, member, timeout):
        self.given_up.wait()

    def commit_transaction(self, timeout):
        pass


class Member:
    def consumer_group_metadata(self):
        return b"CGMDv2:" + (7).to_bytes(4, "little")

    def memberid(self):
        return "replica"


def test_a_commit_that_has_no_answer_is_doubtful_though_the_client_would_wait_for_ever(monkeypatch):
    producer = Silent()
    monkeypatch.setattr(client, "transactional_producer", lambda *_: producer)
    monkeypatch.setattr(commits, "BROKER_SECONDS", 0.01)
    try:
        with pytest.raises(KafkaException, match="a commit has no answer"):
            Commits(KafkaReceiver(), "id").commit(Member(), {("otlp_spans", 0): Committed(5, 1)})
    finally:
        producer.given_up.set()
