"""OpenTelemetry's Kafka exporter writes, a real broker keeps, and llmvitals counts each call once."""

import os
import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Producer

from llmvitals import semconv
from llmvitals_collector.demo import servers
from queries import A_DAY, queries
from sheet_data import Server

pytestmark = pytest.mark.tiers

CALLS = 40
PARTITIONS = 3
SHOWN = [query for query in queries({**A_DAY, "__rate_interval": "1m"}) if "llm_collector_kafka_" in query.written]
TRACES_ALONE = {"logs_topics: [otlp_logs]": "logs_topics: []"}


def partitions(replica):
    lag = [each for each in replica.samples("gauge") if each.name == semconv.KAFKA_LAG.name]
    return {(each.labels[semconv.LABEL_TOPIC], each.labels[semconv.LABEL_PARTITION]) for each in lag}


@pytest.fixture
def topic(kafka_broker):
    """What stands in both files, and what is to stand there."""
    name = f"otlp_spans-{uuid.uuid4().hex}"
    kafka_broker.topic(name, PARTITIONS)
    return {"otlp_spans": name, "kafka.example:9092": kafka_broker.address}


@pytest.mark.parametrize("encoding", ["otlp_proto", "otlp_json"])
def test_what_the_exporter_writes_is_counted_once_by_replicas_that_share_the_partitions(
    encoding, topic, started, calls, send, until
):
    changes = {**topic, "encoding: otlp_proto": f"encoding: {encoding}"}
    # With two topics, one replica might get all partitions with traces, and the other one those with logs.
    replicas = [started("from_kafka.yaml", {**changes, **TRACES_ALONE}, f"replica-{number}") for number in range(2)]
    writer = started("to_kafka.yaml", changes)

    def counted(name):
        return sum(each.total(name) for each in replicas)

    def are_shared():
        held = [partitions(each) for each in replicas]
        return all(held) and held[0].isdisjoint(held[1]) and len(held[0] | held[1]) == PARTITIONS

    until(are_shared, replicas[0].log)
    wrappers = calls(CALLS)
    send(writer, wrappers)
    until(lambda: counted("llm_calls_total") == CALLS, writer.log)
    assert all(each.total("llm_calls_total") for each in replicas), "traces are shared out"
    # All of a trace comes to one replica.
    send(writer, calls(CALLS, parents=wrappers))
    until(lambda: counted("llm_collector_duplicate_calls_total") == CALLS, writer.log)
    assert counted("llm_calls_total") == CALLS


@pytest.fixture
def shown(program3, tmp_path, monkeypatch):
    """`shown(replica)` gives the board's values of Kafka, by panel and series, as a Prometheus has them."""
    monkeypatch.setenv("PATH", str(Path(program3).parent), prepend=os.pathsep)
    running = []

    def read(replica):
        if not running:
            target = {"job_name": "llm-collector", "static_configs": [{"targets": [replica.address(9464)]}]}
            configuration = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [target]}
            running.append(servers.prometheus(configuration, tmp_path))
        board = Server(running[0].url)
        return {
            (query.place, query.target["legendFormat"]): [
                value for series in board.at(query.expression, time.time()) for _, value in series.points
            ]
            for query in SHOWN
        }

    yield read
    for each in running:
        each.stop()


def test_the_board_shows_what_waits_and_what_was_set_aside(topic, kafka_broker, started, calls, shown, until):
    replica = started("from_kafka.yaml", {**topic, **TRACES_ALONE})
    assert len(SHOWN) > 5
    until(lambda: all(shown(replica).values()), lambda: shown(replica))
    assert shown(replica)["Membership", "{{instance}}"] == [1]
    producer = Producer({"bootstrap.servers": kafka_broker.address})
    for message in (b"no request", calls(CALLS).SerializeToString()):
        producer.produce(topic["otlp_spans"], message)
    producer.flush()
    until(lambda: shown(replica)["Messages that do not count", "set aside: {{topic}}"][0] > 0, replica.log)
    until(lambda: shown(replica)["Messages that wait", "{{topic}}"] == [0], replica.log)
    assert replica.total("llm_calls_total") == CALLS
