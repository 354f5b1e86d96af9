"""Over either protocol of OTLP, a call and its feedback reach the collector from an app that sets only variables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline


@pytest.fixture
def collector():
    free = {"receivers": {"grpc": {"address": "127.0.0.1:0"}, "http": {"address": "127.0.0.1:0"}}}
    pipeline = Pipeline(msgspec.convert({**free, "metrics": {"address": "127.0.0.1:0"}}, Config))
    pipeline.start()
    yield pipeline
    pipeline.stop()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_call_and_its_feedback_are_counted(protocol, collector):
    port = (collector.grpc if protocol == "grpc" else collector.http).port
    with Provider(Behaviour()) as provider:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_SERVICE_NAME": "shop",
            "ANTHROPIC_BASE_URL": provider.url,
            "ANTHROPIC_API_KEY": "any",
            "OPENAI_API_KEY": "any",
        }
        shop = [sys.executable, str(Path(__file__).with_name("shop.py"))]
        finished = subprocess.run(
            shop, input="rated support 2\n", env=environment, capture_output=True, text=True, timeout=60
        )
    assert len(json.loads(finished.stdout)) == 2, finished.stderr

    text = b"".join(collector.render(Format.TEXT)).decode()
    samples = [sample for family in parser.text_string_to_metric_families(text) for sample in family.samples]

    def total(family, **labels):
        here = {semconv.LABEL_SERVICE: "shop", semconv.LABEL_TEMPLATE: "support", **labels}
        return sum(s.value for s in samples if s.name == family.name and here.items() <= s.labels.items())

    assert total(semconv.CALLS, outcome="ok") == 2
    assert total(semconv.FEEDBACK, kind="thumb_up") == total(semconv.FEEDBACK, kind="thumb_down") == 2
