"""Spans made by hand; and an environment with the instrumentations, a provider for their script, and a collector."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from capture import EMITTERS, answer, emit
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import parser as text_parser
from prometheus_client.samples import Sample

from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Kind
from llmvitals_collector.decode import decode_traces
from llmvitals_collector.demo import children
from llmvitals_collector.demo.provider import Provider

KINDS = {column.name: column.kind for column in Calls.decoded}
ENVIRONMENT = Path(__file__).parents[2] / ".venv-dialects"


@pytest.fixture
def read() -> Callable[..., dict[str, Any] | None]:
    """`read(scope, attributes)` is the call that a span of two seconds tells, by column; None if it is no call.

    events: name -> nanoseconds after its start.
    """

    def of(scope: str, attributes: Mapping[str, Any], events: Mapping[str, int] = {}) -> dict[str, Any] | None:
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        start = 1_700_000_000 * 10**9
        span = provider.get_tracer(scope).start_span("call", attributes=attributes, start_time=start)
        for name, after in events.items():
            span.add_event(name, timestamp=start + after)
        span.end(start + 2 * 10**9)
        calls = decode_traces(encode_spans(exporter.get_finished_spans()).SerializeToString()).records
        if not len(calls):
            return None
        cells = {name: array[0].item() for name, array in calls.arrays.items() if array.ndim == 1}
        return {name: calls.strings[cell] if KINDS[name] is Kind.TEXT else cell for name, cell in cells.items()}

    return of


@pytest.fixture(scope="session")
def environment() -> Path:
    """The virtual environment that has the instrumentations.

    Without it the test is skipped, but where the variable CI is set it fails: there nothing may be left out.
    """
    if ENVIRONMENT.exists():
        return ENVIRONMENT
    missing = f"needs {ENVIRONMENT.name} (make test-dialects)"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(answer) as provider:
        yield provider


@pytest.fixture
def seen_by_collector(environment, provider, tmp_path) -> Iterator[Callable[[str], list[Sample]]]:
    """`seen_by_collector(name)` runs an emitter, and is what a collector that it sends to then has on /metrics."""
    ports = {name: children.loopback_port(0, name) for name in ("grpc", "http", "metrics")}
    addresses = {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()}
    metrics = addresses.pop("metrics")
    configuration = tmp_path / "collector.yml"
    configuration.write_text(yaml.safe_dump({"receivers": addresses, "metrics": metrics}))
    command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(configuration)]
    with children.Child("the collector", command, url=f"http://{metrics['address']}") as collector:
        collector.wait_until_ready("/healthz")

        def seen(name: str) -> list[Sample]:
            emit(EMITTERS / f"{name}.py", environment, f"http://{addresses['http']['address']}", provider.url)
            families = text_parser.text_string_to_metric_families(children.read(f"{collector.url}/metrics"))
            return [sample for family in families for sample in family.samples]

        yield seen
