"""What a span costs in workers and in the process that counts, against one process that does both.

CPU time of each process by the kernel's account, so that it holds on a machine with fewer cores than processes. From
it follows what more cores give: a worker takes 1 / `worker` spans a second, until the process that counts is full at
1 / `counting`. `python tests/benchmarks/bench_workers.py [--journal]`
"""

import argparse
import contextlib
import gzip
import http.client
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

import grpc
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmvitals import semconv
from llmvitals_collector.demo.children import loopback_port

CLIENTS = 16  # connections that send at a time
SPANS = 60_000  # of a run, once it is warm
WARM = 10_000
SIZES = (512, 32)  # spans of a request
WORKERS = (0, 1, 2)
ROUNDS = 3
TICKS = os.sysconf("SC_CLK_TCK")
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def request(chance: random.Random, spans: int) -> bytes:
    """Calls with 22 attributes each, of 6 models and 50 templates."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.add(key=semconv.SERVICE_NAME).value.string_value = "shop"
    scope_spans = resource_spans.scope_spans.add()
    for _ in range(spans):
        end = time.time_ns()
        span = scope_spans.spans.add(name="chat", kind=3, end_time_unix_nano=end)
        span.trace_id, span.span_id = chance.randbytes(16), chance.randbytes(8)
        span.start_time_unix_nano = end - int(chance.lognormvariate(0.5, 0.6) * 1e9)
        texts = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: "openai",
            semconv.REQUEST_MODEL: f"model-{chance.randrange(6)}",
            semconv.PROMPT_NAME: f"template-{chance.randrange(50)}",
            **{f"app.attribute.{number}": f"value {number}" for number in range(13)},
        }
        numbers = {
            semconv.TIME_TO_FIRST_TOKEN: chance.lognormvariate(-1, 0.5),
            semconv.RESPONSE_TIME_TO_FIRST_CHUNK: 0.1,
            semconv.OUTPUT_TOKENS_PER_SECOND: chance.uniform(20, 120),
        }
        for key, text in texts.items():
            span.attributes.add(key=key).value.string_value = text
        for key, number in numbers.items():
            span.attributes.add(key=key).value.double_value = number
        for key, limit in {semconv.USAGE_INPUT_TOKENS: 4000, semconv.USAGE_OUTPUT_TOKENS: 800}.items():
            span.attributes.add(key=key).value.int_value = chance.randrange(1, limit)
    return message.SerializeToString()


class Collector:
    """`llmvitals collect` in a process of its own, and what it and its workers have cost."""

    def __init__(self, folder: Path, workers: int, journal: bool) -> None:
        self.ports = {name: loopback_port(0, name) for name in ("grpc", "http", "metrics")}
        addresses = {name: {"address": f"127.0.0.1:{port}"} for name, port in self.ports.items()}
        settings: dict[str, object] = {
            "receivers": {name: addresses[name] for name in ("grpc", "http")},
            "metrics": addresses["metrics"],
        }
        if journal:
            settings["storage"] = {"directory": str(folder / "storage")}
        file = folder / "collector.yml"
        file.write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(file)]
        command += ["--workers", str(workers)] if workers else []
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not self._answers("/readyz"):
            time.sleep(0.05)

    def _answers(self, path: str) -> str:
        url = f"http://127.0.0.1:{self.ports['metrics']}{path}"
        with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
            return str(answer.read().decode())
        return ""

    def counted(self) -> int:
        """How many calls were counted; those that wait are counted then."""
        found = re.findall(rf"^{semconv.CALLS.name}{{.*}} (.*)$", self._answers("/metrics"), re.MULTILINE)
        return int(sum(map(float, found)))

    def cpu(self) -> tuple[float, float]:
        """Seconds that the process has cost, and its workers together."""
        children = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        workers = [pid for each in children for pid in each.read_text().split()]
        return _cpu(self._process.pid), sum(map(_cpu, workers))

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


def _cpu(pid: int | str) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS


@contextlib.contextmanager
def senders(transport: str, ports: dict[str, int], zipped: bool) -> Iterator[Callable[[bytes], None]]:
    """What sends a body, over a connection of the calling thread's own."""
    mine = local()
    opened: list[http.client.HTTPConnection | grpc.Channel] = []

    def over_http(body: bytes) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = http.client.HTTPConnection("127.0.0.1", ports["http"])
            opened.append(mine.connection)
        headers = {"Content-Type": "application/x-protobuf", **({"Content-Encoding": "gzip"} if zipped else {})}
        mine.connection.request("POST", "/v1/traces", body, headers)
        answer = mine.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    def over_grpc(body: bytes) -> None:
        if not hasattr(mine, "export"):
            alone = [("grpc.use_local_subchannel_pool", 1)]
            opened.append(grpc.insecure_channel(f"127.0.0.1:{ports['grpc']}", alone))
            mine.export = opened[-1].unary_unary(EXPORT)
        mine.export(body, timeout=60)

    yield over_http if transport == "http" else over_grpc
    for each in opened:
        each.close()


def run(transport: str, zipped: bool, size: int, bodies: Sequence[bytes], workers: int, journal: bool) -> list[float]:
    """Microseconds of CPU for a span: in the process that counts, in its workers, and in both."""
    warm = WARM // size
    with tempfile.TemporaryDirectory() as folder:
        collector = Collector(Path(folder), workers, journal)
        with senders(transport, collector.ports, zipped) as send, ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(send, bodies[:warm]))
            assert collector.counted() == warm * size
            before = collector.cpu()
            list(pool.map(send, bodies[warm:]))
            assert collector.counted() == len(bodies) * size
            after = collector.cpu()
        collector.stop()
    spent = [(b - a) * 1e6 / ((len(bodies) - warm) * size) for a, b in zip(before, after, strict=True)]
    return [*spent, sum(spent)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", action="store_true", help="keep everything on disk")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    chance = random.Random(1)
    print(f"{'':<24}{'one process':>12}{'workers':>9}{'counting':>10}{'worker':>8}{'full at':>18}{'with':>14}")
    for size in SIZES:
        plain = [request(chance, size) for _ in range((WARM + SPANS) // size)]
        packed = [gzip.compress(body, 6) for body in plain]
        for transport in ("http", "grpc"):
            for zipped in (False, True):
                bodies = packed if zipped else plain
                rounds = [
                    [run(transport, zipped, size, bodies, workers, arguments.journal) for workers in WORKERS]
                    for _ in range(arguments.rounds)
                ]
                costs = [
                    [statistics.median(values) for values in zip(*runs, strict=True)]
                    for runs in zip(*rounds, strict=True)
                ]
                name = f"{transport} {'gzip' if zipped else 'plain'}, {size} spans"
                for workers, (counting, worker, _) in zip(WORKERS[1:], costs[1:], strict=True):
                    print(
                        f"{name:<24}{costs[0][2]:9.2f} µs {workers:8}{counting:7.2f} µs{worker:5.2f} µs"
                        f"{1e6 / counting:10,.0f} spans/s{worker / counting:6.1f} workers",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
