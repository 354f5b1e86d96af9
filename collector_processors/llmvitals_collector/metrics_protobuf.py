"""Counters, gauges and histograms of prometheus_client in Prometheus' protobuf format, which it cannot write itself.

https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from llmvitals_collector.expose.wire import double, integer, message, text, varint

# MetricType, and the field of Metric that holds the value.
_FORMS = {"counter": (0, 3), "gauge": (1, 2), "histogram": (4, 7)}


def delimited(metrics: Iterable[Metric]) -> bytes:
    """The body of a scrape with the content type `application/vnd.google.protobuf; ... encoding=delimited`."""
    return b"".join(varint(len(family)) + family for family in map(_family, metrics))


def _family(metric: Metric) -> bytes:
    kind, field = _FORMS[metric.type]
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    members = [text(1, name), text(2, metric.documentation), integer(3, kind)]
    for labels, samples in groupby(metric.samples, _labels):
        pairs = b"".join(message(1, text(1, name) + text(2, value)) for name, value in labels)
        read = _histogram if metric.type == "histogram" else _number
        members.append(message(4, pairs + message(field, read(samples))))
    return b"".join(members)


def _labels(sample: Sample) -> list[tuple[str, str]]:
    return [(name, value) for name, value in sample.labels.items() if name != "le"]


def _number(samples: Iterator[Sample]) -> bytes:
    return double(1, next(samples).value)


def _histogram(samples: Iterator[Sample]) -> bytes:
    members = []
    for sample in samples:
        if sample.name.endswith("_count"):
            members.append(integer(1, int(sample.value)))
        elif sample.name.endswith("_sum"):
            members.append(double(2, sample.value))
        else:
            members.append(message(3, integer(1, int(sample.value)) + double(2, float(sample.labels["le"]))))
    return b"".join(members)
