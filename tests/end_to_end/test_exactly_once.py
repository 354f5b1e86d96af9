"""With a directory to keep things in, an acknowledged call counts once, whatever happens to the collector."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals_collector.demo.children import loopback_port, read

SPANS = 32  # of a request
TOKENS = 7  # of a call
PATIENCE = 60  # seconds until the collector is back


class Clients:
    """Several clients at once, each of which sends a request again until it is acknowledged."""

    def __init__(self, url: str, count: int = 4) -> None:
        self._url = f"{url}/v1/traces"
        self._stopping = threading.Event()
        self._chance = random.Random(1)
        self.acknowledged = [0] * count
        self.repeated = 0
        self._threads = [threading.Thread(target=self._send, args=(place,)) for place in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self, place: int) -> None:
        while not self._stopping.is_set():
            body = request(self._chance)
            while not self._acknowledged(body):
                self.repeated += 1
                time.sleep(0.01)
            self.acknowledged[place] += SPANS

    def _acknowledged(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            with urllib.request.urlopen(urllib.request.Request(self._url, body, headers), timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False


def request(chance: random.Random) -> bytes:
    """A request of calls that nobody has sent before."""
    message = ExportTraceServiceRequest()
    scope_spans = message.resource_spans.add().scope_spans.add()
    for _ in range(SPANS):
        span = scope_spans.spans.add(trace_id=chance.randbytes(16), span_id=chance.randbytes(8))
        span.start_time_unix_nano, span.end_time_unix_nano = time.time_ns() - 10**9, time.time_ns()
        for key, value in {semconv.OPERATION_NAME: semconv.CHAT, semconv.PROVIDER_NAME: "openai"}.items():
            span.attributes.add(key=key).value.string_value = value
        span.attributes.add(key=semconv.USAGE_OUTPUT_TOKENS).value.int_value = TOKENS
    return message.SerializeToString()


class Collector:
    """A collector that keeps what it counted in a directory; it can be killed, and started again."""

    def __init__(self, folder: Path, workers: int = 0, **storage: object) -> None:
        self.workers = workers
        self._ports = {name: loopback_port(0, name) for name in ("grpc", "http", "metrics")}
        self.url = f"http://127.0.0.1:{self._ports['http']}"
        self.metrics = f"http://127.0.0.1:{self._ports['metrics']}"
        self._log = folder / "collector.log"
        self._configuration = folder / "collector.yml"
        self._configuration.write_text(
            yaml.safe_dump(
                {
                    "receivers": {name: {"address": f"127.0.0.1:{self._ports[name]}"} for name in ("grpc", "http")},
                    "metrics": {"address": f"127.0.0.1:{self._ports['metrics']}"},
                    "storage": {"directory": str(folder / "storage"), **storage},
                }
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(self._configuration)]
        command += ["--workers", str(self.workers)] if self.workers else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self._ready():
            running = self._process.poll() is None
            assert running, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def _ready(self) -> bool:
        try:
            return read(f"{self.metrics}/readyz") != ""
        except OSError:
            return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def worker_processes(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return [int(pid) for each in children for pid in each.read_text().split()]

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.wait(PATIENCE) == 0

    def total(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in text_string_to_metric_families(read(f"{self.metrics}/metrics"))
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture(params=[0, 2], ids=["one process", "two workers"])
def collector(tmp_path, request) -> Iterator[Collector]:
    collector = Collector(tmp_path, request.param)
    collector.start()
    yield collector
    collector.stop()


def assert_exact(collector: Collector, calls: int) -> None:
    assert collector.total("llm_calls_total") == calls
    assert collector.total("llm_tokens_total", gen_ai_token_type="output") == calls * TOKENS
    assert collector.total("gen_ai_client_operation_duration_seconds_count") == calls


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.long)])
def test_killed_at_any_moment_under_load_it_counts_what_it_acknowledged_once(collector, kills):
    chance = random.Random(kills)
    with Clients(collector.url) as clients:
        for _ in range(kills):
            time.sleep(chance.uniform(0, 0.4))  # the moment is what varies
            collector.kill()
            collector.start()
    assert clients.repeated > 0, "no request was ever repeated, so nothing was tried"
    assert_exact(collector, sum(clients.acknowledged))


@pytest.mark.parametrize("collector", [2], indirect=True)
@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.long)])
def test_whichever_worker_is_killed_under_load_what_was_acknowledged_counts_once(collector, kills):
    chance = random.Random(kills)
    with Clients(collector.url) as clients:
        for _ in range(kills):
            time.sleep(chance.uniform(0, 1))  # the moment is what varies
            for pid in chance.sample(alive := collector.worker_processes, min(1, len(alive))):
                os.kill(pid, signal.SIGKILL)
    assert clients.repeated > 0, "no request was ever repeated, so nothing was tried"
    assert_exact(collector, sum(clients.acknowledged))
    assert collector.total(semconv.COLLECTOR_WORKER_RESTARTS.name) > 0


@pytest.mark.parametrize("collector", [2], indirect=True)
def test_workers_end_with_the_process_that_counts(collector):
    workers = collector.worker_processes
    assert len(workers) == 2
    collector.kill()
    deadline = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    collector.start()


def test_the_number_of_workers_may_change_with_each_start(collector):
    with Clients(collector.url) as clients:
        for workers in (3, 0, 1):
            time.sleep(0.2)
            collector.kill()
            collector.workers = workers
            collector.start()
    assert_exact(collector, sum(clients.acknowledged))


def test_restarted_in_an_orderly_way_it_goes_on_where_it_was(collector):
    with Clients(collector.url) as clients:
        for _ in range(2):
            time.sleep(0.2)
            collector.stop()
            collector.start()
    assert_exact(collector, sum(clients.acknowledged))


def test_without_a_journal_an_orderly_restart_goes_on_and_a_crash_starts_from_nothing(tmp_path):
    collector = Collector(tmp_path, journal=False)
    collector.start()
    with Clients(collector.url) as clients:
        time.sleep(0.2)
    calls = sum(clients.acknowledged)
    collector.stop()
    collector.start()
    assert_exact(collector, calls)
    collector.kill()
    collector.start()
    # Not what was there at the stop: Prometheus would take it for as many new calls.
    assert collector.total("llm_calls_total") == 0
    collector.stop()


def test_a_directory_that_cannot_be_used_is_said_in_one_sentence(tmp_path):
    (tmp_path / "storage").write_text("a file")
    collector = Collector(tmp_path)
    with pytest.raises(AssertionError, match=r"llmvitals: storage\.directory: .*storage cannot be written"):
        collector.start()
