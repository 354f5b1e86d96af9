"""From messages to counts, on librdkafka's mock of a cluster: what comes in, what is set aside, what is tried again."""

import json
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from llmvitals import semconv
from llmvitals_collector.lifecycle import GRACE_SECONDS
from llmvitals_collector.receivers.kafka import partitions
from llmvitals_collector.storage import StorageError

PATIENCE = 30  # seconds


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def message(spans):
    """A message with so many calls."""
    return lambda count=1: spans(*[{}] * count).SerializeToString()


def test_messages_of_all_partitions_count_also_those_that_were_there_before(reading, write, message):
    write(message(2), message(3))
    collector = reading()
    write(message(4), partition=1)
    until(lambda: collector.calls == 9)
    until(lambda: collector.values(semconv.KAFKA_MEMBER) == {(): 1})
    assert collector.values(semconv.OTELCOL_ACCEPTED_SPANS) == {("otlp", "kafka"): 9}


def test_after_a_restart_it_goes_on_where_it_was(reading, write, message):
    write(message(2))
    first = reading()
    until(lambda: first.calls == 2)
    first.pipeline.stop()
    write(message(3))
    second = reading()
    until(lambda: second.calls == 3)
    assert not second.values(semconv.COLLECTOR_DUPLICATE_CALLS)


def test_what_cannot_be_taken_is_set_aside_and_the_rest_counts(reading, write, message, topic, tmp_path, monkeypatch):
    collector = reading(max_message_bytes=100_000)
    decode = collector.pipeline.intake.decode

    def failing(signal, body, encoding):
        if body == b"fault":
            raise ZeroDivisionError
        return decode(signal, body, encoding)

    monkeypatch.setattr(collector.pipeline.intake, "decode", failing)
    write(b"\xff", message(), b"fault", b"x" * 100_001, message())
    until(lambda: collector.calls == 2)
    assert collector.values(semconv.KAFKA_SET_ASIDE) == {
        (topic, semconv.MALFORMED): 1,
        (topic, semconv.INTERNAL): 1,
        (topic, semconv.TOO_LARGE): 1,
    }
    folder = tmp_path / "storage" / "set-aside" / topic
    assert {path.name: path.read_bytes()[:5] for path in folder.iterdir()} == {
        "0-0.malformed": b"\xff",
        "0-2.internal": b"fault",
        "0-3.too_large": b"xxxxx",
    }


def test_malformed_json_goes_to_the_dead_letter_topic(reading, write, topic, brokers):
    collector = reading(encoding="otlp_json", dead_letter_topic=f"{topic}-dead", directory="")
    write(b'{"resourceSpans": [}', json.dumps({"resourceSpans": []}).encode())
    until(lambda: collector.values(semconv.KAFKA_SET_ASIDE) == {(topic, semconv.MALFORMED): 1})
    reader = Consumer(
        {"bootstrap.servers": brokers, "group.id": "dead", "auto.offset.reset": "earliest", "log_level": 0}
    )
    reader.assign([TopicPartition(f"{topic}-dead", partition, 0) for partition in range(4)])
    (dead,) = reader.consume(1, PATIENCE)
    reader.close()
    assert dead.value() == b'{"resourceSpans": [}'
    assert dict(dead.headers()) == {"llmvitals.reason": b"malformed", "llmvitals.source": f"{topic}-0-0".encode()}


def test_without_a_place_for_it_what_cannot_be_taken_is_told_and_passed(reading, write, message, topic, caplog):
    collector = reading(directory="")
    write(b"\xff", message())
    until(lambda: collector.calls == 1)
    assert f"{topic}-0-0 is malformed, and passed; with storage.directory it would be kept" in caplog.text


def test_while_there_is_no_room_partitions_are_paused_and_then_nothing_is_missing(reading, write, message, topic):
    collector = reading()
    admission = collector.pipeline._admission
    write(message())
    until(lambda: collector.calls == 1)
    admission.hold(admission.limit)
    write(*(message() for _ in range(50)))
    until(lambda: collector.values(semconv.KAFKA_LAG) == {(topic, "0"): 50})
    until(lambda: collector.values(semconv.KAFKA_FAILURES)[()] > 1)
    admission.hold(-admission.limit)
    until(lambda: collector.calls == 51)
    write(message())
    until(lambda: collector.calls == 52)
    assert not collector.values(semconv.COLLECTOR_DUPLICATE_CALLS)


@pytest.mark.parametrize("step", ["prepare", "settle"])
def test_what_the_storage_does_not_take_is_tried_again(reading, write, message, step, monkeypatch):
    collector = reading()
    write(message())
    until(lambda: collector.calls == 1)
    working = getattr(collector.pipeline._counting, step)
    failures = []

    def failing(ranges):
        if len(failures) < 2:
            failures.append(collector.pipeline._health.problem)
            raise StorageError("the disk is full")
        working(ranges)

    monkeypatch.setattr(collector.pipeline._counting, step, failing)
    write(message(), message())
    until(lambda: collector.calls == 3)
    assert failures[1] == "the disk is full"
    assert collector.pipeline._health.problem is None
    assert not collector.values(semconv.COLLECTOR_DUPLICATE_CALLS)


def test_a_claim_that_fails_is_tried_again(reading, write, message, monkeypatch):
    write(message())
    with monkeypatch.context() as impatient:
        impatient.setattr(partitions, "BROKER_SECONDS", 0.0)
        collector = reading()
        until(lambda: collector.values(semconv.KAFKA_FAILURES))
    until(lambda: collector.calls == 1)


def test_brokers_that_are_away_are_told_of_once_and_requests_are_taken_all_the_same(reading, caplog):
    collector = reading(brokers=("127.0.0.1:1",))
    until(lambda: collector.values(semconv.KAFKA_FAILURES) or "Kafka: " in caplog.text)
    assert collector.pipeline._health.problem is None
    began = time.monotonic()
    collector.pipeline.stop()
    assert time.monotonic() - began < GRACE_SECONDS + 2
    assert sum("Kafka: " in record.getMessage() for record in caplog.records) <= 2
