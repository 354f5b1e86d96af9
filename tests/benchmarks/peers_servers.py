"""The servers of bench_peers.py: ours, the Go OpenTelemetry Collector in two configurations, and Rotel."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self

import yaml
from peers_load import GRPC, HTTP, cpu_seconds, tree
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals_collector.demo.children import loopback_port, read

METRICS = "metrics"
_READY_SECONDS = 30
_INPUT, _OUTPUT = semconv.TOKEN_TYPES[:2]
_DOLLARS = {_INPUT: 1.25, _OUTPUT: 10.0}  # of a million tokens, of every model
_BOUNDS = {
    "duration": semconv.DURATION.bounds,
    "first_token": semconv.FIRST_TOKEN.bounds,
    "input_tokens": semconv.TOKEN_USAGE.bounds,
    "output_tokens": semconv.TOKEN_USAGE.bounds,
    "cost": semconv.CALL_COST.bounds,
}
_LABELS = (semconv.PROVIDER_NAME, semconv.OPERATION_NAME, semconv.REQUEST_MODEL, semconv.PROMPT_NAME)
_TOKENS = 'Double(span.attributes["{}"])'
_VALUES = {
    "duration": "Seconds(span.end_time - span.start_time)",
    "first_token": f'span.attributes["{semconv.TIME_TO_FIRST_TOKEN}"]',
    "input_tokens": _TOKENS.format(semconv.USAGE_INPUT_TOKENS),
    "output_tokens": _TOKENS.format(semconv.USAGE_OUTPUT_TOKENS),
    # No processor of it knows prices: each model's would be a condition more.
    "cost": " + ".join(
        f"{_DOLLARS[kind] / 1e6:.8f} * {_TOKENS.format(key)}"
        for kind, key in ((_INPUT, semconv.USAGE_INPUT_TOKENS), (_OUTPUT, semconv.USAGE_OUTPUT_TOKENS))
    ),
}


class Counted(NamedTuple):
    """What a server has counted: how many values of each kind, and their sum; of kinds that it does not know, none."""

    counts: dict[str, float]
    sums: dict[str, float]


class Peer(NamedTuple):
    """A server that can be started.

    command: given its ports and a folder for its files.
    counted: by the name that a sample has at its /metrics, without _count and _sum, and by a label's value where
        there is one: of which kind the values are. Empty where there is no /metrics.
    """

    name: str
    command: Callable[[Mapping[str, int], Path], Sequence[str]]
    counted: Mapping[tuple[str, str], str]
    environment: Mapping[str, str] = {}


class Server:
    """A peer that runs, on one processor; it ends when the block is left."""

    def __init__(self, peer: Peer, processor: int) -> None:
        self.peer = peer
        self.ports = {name: loopback_port(0, name) for name in (GRPC, HTTP, METRICS)}
        self._folder = TemporaryDirectory()
        self._log = Path(self._folder.name, "log").open("w+b")  # noqa: SIM115 - closed at the end of the block
        # Whatever the client's environment says of exporters is not meant for this one.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        command = peer.command(self.ports, Path(self._folder.name))
        self._process = subprocess.Popen(
            ["taskset", "--cpu-list", str(processor), *command],
            env={**inherited, **peer.environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _READY_SECONDS
        for port in (self.ports[GRPC], self.ports[HTTP]):
            while not _listens(port):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self._log.seek(0)
                    said = self._log.read().decode(errors="replace")
                    self.__exit__(None, None, None)
                    raise SystemExit(f"{self.peer.name} does not start; it says:\n{said}")
                time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def scrape(self) -> str:
        return read(f"http://127.0.0.1:{self.ports[METRICS]}/metrics")

    def scrape_cpu(self) -> float:
        """The CPU seconds of one answer at /metrics."""
        before = cpu_seconds(self.pid)
        self.scrape()
        return cpu_seconds(self.pid) - before

    def counted(self) -> Counted:
        counts, sums = dict.fromkeys(_BOUNDS, 0.0), dict.fromkeys(_BOUNDS, 0.0)
        for family in text_string_to_metric_families(self.scrape()):
            for sample in family.samples:
                name, _, what = sample.name.rpartition("_")
                kind = self.peer.counted.get((name, sample.labels.get(semconv.LABEL_TOKEN_TYPE, "")))
                if kind and what in ("count", "sum"):
                    of = counts if what == "count" else sums
                    of[kind] += sample.value
        return Counted(counts, sums)

    @property
    def peak_memory(self) -> int:
        """The most bytes that were ever resident."""
        lines = [line for pid in tree(self.pid) for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def ours() -> Peer:
    """`llmvitals collect` as it is, with a price."""

    def command(ports: Mapping[str, int], folder: Path) -> Sequence[str]:
        addresses = {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()}
        config = {
            "receivers": {"grpc": addresses[GRPC], "http": addresses[HTTP]},
            "metrics": addresses[METRICS],
            "processors": {"price": {"models": {"model-*": _DOLLARS}}},
        }
        return [sys.executable, "-m", "llmvitals_collector", "collect", "--config", _written(config, folder)]

    tokens = semconv.TOKEN_USAGE.name
    counted = {
        (semconv.DURATION.name, ""): "duration",
        (semconv.FIRST_TOKEN.name, ""): "first_token",
        (tokens, _INPUT): "input_tokens",
        (tokens, _OUTPUT): "output_tokens",
        (semconv.CALL_COST.name, ""): "cost",
    }
    return Peer("ours", command, counted)


def otelcol(program: Path) -> list[Peer]:
    """The Go collector: signal_to_metrics, which does the same work, and spanmetrics, which knows durations only."""
    attributes = [*({"key": key} for key in _LABELS), {"key": semconv.ERROR_TYPE, "optional": True}]
    signal_to_metrics = {
        "spans": [
            {
                "name": f"call.{kind}",
                "histogram": {"buckets": list(_BOUNDS[kind]), "value": value},
                "attributes": attributes,
                "include_resource_attributes": [{"key": semconv.SERVICE_NAME}],
            }
            for kind, value in _VALUES.items()
        ]
    }
    bounds = [f"{bound}s" for bound in _BOUNDS["duration"]]
    span_metrics = {
        "histogram": {"explicit": {"buckets": bounds}, "unit": "s"},
        "dimensions": [{"name": key} for key in (*_LABELS, semconv.ERROR_TYPE)],
        "exclude_dimensions": ["span.name", "span.kind", "status.code", "collector.instance.id"],
        "metrics_flush_interval": "5s",
    }
    by_kind = {(f"call_{kind}", ""): kind for kind in _VALUES}
    named = {("traces_span_metrics_duration_seconds", ""): "duration"}
    return [
        _otelcol(program, "signal_to_metrics", signal_to_metrics, ["delta_to_cumulative"], by_kind),
        _otelcol(program, "span_metrics", span_metrics, [], named),
    ]


def _otelcol(
    program: Path, connector: str, settings: Any, processors: list[str], counted: Mapping[tuple[str, str], str]
) -> Peer:
    def command(ports: Mapping[str, int], folder: Path) -> Sequence[str]:
        endpoints = {name: {"endpoint": f"127.0.0.1:{port}"} for name, port in ports.items()}
        # As ours takes: its own limit for gRPC is 4 MiB.
        grpc = {**endpoints[GRPC], "max_recv_msg_size_mib": 16}
        config = {
            "receivers": {"otlp": {"protocols": {"grpc": grpc, "http": endpoints[HTTP]}}},
            "connectors": {connector: settings},
            "processors": {name: {} for name in processors},
            "exporters": {"prometheus": endpoints[METRICS]},
            "service": {
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "exporters": [connector]},
                    "metrics": {"receivers": [connector], "processors": processors, "exporters": ["prometheus"]},
                },
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
        return [str(program), "--config", _written(config, folder)]

    return Peer(f"Go {connector}", command, counted, {"GOMAXPROCS": "1"})


def rotel(program: Path) -> Peer:
    """Rotel, which has no metrics from spans: it receives and decodes, and drops what it would send on."""

    def command(ports: Mapping[str, int], folder: Path) -> Sequence[str]:
        arguments = {
            "--otlp-grpc-endpoint": f"127.0.0.1:{ports[GRPC]}",
            "--otlp-http-endpoint": f"127.0.0.1:{ports[HTTP]}",
            "--otlp-grpc-max-recv-msg-size-mib": "16",
            "--exporter": "blackhole",
            "--pid-file": str(folder / "pid"),
            "--log-file": str(folder / "agent.log"),
        }
        return [str(program), "start", *(word for pair in arguments.items() for word in pair)]

    return Peer("Rotel", command, {})


def installed_rotel() -> Path | None:
    """The agent in the distribution `rotel`: of this environment, or of the one that ROTEL names."""
    if named := os.environ.get("ROTEL"):
        return next(iter(Path(named).glob("lib/python3*/site-packages/rotel/rotel-agent")), None)
    found = importlib.util.find_spec("rotel")
    return Path(found.origin).parent / "rotel-agent" if found and found.origin else None


def _written(config: Any, folder: Path) -> str:
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config))
    return str(file)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
