"""A collector with two workers, and connections of which it is known which worker has them."""

import contextlib
import http.client
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import parser

from llmvitals.semconv import Family
from llmvitals_collector.config import Auth, Config, FeedbackReceiver, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.evaluation.config import EvaluationConfig
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.storage import StorageConfig

PATIENCE = 60  # seconds
KEY = "0123456789abcdef0123456789abcdef"


class Collector:
    """A collector with workers in this process, as its clients and Prometheus meet it."""

    def __init__(self, config: Config, workers: int = 2) -> None:
        self.config = config
        self._others = _workers()
        self.pipeline = Pipeline(config, workers)

    @property
    def pids(self) -> list[int]:
        """Of the workers that there are."""
        return [pid for pid in _workers() if pid not in self._others]

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.pipeline.http.port, timeout=PATIENCE)
        connection.connect()
        return connection

    @contextlib.contextmanager
    def of_each_worker(self) -> Iterator[list[http.client.HTTPConnection]]:
        """A connection to each worker."""
        found: dict[int, http.client.HTTPConnection] = {}
        deadline = time.monotonic() + PATIENCE
        while len(found) < 2:
            assert time.monotonic() < deadline, "the kernel gives one worker every connection"
            connection = self.connect()
            ask(connection, "GET", "/nothing")
            if found.setdefault(self._worker_of(connection), connection) is not connection:
                connection.close()
        yield list(found.values())
        for connection in found.values():
            connection.close()

    def _worker_of(self, connection: http.client.HTTPConnection) -> int:
        ports = f":{self.pipeline.http.port:04X}", f":{connection.sock.getsockname()[1]:04X}"
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        (inode,) = [each[9] for each in lines if each[1].endswith(ports[0]) and each[2].endswith(ports[1])]
        (pid,) = [pid for pid in self.pids if f"socket:[{inode}]" in _open_files(pid)]
        return pid

    def told(self, family: Family, **labels: str) -> float:
        """The sum of a family's samples with these labels, histograms by their counts."""
        name = family.name + ("_count" if family.kind == "histogram" else "")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.pipeline.metrics.port}/metrics") as answer:
            families = list(parser.text_string_to_metric_families(answer.read().decode()))
        return sum(
            sample.value
            for each in families
            for sample in each.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait for what other processes do."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def _workers() -> list[int]:
    """Of every collector in this process."""
    children = Path("/proc/self/task").glob("*/children")
    found = [int(pid) for each in children for pid in each.read_text().split()]
    return [pid for pid in found if b"llmvitals_collector.workers" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _open_files(pid: int) -> set[str]:
    files = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            files.add(str(each.readlink()))
    return files


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes = b"", **headers: str) -> int:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.fixture
def post() -> Callable[..., int]:
    """Send traces over a connection; gives the status."""

    def send(connection: http.client.HTTPConnection, body: bytes, token: str = "", path: str = "/v1/traces") -> int:
        headers = {"Content-Type": "application/x-protobuf", **({"Authorization": f"Bearer {token}"} if token else {})}
        return ask(connection, "POST", path, body, **headers)

    return send


def settings(**others: object) -> Config:
    receivers = Receivers(
        grpc=GrpcReceiver(address="127.0.0.1:0"),
        http=HttpReceiver(address="127.0.0.1:0"),
        feedback=FeedbackReceiver(client_requests_per_minute=6),
    )
    return Config(receivers=receivers, metrics=Metrics(address="127.0.0.1:0"), **others)


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """With two workers, for all tests, each of which leaves it running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMVITALS_HANDLE_KEY", KEY)
        running = Collector(settings())
        running.pipeline.start()
        yield running
        running.pipeline.stop()


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[Collector]:
    """With two workers, something that looks at answers, and a journal in tmp_path."""
    evaluation = EvaluationConfig(checks=("refusal",))
    running = Collector(settings(evaluation=evaluation, storage=StorageConfig(directory=str(tmp_path))))
    running.pipeline.start()
    yield running
    running.pipeline.stop()


@pytest.fixture
def with_token() -> Callable[..., Config]:
    """A configuration whose receiver wants this token, or one of a file."""

    def changed(config: Config, token: str, file: str = "") -> Config:
        auth = Auth(bearer_tokens=(token,), bearer_tokens_file=file)
        http = HttpReceiver(address=config.receivers.http.address, auth=auth)
        receivers = Receivers(grpc=config.receivers.grpc, http=http, feedback=config.receivers.feedback)
        return Config(receivers=receivers, metrics=config.metrics)

    return changed
