"""The collector's own metrics say in protobuf what they say in text."""

from io import BytesIO

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, proto
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from llmvitals_collector.metrics_protobuf import delimited

# https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto, as far as it is used here:
# message -> field -> number, type, and whether it is repeated.
SCHEMA = {
    "LabelPair": {"name": (1, "string", False), "value": (2, "string", False)},
    "Gauge": {"value": (1, "double", False)},
    "Counter": {"value": (1, "double", False)},
    "Bucket": {"cumulative_count": (1, "uint64", False), "upper_bound": (2, "double", False)},
    "Histogram": {
        "sample_count": (1, "uint64", False),
        "sample_sum": (2, "double", False),
        "bucket": (3, "Bucket", True),
    },
    "Metric": {
        "label": (1, "LabelPair", True),
        "gauge": (2, "Gauge", False),
        "counter": (3, "Counter", False),
        "histogram": (7, "Histogram", False),
    },
    "MetricFamily": {
        "name": (1, "string", False),
        "help": (2, "string", False),
        "type": (3, "int32", False),
        "metric": (4, "Metric", True),
    },
}


@pytest.fixture(scope="module")
def metric_family():
    """The class of a MetricFamily."""
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="test", syntax="proto2")
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            made = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in SCHEMA:
                made.type, made.type_name = 11, f".test.{kind}"
            else:
                made.type = {"double": 1, "uint64": 4, "int32": 5, "string": 9}[kind]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.MetricFamily"))


def decoded(metric_family, body):
    stream = BytesIO(body)
    return list(iter(lambda: proto.parse_length_prefixed(metric_family, stream), None))


def test_counters_gauges_and_histograms_are_as_prometheus_defines_them(metric_family):
    counter = CounterMetricFamily("spans_total", "Spans.", labels=["service"])
    counter.add_metric(["a"], 3)
    counter.add_metric(["é" * 100], 2**60)
    gauge = GaugeMetricFamily("bytes", "Bytes.", value=-1.5)
    histogram = HistogramMetricFamily("seconds", "Seconds.", labels=["stage"])
    histogram.add_metric(["x"], [("0.5", 1), ("1.0", 300), ("+Inf", 301)], 99.5)
    spans, bytes_, seconds = decoded(metric_family, delimited([counter, gauge, histogram]))

    assert (spans.name, spans.help, spans.type) == ("spans_total", "Spans.", 0)
    assert [({pair.name: pair.value for pair in m.label}, m.counter.value) for m in spans.metric] == [
        ({"service": "a"}, 3),
        ({"service": "é" * 100}, 2.0**60),
    ]
    assert (bytes_.name, bytes_.type, [(list(m.label), m.gauge.value) for m in bytes_.metric]) == (
        "bytes",
        1,
        [([], -1.5)],
    )
    (metric,) = seconds.metric
    assert (seconds.name, seconds.type, metric.histogram.sample_count, metric.histogram.sample_sum) == (
        "seconds",
        4,
        301,
        99.5,
    )
    assert [(each.upper_bound, each.cumulative_count) for each in metric.histogram.bucket] == [
        (0.5, 1),
        (1.0, 300),
        (float("inf"), 301),
    ]
