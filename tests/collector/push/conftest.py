"""What is pushed, read back with the official classes, and as Prometheus has it."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

Read: TypeAlias = Callable[[Iterable[bytes]], Any]
# A series as Prometheus has it: its name and its labels.
Name: TypeAlias = tuple[str, frozenset[tuple[str, str]]]


def read(bodies: Iterable[bytes]) -> list[Metric]:
    requests = map(ExportMetricsServiceRequest.FromString, bodies)
    scopes = (scope for request in requests for told in request.resource_metrics for scope in told.scope_metrics)
    return [metric for scope in scopes for metric in scope.metrics]


def points_of(metric: Metric) -> Any:
    return getattr(metric, metric.WhichOneof("data")).data_points


def series_of(metrics: Iterable[Metric]) -> dict[Name, float]:
    found: dict[Name, float] = {}

    def add(name: str, value: float, **labels: str) -> None:
        series = (name, frozenset((*base, *labels.items())))
        assert series not in found
        found[series] = value

    for metric in metrics:
        for point in points_of(metric):
            # A label that is empty is one that is not there.
            base = [(each.key, each.value.string_value) for each in point.attributes if each.value.string_value]
            if not metric.HasField("histogram"):
                add(metric.name, point.as_double)
                continue
            add(f"{metric.name}_count", point.count)
            add(f"{metric.name}_sum", point.sum)
            assert sum(point.bucket_counts) == point.count
            upto = 0
            for bound, count in zip([*point.explicit_bounds, float("inf")], point.bucket_counts, strict=True):
                upto += count
                add(f"{metric.name}_bucket", upto, le=str(bound))
    return found


@pytest.fixture(scope="session")
def metrics() -> Read:
    """The metrics in the bodies of requests."""
    return read


@pytest.fixture(scope="session")
def points() -> Callable[[Metric], Any]:
    """The points of a metric of any kind."""
    return points_of


@pytest.fixture(scope="session")
def series() -> Read:
    """What Prometheus would make of the bodies of requests: the value of each series, histograms in classic buckets."""
    return lambda bodies: series_of(read(bodies))
