"""Topics come, grow, go and come again while replicas read them: each call counts once."""

import uuid

import pytest

from llmvitals import semconv

pytestmark = pytest.mark.kafka

CALLS = 20


def counted(*replicas, what=semconv.CALLS):
    return sum(sum(each.values().get(what.name, ())) for each in replicas)


@pytest.fixture
def until_counted(until):
    """`until_counted(number, *replicas)`: all of them together count so many, and none again."""

    def wait(number, *replicas):
        waits = semconv.KAFKA_LAG, semconv.KAFKA_PREPARED
        until(
            lambda: counted(*replicas) >= number and not any(counted(*replicas, what=what) for what in waits), *replicas
        )
        assert counted(*replicas) == number
        assert counted(*replicas, what=semconv.COLLECTOR_DUPLICATE_CALLS) == 0

    return wait


@pytest.fixture
def topic(kafka_broker):
    name = f"calls-{uuid.uuid4().hex}"
    kafka_broker.topic(name, 1)
    return name


def test_all_topics_are_read_by_one_group(kafka_broker, topic, started, send, until_counted):
    kafka_broker.topic(other := f"{topic}-other", 2)
    replicas = [started(name, traces_topics=[topic, other], group=topic) for name in "ab"]
    for name, partition in ((topic, 0), (other, 0), (other, 1)):
        send(name, CALLS, partition)
    until_counted(3 * CALLS, *replicas)


def test_a_topic_that_is_made_later_is_read_from_its_begin(kafka_broker, topic, started, send, until_counted):
    later = f"{topic}-later"
    replica = started("a", traces_topics=[topic, later], group=topic)
    send(topic, CALLS)
    until_counted(CALLS, replica)
    kafka_broker.topic(later, 1)
    send(later, CALLS)
    until_counted(2 * CALLS, replica)


def test_partitions_that_are_added_are_read_from_their_begin(kafka_broker, topic, started, send, until, until_counted):
    replicas = [started(name, traces_topics=[topic], group=topic) for name in "ab"]
    send(topic, CALLS)
    until_counted(CALLS, *replicas)
    kafka_broker.grow(topic, 3)
    for partition in range(3):
        send(topic, CALLS, partition)
    until_counted(4 * CALLS, *replicas)
    # Partitions are shared out: each tells of the lag of those that it has.
    until(lambda: all(semconv.KAFKA_LAG.name in each.values() for each in replicas), *replicas)


@pytest.mark.parametrize("away", [False, True], ids=["while it is read", "while nobody reads it"])
def test_a_topic_that_is_deleted_and_made_anew_is_read_from_its_begin(
    kafka_broker, topic, started, send, until_counted, away
):
    replica = started("a", traces_topics=[topic], group=topic)
    send(topic, CALLS)
    until_counted(CALLS, replica)
    if away:
        replica.stop()
    kafka_broker.delete(topic)
    kafka_broker.topic(topic, 1)
    send(topic, CALLS // 2)
    if away:
        replica.start()
    until_counted(CALLS + CALLS // 2, replica)


def test_two_replicas_with_one_instance_id_hinder_each_other_and_count_each_call_once(topic, started, send, until):
    replicas = [started(name, traces_topics=[topic], group=topic, instance_id="same") for name in "ab"]
    send(topic, CALLS)
    until(lambda: counted(*replicas) >= CALLS and any("'same', too?" in each.log() for each in replicas), *replicas)
    assert counted(*replicas) == CALLS
    kept = counted(replicas[0])
    replicas[0].stop()
    send(topic, CALLS)
    until(lambda: kept + counted(replicas[1]) == 2 * CALLS, *replicas)
