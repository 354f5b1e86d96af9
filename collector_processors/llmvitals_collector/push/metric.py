"""What all points of a metric have in common, and the fields that all points have.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
"""

from collections.abc import Iterable
from typing import NamedTuple

from llmvitals_collector.expose.wire import integer, message, text

# Field numbers, here and in the modules beside this one.
_NAME, _DESCRIPTION, _UNIT = 1, 2, 3
_DATA = {"gauge": 5, "counter": 7, "histogram": 9, "exponential": 10}
_TEMPORALITY, _MONOTONIC = 2, 3
_DELTA, _CUMULATIVE = 1, 2
_METRIC = 2  # of the message that holds the metrics of a scope
_POINT = 1
_KEY, _VALUE, _STRING = 1, 2, 1
# The field of a point's attributes, by the kind of its metric.
ATTRIBUTES = {"gauge": 7, "counter": 7, "histogram": 9, "exponential": 1}
START, TIME = 2, 3

# Translations of OTLP to Prometheus append the unit, and `_total` to a counter, but where the name has it already. So
# names go as Prometheus has them, and come out of each of the translation strategies as they went in.
# https://github.com/prometheus/otlptranslator/blob/v1.0.0/metric_namer.go
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1"}


class Metric(NamedTuple):
    """A metric without its points, encoded: what stands before them, the field they are in, what stands after them."""

    head: bytes
    field: int
    tail: bytes

    def with_points(self, points: bytes) -> bytes:
        """The field of a scope's metrics."""
        return message(_METRIC, self.head + message(self.field, points + self.tail))


class Points(NamedTuple):
    """Some points of one metric, encoded, and how many they are."""

    metric: Metric
    encoded: bytes
    number: int


def metric(name: str, help: str, kind: str, delta: bool) -> Metric:
    """kind: gauge, counter, histogram or exponential."""
    unit = _UNITS.get(name.removesuffix("_total").rpartition("_")[2], "")
    tail = b"" if kind == "gauge" else integer(_TEMPORALITY, _DELTA if delta else _CUMULATIVE)
    if kind == "counter":
        tail += integer(_MONOTONIC, 1)
    return Metric(text(_NAME, name) + text(_DESCRIPTION, help) + text(_UNIT, unit), _DATA[kind], tail)


def points(of: Metric, encoded: Iterable[bytes]) -> Points:
    """Gather points, each given by its fields."""
    fields = [message(_POINT, each) for each in encoded]
    return Points(of, b"".join(fields), len(fields))


def attributes(field: int, pairs: Iterable[tuple[str, str]]) -> bytes:
    """Attributes, each in a field of its own."""
    return b"".join(message(field, text(_KEY, name) + message(_VALUE, text(_STRING, value))) for name, value in pairs)
