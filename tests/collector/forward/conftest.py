"""Forwarding to the backends, and what the metrics say of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.forward.config import ForwardConfig, ForwardRetry
from llmvitals_collector.telemetry import Telemetry

SECONDS = 20  # the longest that anything here may take


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(label_sets=10, processors=[])


@pytest.fixture
def forward(telemetry: Telemetry) -> Iterator[Callable[..., Forward]]:
    """Forward to backends, each given as one, or by its name; retries are quick unless told otherwise."""
    running: list[Forward] = []

    def start(*backends: Any, **settings: Any) -> Forward:
        quick = {"retry": ForwardRetry(initial_seconds=0.02), "timeout_seconds": SECONDS}
        configs = {
            f"{place}": ForwardConfig(endpoint=each.endpoint, protocol=each.protocol, **(quick | settings))
            for place, each in enumerate(backends)
        }
        running.append(Forward(configs, telemetry))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def counts(telemetry: Telemetry) -> Callable[..., dict[str, float]]:
    """What the metrics say of one backend: the part of the name that matters -> value."""

    def read(exporter: str = "otlp/0") -> dict[str, float]:
        return {
            sample.name.removeprefix("otelcol_exporter_").removeprefix("llm_collector_"): sample.value
            for metric in telemetry.collect()
            for sample in metric.samples
            if sample.labels.get("exporter") == exporter and sample.labels.get("data_type") != "logs"
        }

    return read
