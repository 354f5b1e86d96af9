"""Real collectors in tiers: OpenTelemetry Collectors and llmvitals, with the files of examples/otel_collector."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from llmvitals import semconv
from llmvitals_collector.demo.children import loopback_port, read

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "otel_collector"
PATIENCE = 120  # seconds that a wait may take
TOLD = 3000  # characters of what is told then
TIMES = {
    "initial_interval: 1s, max_interval: 10s": "initial_interval: 50ms, max_interval: 500ms",
    "initial_seconds: 1, max_seconds: 10": "initial_seconds: 0.05, max_seconds: 0.5",
}
TOKENS = 7  # of a call
_LISTENS = re.compile(r"(?P<host>0\.0\.0\.0:|127\.0\.0\.1:|(?<=port: ))(?P<port>\d+)")


def _until(condition: Callable[[], Any], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, str(what())[-TOLD:]
        time.sleep(0.02)


class Program:
    """A collector that runs with a file, in which only addresses, paths and times are the test's own.

    changes: what is written there, and what is to stand in its place.
    folder: for what it keeps.
    ports: where it listens, by the port that the file has.
    """

    def __init__(
        self, command: list[str], file: Path, changes: Mapping[str, str], folder: Path, ready: tuple[int, str], own: int
    ) -> None:
        self.ports: dict[int, int] = {}
        text = _LISTENS.sub(self._port, file.read_text())
        for written, changed in {"/var/lib": str(folder), **TIMES}.items():
            text = text.replace(written, changed)
        for written, changed in changes.items():
            assert written in text, f"{file.name} has no {written}"
            text = text.replace(written, changed)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._configuration = folder / file.name
        self._configuration.write_text(text)
        self._log = self._configuration.with_suffix(".log")
        self._command = [*command, "--config", str(self._configuration)]
        self._ready = f"http://127.0.0.1:{self.ports[ready[0]]}{ready[1]}"
        self._metrics = f"http://127.0.0.1:{self.ports[own]}/metrics"
        self._process: subprocess.Popen[bytes] | None = None

    def _port(self, found: re.Match[str]) -> str:
        port = int(found["port"])
        self.ports[port] = self.ports.get(port) or loopback_port(0, str(port))
        return ("127.0.0.1:" if found["host"] else "") + str(self.ports[port])

    def address(self, port: int) -> str:
        """Where it listens that has this port in the file."""
        return f"127.0.0.1:{self.ports[port]}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        _until(self._answers, self.log)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            return bool(read(self._ready))
        except OSError:
            return False

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.wait(PATIENCE) == 0, self.log()

    def change(self, written: str, changed: str) -> None:
        """Start it again with something else in its file."""
        self.stop()
        self._configuration.write_text(self._configuration.read_text().replace(written, changed))
        self.start()

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self.stop()

    def log(self) -> str:
        return self._log.read_text()

    def samples(self, *types: str) -> Iterator[Sample]:
        """What its /metrics says; types: of these alone."""
        for family in text_string_to_metric_families(read(self._metrics)):
            if not types or family.type in types:
                yield from family.samples

    def total(self, name: str, **labels: str) -> float:
        return sum(each.value for each in self.samples() if each.name == name and labels.items() <= each.labels.items())


@pytest.fixture
def until() -> Callable[..., None]:
    """`until(condition)` waits; what: a function whose result is told where it waits in vain."""

    def wait(condition: Callable[[], Any], what: Callable[[], object] = lambda: "waited in vain") -> None:
        _until(condition, what)

    return wait


@pytest.fixture(scope="session")
def otelcol(program) -> str:
    """The path of the OpenTelemetry Collector."""
    built = [str(path) for path in (ROOT / ".cache").glob("otelcol-*/otelcol")]
    return program(*built or ["an OpenTelemetry Collector"], hint=".ci/setup otelcol")


@pytest.fixture(scope="session")
def program3(program) -> str:
    """The path of a Prometheus 3."""
    built = [str(path) for path in (ROOT / ".cache").glob("prometheus-*/prometheus")]
    return program(*built or ["Prometheus 3"], hint=".ci/setup prometheus3")


@pytest.fixture
def started(tmp_path, otelcol) -> Iterator[Callable[..., Program]]:
    """`started(file, changes, name)` is a collector that runs with this file, ours or OpenTelemetry's.

    name: of its folder, where there are several with one file.
    """
    with ExitStack() as stack:

        def start(file: str | Path, changes: Mapping[str, str] = {}, name: str = "") -> Program:
            path = EXAMPLES / file
            folder = tmp_path / (name or path.stem)
            if "service:" in path.read_text():
                program = Program([otelcol], path, changes, folder, (13133, "/"), 8888)
            else:
                command = [sys.executable, "-m", "llmvitals_collector", "collect"]
                program = Program(command, path, changes, folder, (9464, "/readyz"), 9464)
            stack.callback(program.close)
            program.start()
            return program

        yield start


@pytest.fixture
def gateway(started) -> tuple[Program, Program, list[Program]]:
    """An agent, the gateway that it sends to, and the three replicas behind that."""
    with ThreadPoolExecutor() as pool:
        replicas = list(pool.map(lambda number: started("replica.yaml", name=f"replica-{number}"), range(3)))
    changes = {f"llmvitals-{number}.example:4317": replica.address(4317) for number, replica in enumerate(replicas)}
    gateway = started("gateway.yaml", changes)
    agent = started("agent.yaml", {"gateway.example:4317": gateway.address(4317)})
    return agent, gateway, replicas


@pytest.fixture
def calls() -> Callable[..., ExportTraceServiceRequest]:
    """`calls(count)` is a request of calls that nobody has told of before, each in a trace of its own.

    parents: wrappers of these calls, as another service tells of them; theirs are the traces.
    """

    def made(count: int, parents: ExportTraceServiceRequest | None = None) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        service = resource_spans.resource.attributes.add(key=semconv.SERVICE_NAME)
        service.value.string_value = "app" if parents else "proxy"
        scope_spans = resource_spans.scope_spans.add()
        wrappers = parents.resource_spans[0].scope_spans[0].spans if parents else ()
        for number in range(count):
            span = scope_spans.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="chat")
            if wrappers:
                span.trace_id, span.parent_span_id = wrappers[number].trace_id, wrappers[number].span_id
            span.start_time_unix_nano, span.end_time_unix_nano = time.time_ns() - 10**9, time.time_ns()
            for key, value in {semconv.OPERATION_NAME: semconv.CHAT, semconv.PROVIDER_NAME: "openai"}.items():
                span.attributes.add(key=key).value.string_value = value
            span.attributes.add(key=semconv.USAGE_OUTPUT_TOKENS).value.int_value = TOKENS
        return request

    return made


@pytest.fixture
def send() -> Callable[[Program, ExportTraceServiceRequest], None]:
    """`send(program, request)` over HTTP, until it is acknowledged."""

    def sent(program: Program, request: ExportTraceServiceRequest) -> None:
        url = f"http://{program.address(4318)}/v1/traces"
        headers = {"Content-Type": "application/x-protobuf"}
        prepared = urllib.request.Request(url, request.SerializeToString(), headers)

        def acknowledged() -> bool:
            try:
                with urllib.request.urlopen(prepared, timeout=10) as answer:
                    return answer.status == 200
            except OSError:
                return False

        _until(acknowledged, program.log)

    return sent


@pytest.fixture
def store(started) -> Program:
    """A trace store that runs."""
    return started(Path(__file__).with_name("store.yaml"))


@pytest.fixture
def stored(store) -> Callable[[], list[str]]:
    """`stored()` is the ids of the spans that the trace store has, each as often as it came."""
    return lambda: re.findall(r'"spanId":"(\w+)"', (store.folder / "spans.json").read_text())
