"""Replicas that read one topic in one group, and what may happen to them."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from confluent_kafka import Producer
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.demo.children import read

PATIENCE = 240  # seconds
HANGING_SECONDS = 70  # after which a transaction is sure to hang, by a minute and what it may take
SESSION_SECONDS = 1.0
PARTITIONS = 3
CALL = {semconv.OPERATION_NAME: semconv.CHAT, semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-5"}
START = 1_700_000_000 * 10**9
_METRICS = re.compile(r"metrics on (http://\S+/metrics)")


def calls(count: int, encoding: str) -> bytes:
    """A request with calls, as the OpenTelemetry Collector's exporter writes it; no other one has any of their ids."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for _ in range(count):
        span = spans.add(name="chat", kind=3, trace_id=os.urandom(16), span_id=os.urandom(8))
        span.start_time_unix_nano, span.end_time_unix_nano = START, START + 10**9
        for key, value in CALL.items():
            span.attributes.add(key=key).value.string_value = value
    if encoding == "otlp_proto":
        return request.SerializeToString()
    written = MessageToDict(request)
    for span in written["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        # https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids in hex, enums as numbers
        span.update(traceId=os.urandom(16).hex(), spanId=os.urandom(8).hex(), kind=3)
    return json.dumps(written).encode()


class Forks:
    """See forks.py; several threads may start collectors."""

    def __init__(self) -> None:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forks.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._lock = Lock()

    def start(self, configuration: Path, log: Path) -> int:
        """The pid of a collector."""
        with self._lock:
            self._process.stdin.write(json.dumps([["collect", "--config", str(configuration)], str(log)]) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(PATIENCE)


class Replica:
    """A collector with a directory of its own, which runs between start() and its end."""

    def __init__(self, forks: Forks, folder: Path, kafka: dict[str, Any]) -> None:
        folder.mkdir()
        self._forks = forks
        self._configuration, self._log = folder / "collector.yaml", folder / "log"
        free = {"address": "127.0.0.1:0"}
        self._configuration.write_text(
            json.dumps(
                {
                    "receivers": {"grpc": free, "http": free, "kafka": kafka},
                    "metrics": {**free, "page": False},
                    "storage": {"directory": str(folder / "storage")},
                }
            )
        )
        self._log.touch()
        self._pid = 0
        self._said = 0  # bytes of the log when it was started

    @property
    def runs(self) -> bool:
        return bool(self._pid)

    def start(self) -> None:
        self._said = self._log.stat().st_size
        self._pid = self._forks.start(self._configuration, self._log)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def values(self) -> dict[str, list[float]]:
        """Of each metric of its /metrics the value of every series; empty while it does not answer."""
        found = _METRICS.search(self._log.read_text()[self._said :])
        try:
            text = read(found[1]) if found else ""
        except OSError:
            text = ""
        values: dict[str, list[float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                values.setdefault(sample.name, []).append(sample.value)
        return values

    def log(self) -> str:
        return self._log.read_text()

    def _end(self, how: signal.Signals) -> None:
        os.kill(self._pid, how)
        deadline = time.monotonic() + PATIENCE
        while _lives(self._pid):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)
        self._pid = 0


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Trial:
    """A topic, a group, and replicas to which something happens again and again; everything follows from the seed."""

    def __init__(self, seed: int, broker: Any, topic: str, forks: Forks, folder: Path) -> None:
        self.random = random.Random(seed)
        self._seed = seed
        self.sent = 0
        self._messages = 0
        self._happened: list[str] = []
        self._topic, self._forks, self._folder = topic, forks, folder
        self._encoding = self.random.choice(["otlp_proto", "otlp_json"])
        self._static = self.random.random() < 0.5
        self._broker = broker
        properties = {"bootstrap.servers": broker.address, "linger.ms": 1, "log_level": 0, "enable.idempotence": True}
        self._producer = Producer(properties)
        self.replicas: list[Replica] = []
        self._paused: list[tuple[float, Replica]] = []
        folder.mkdir()

    def join(self) -> None:
        """One replica more."""
        number = len(self.replicas)
        kafka = {
            "brokers": [self._broker.address],
            "traces_topics": [self._topic],
            "logs_topics": [],
            "group": self._topic,
            "encoding": self._encoding,
            "session_timeout_seconds": SESSION_SECONDS,
            "properties": {"transaction.timeout.ms": "2000", "socket.timeout.ms": "2000"},
            **({"instance_id": f"replica-{number}"} if self._static else {}),
        }
        replica = Replica(self._forks, self._folder / str(number), kafka)
        replica.start()
        self.replicas.append(replica)

    def send(self, messages: int) -> None:
        """Send so many at a pace at which replicas have some in hand when something happens."""
        for _ in range(messages):
            count = self.random.randrange(1, 8)
            told = partial(self._delivered, count)
            self._producer.produce(self._topic, calls(count, self._encoding), on_delivery=told)
            self._producer.poll(self.random.choice([0, 0.02, 0.02]))
            self._go_on(time.monotonic())

    def _delivered(self, count: int, error: object, _message: object) -> None:
        if not error:
            self.sent += count
            self._messages += 1

    def flush(self) -> None:
        """Returns once Kafka has all that was sent, and nothing else."""
        assert not self._producer.flush(PATIENCE)
        assert self._broker.messages(self._topic, PARTITIONS) == self._messages, "Kafka has not what was sent"

    def something_happens(self) -> None:
        running = [each for each in self.replicas if each.runs and each not in [paused for _, paused in self._paused]]
        ended = [each for each in self.replicas if not each.runs]
        what = self.random.choice(["kill", "kill", "kill", "restart", "leave", "join", "pause"])
        if what == "join" and len(self.replicas) < 4:
            self.join()
        elif ended and (what == "join" or not running):
            self.random.choice(ended).start()
        elif running:
            replica = self.random.choice(running)
            if what == "pause":
                replica.pause()
                self._paused.append((time.monotonic() + self.random.uniform(0.2, 2 * SESSION_SECONDS), replica))
            elif what == "leave":
                replica.stop()
            else:
                replica.kill()
                if what == "restart":
                    replica.start()
        self._happened.append(what)

    def settle(self) -> None:
        """All that ever were run until everything is counted."""
        self._go_on(time.monotonic() + PATIENCE)
        for replica in self.replicas:
            if not replica.runs:
                replica.start()
        deadline = time.monotonic() + PATIENCE
        hanging = time.monotonic() + HANGING_SECONDS
        while not self._is_settled():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.1)
            if time.monotonic() > hanging:  # what an operator has to do then, see KAFKA.md
                hanging += HANGING_SECONDS
                self._happened.append("an operator ends transactions that hang")
                self._broker.end_hanging_transactions()

    def values(self, family: Family) -> list[float]:
        """Of every series of all replicas."""
        return [value for replica in self.replicas for value in replica.values().get(family.name, ())]

    def told(self) -> str:
        lines = [f"seed {self._seed}: {self.sent} calls were sent; {', '.join(self._happened)}"]
        for number, replica in enumerate(self.replicas):
            values = {name: value for name, value in replica.values().items() if "kafka" in name or "calls" in name}
            lines += [f"replica {number}: {values}", replica.log()]
        return "\n".join(lines)

    def close(self) -> None:
        self._go_on(time.monotonic() + PATIENCE)
        for replica in self.replicas:
            if replica.runs:
                replica.kill()

    def _go_on(self, now: float) -> None:
        for due, replica in self._paused:
            if due <= now:
                replica.go_on()
        self._paused = [each for each in self._paused if each[0] > now]

    def _is_settled(self) -> bool:
        return (
            self.values(semconv.KAFKA_LAG) == [0] * PARTITIONS
            and self.values(semconv.KAFKA_PREPARED) == [0] * len(self.replicas)
            and sum(self.values(semconv.CALLS)) >= self.sent
        )


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture
def trial(kafka_broker: Any, forks: Forks, tmp_path: Path) -> Callable[[int], Trial]:
    """`trial(seed)`, in which no replica is yet."""

    def begin(seed: int) -> Trial:
        topic = f"calls-{seed}-{os.urandom(4).hex()}"
        kafka_broker.topic(topic, PARTITIONS)
        return Trial(seed, kafka_broker, topic, forks, tmp_path / str(seed))

    return begin


@pytest.fixture
def started(kafka_broker: Any, forks: Forks, tmp_path: Path) -> Iterator[Callable[..., Replica]]:
    """`started(name, **kafka)` is a replica that runs; kafka: its receiver's keys."""
    replicas: list[Replica] = []

    def start(name: str, **kafka: Any) -> Replica:
        told = {"brokers": [kafka_broker.address], "logs_topics": [], "session_timeout_seconds": SESSION_SECONDS}
        replicas.append(Replica(forks, tmp_path / name, {**told, **kafka}))
        replicas[-1].start()
        return replicas[-1]

    yield start
    for replica in replicas:
        if replica.runs:
            replica.kill()


@pytest.fixture
def send(kafka_broker: Any) -> Callable[..., None]:
    """`send(topic, count, partition)` returns once Kafka has so many calls, each in a message."""

    def sent(topic: str, count: int, partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": kafka_broker.address, "log_level": 0})  # that knows what is there now
        failures: list[Any] = []
        for _ in range(count):
            told = calls(1, "otlp_proto")
            producer.produce(topic, told, partition=partition, on_delivery=lambda error, _: failures.append(error))
        assert not producer.flush(PATIENCE)
        assert failures == [None] * count

    return sent


@pytest.fixture
def until() -> Callable[..., None]:
    """`until(condition, *replicas)` waits; whose logs are told where it waits in vain."""

    def wait(condition: Callable[[], bool], *replicas: Replica) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "\n".join(replica.log() for replica in replicas)
            time.sleep(0.1)

    return wait
