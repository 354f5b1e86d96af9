"""Memory over a long time with labels that come and go: `python tests/benchmarks/soak.py --minutes 60`

A collector gets a thousand calls a second, of templates that are new every few seconds. It prints resident memory,
held label sets and what was counted, and at the end how memory grew from the second quarter of the time to the last.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals_collector.demo.children import loopback_port, read

SPANS, REQUESTS_PER_SECOND = 100, 10


def request(chance: random.Random, generation: int) -> bytes:
    """A request of calls of twenty templates that only this generation has."""
    message = ExportTraceServiceRequest()
    scope_spans = message.resource_spans.add().scope_spans.add()
    now = time.time_ns()
    for _ in range(SPANS):
        duration = int(chance.lognormvariate(0.5, 0.6) * 1e9)
        span = scope_spans.spans.add(trace_id=chance.randbytes(16), span_id=chance.randbytes(8))
        span.start_time_unix_nano, span.end_time_unix_nano = now - duration, now
        texts = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: "openai",
            semconv.REQUEST_MODEL: f"model-{chance.randrange(6)}",
            semconv.PROMPT_NAME: f"template-{generation}-{chance.randrange(20)}",
            semconv.RESPONSE_ID: f"chatcmpl-{chance.getrandbits(120):030x}",
        }
        for key, value in texts.items():
            span.attributes.add(key=key).value.string_value = value
        span.attributes.add(key=semconv.USAGE_OUTPUT_TOKENS).value.int_value = chance.randrange(1, 800)
    return message.SerializeToString()


def resident(pid: int) -> float:
    """Resident memory of a process, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    ports = {name: loopback_port(0, name) for name in ("grpc", "http", "metrics")}
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "collector.yml"
        settings = {
            "receivers": {name: {"address": f"127.0.0.1:{ports[name]}"} for name in ("grpc", "http")},
            "metrics": {"address": f"127.0.0.1:{ports['metrics']}"},
            "limits": {"expire_after_seconds": 60},
            "storage": {"directory": str(Path(folder) / "storage")},
        }
        configuration.write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(configuration)]
        process = subprocess.Popen(command)
        try:
            soak(process.pid, ports, arguments.minutes * 60)
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(metrics: str) -> None:
    for _ in range(300):
        try:
            read(f"{metrics}/readyz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the collector does not get ready")


def soak(pid: int, ports: dict[str, int], seconds: float) -> None:
    metrics = f"http://127.0.0.1:{ports['metrics']}"
    wait_until_ready(metrics)
    chance, began, sent, memory = random.Random(0), time.monotonic(), 0, []
    while (elapsed := time.monotonic() - began) < seconds:
        body = request(chance, int(elapsed // 5))
        headers = {"Content-Type": "application/x-protobuf"}
        url = f"http://127.0.0.1:{ports['http']}/v1/traces"
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            assert answer.status == 200
        sent += 1
        if sent % (REQUESTS_PER_SECOND * 15) == 0:
            text = read(f"{metrics}/metrics")
            memory.append(resident(pid))
            calls = [f for f in text_string_to_metric_families(text) if f.name == "llm_calls"]
            series = sum(len(family.samples) for family in calls)
            print(
                f"{elapsed:6.0f} s {sent * SPANS:9,d} calls sent, {memory[-1]:6.1f} MB resident,"
                f" {len(text) / 1e6:.1f} MB of metrics, {series} series of llm_calls_total",
                flush=True,
            )
        time.sleep(max(0.0, began + sent / REQUESTS_PER_SECOND - time.monotonic()))
    quarter = len(memory) // 4
    early, late = statistics.median(memory[quarter : 2 * quarter]), statistics.median(memory[-quarter:])
    print(f"second quarter {early:.1f} MB, last quarter {late:.1f} MB: {late / early:.3f} times as much")


if __name__ == "__main__":
    main()
