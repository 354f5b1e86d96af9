"""Batches as the real OpenTelemetry SDK encodes them, a collector on free ports, and a scrape of it."""

import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import settings
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode
from prometheus_client import parser as text_parser
from prometheus_client.samples import Sample

from llmvitals import semconv
from llmvitals_collector.config import Config, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.decode import Encoding
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal

# Examples take longer when a machine is busy, which is no failure.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")

CALL = {semconv.OPERATION_NAME: semconv.CHAT, semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-5"}
START = 1_700_000_000 * 10**9


@pytest.fixture
def spans() -> Callable[..., ExportTraceServiceRequest]:
    """Encode spans, each given by its attributes: those of a chat call unless told otherwise."""

    def encode(
        *attributes: Mapping[str, Any], seconds: float = 1.5, failed: bool = False, service: str | None = "shop"
    ) -> ExportTraceServiceRequest:
        exporter = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({semconv.SERVICE_NAME: service} if service else {}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        for each in attributes:
            span = provider.get_tracer("test").start_span("call", attributes={**CALL, **each}, start_time=START)
            if failed:
                span.set_status(Status(StatusCode.ERROR))
            span.end(START + round(seconds * 1e9))
        return encode_spans(exporter.get_finished_spans())

    return encode


@pytest.fixture
def events() -> Callable[..., ExportLogsServiceRequest]:
    """Encode log records, each given by its event name and its attributes."""

    def encode(*records: tuple[str, Mapping[str, Any]]) -> ExportLogsServiceRequest:
        exporter = InMemoryLogRecordExporter()
        provider = LoggerProvider(resource=Resource({semconv.SERVICE_NAME: "shop"}))
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        for name, attributes in records:
            provider.get_logger("test").emit(event_name=name, attributes=dict(attributes))
        return encode_logs(exporter.get_finished_logs())

    return encode


@pytest.fixture
def config() -> Config:
    """A configuration with free ports."""
    receivers = Receivers(grpc=GrpcReceiver(address="127.0.0.1:0"), http=HttpReceiver(address="127.0.0.1:0"))
    return Config(receivers=receivers, metrics=Metrics(address="127.0.0.1:0"))


@pytest.fixture
def collector(config: Config) -> Iterator[Pipeline]:
    """A collector that runs."""
    pipeline = Pipeline(config)
    pipeline.start()
    yield pipeline
    pipeline.stop()


@pytest.fixture
def scrape(collector: Pipeline) -> Callable[[], list[Sample]]:
    """Scrape the collector, and parse what it says."""

    def get() -> list[Sample]:
        with urllib.request.urlopen(f"http://127.0.0.1:{collector.metrics.port}/metrics") as answer:
            text = answer.read().decode()
        return [sample for family in text_parser.text_string_to_metric_families(text) for sample in family.samples]

    return get


class Unserved:
    """A collector without servers: what is sent to it, and its series."""

    def __init__(self):
        self._pipeline = Pipeline(Config())

    def logs(self, request):
        self._pipeline.intake.take("http", Signal.LOGS, request.SerializeToString(), Encoding.PROTOBUF)

    def traces(self, request):
        self._pipeline.intake.take("http", Signal.TRACES, request.SerializeToString(), Encoding.PROTOBUF)

    def samples(self, family):
        """The label sets of a family with their values, histograms by their counts."""
        text = b"".join(self._pipeline.render(Format.TEXT)).decode()
        name = family.name + ("_count" if family.kind == "histogram" else "")
        found = (each for one in text_parser.text_string_to_metric_families(text) for each in one.samples)
        return [sample for sample in found if sample.name == name]

    def counted(self, family, *labels):
        """What is not 0, by some of its labels."""
        return {
            tuple(sample.labels[label] for label in labels): sample.value
            for sample in self.samples(family)
            if sample.value
        }


@pytest.fixture
def unserved() -> Unserved:
    return Unserved()
