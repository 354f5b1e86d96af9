"""Ten times as many bytes in flight as the collector admits: `python tests/benchmarks/overload.py --seconds 120`

Forty of OpenTelemetry's own exporters, with their own retries, send batches of 512 spans with 4 KB of text each to a
collector that admits a tenth of that at once. It prints the refusals, the peak of resident memory, and whether
everything that the exporters call sent is counted, once.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals_collector.demo.children import loopback_port, read

SPANS, TEXT, EXPORTERS, PROCESSES = 512, "x" * 4096, 40, 4
ADMITTED = EXPORTERS * SPANS * len(TEXT) // 10


class Prepared(OTLPSpanExporter):
    """The stock exporter, retries and all; only that its requests are made beforehand, as Python encodes slowly."""

    def _translate_data(self, data: Any) -> Any:
        return data

    def _count_data(self, data: Any) -> int:
        return SPANS


def request(chance: random.Random) -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    scope_spans = message.resource_spans.add().scope_spans.add()
    for _ in range(SPANS):
        span = scope_spans.spans.add(start_time_unix_nano=time.time_ns() - 10**9, end_time_unix_nano=time.time_ns())
        texts = {semconv.OPERATION_NAME: semconv.CHAT, semconv.PROVIDER_NAME: "openai", semconv.INPUT_MESSAGES: TEXT}
        for key, value in texts.items():
            span.attributes.add(key=key).value.string_value = value
    return message


def export_all(endpoint: str, seconds: float, seeds: list[int]) -> int:
    """Run some exporters, each in a thread, and give how many spans were acknowledged."""
    sent = [0] * EXPORTERS
    threads = [threading.Thread(target=export, args=(endpoint, seconds, seed, sent)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(sent)


def export(endpoint: str, seconds: float, seed: int, sent: list[int]) -> None:
    chance = random.Random(seed)
    exporter, message = Prepared(endpoint=endpoint, insecure=True, timeout=600), request(chance)
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for span in message.resource_spans[0].scope_spans[0].spans:
            span.trace_id, span.span_id = chance.randbytes(16), chance.randbytes(8)
        result = exporter.export(message)
        assert result is SpanExportResult.SUCCESS, "the exporter gave a batch up"
        sent[seed] += SPANS
    exporter.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    ports = {name: loopback_port(0, name) for name in ("grpc", "http", "metrics")}
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "collector.yml"
        form = {"max_request_bytes": 3 << 20}
        addresses = {name: {"address": f"127.0.0.1:{ports[name]}", **form} for name in ("grpc", "http")}
        metrics = {"address": f"127.0.0.1:{ports['metrics']}"}
        receivers = {**addresses, "max_in_flight_bytes": ADMITTED}
        configuration.write_text(yaml.safe_dump({"receivers": receivers, "metrics": metrics}))
        command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(configuration)]
        # Whatever the client's environment says of exporters is not meant for this one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        process = subprocess.Popen(command, env=environment)
        try:
            overload(process.pid, ports, arguments.seconds)
        finally:
            process.terminate()
            process.wait()


def overload(pid: int, ports: dict[str, int], seconds: float) -> None:
    metrics = f"http://127.0.0.1:{ports['metrics']}/metrics"
    for _ in range(300):
        try:
            idle = counted(metrics)
        except OSError:
            time.sleep(0.1)
        else:
            break
    else:
        raise SystemExit("the collector does not get ready")
    endpoint = f"http://127.0.0.1:{ports['grpc']}"
    before = resident(pid)
    # Several processes, as one of Python's could not send fast enough.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        shares = [list(range(first, EXPORTERS, PROCESSES)) for first in range(PROCESSES)]
        sent = sum(pool.map(partial(export_all, endpoint, seconds), shares))
    after = counted(metrics)
    refused = after["llm_collector_refused_requests_total"] - idle["llm_collector_refused_requests_total"]
    print(f"{ADMITTED / 1e6:.0f} MB admitted, {EXPORTERS} exporters with {SPANS * len(TEXT) / 1e6:.1f} MB each")
    print(f"{sent:,d} spans acknowledged, {refused:,.0f} requests refused, and sent again")
    print(f"memory {before:.0f} MB before, at most {resident(pid, 'VmHWM'):.0f} MB, {resident(pid):.0f} MB after")
    calls = after["llm_calls_total"]
    print(f"{calls:,.0f} calls counted: {'exact' if calls == sent else 'WRONG'}")


def counted(metrics: str) -> dict[str, float]:
    totals: dict[str, float] = {"llm_calls_total": 0, "llm_collector_refused_requests_total": 0}
    for family in text_string_to_metric_families(read(metrics)):
        for sample in family.samples:
            if sample.name in totals:
                totals[sample.name] += sample.value
    return totals


def resident(pid: int, what: str = "VmRSS") -> float:
    """Resident memory of a process in MB, now or (VmHWM) at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


if __name__ == "__main__":
    main()
