"""What Prometheus reads is what was counted, in every format."""

import math
import subprocess

import msgspec
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.decoder import _DecodeVarint
from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from llmvitals import semconv
from llmvitals_collector import expose
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Kind
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.expose import Format

PARSERS = {
    Format.TEXT: text_parser.text_string_to_metric_families,
    Format.OPENMETRICS: openmetrics_parser.text_string_to_metric_families,
}
ODD = 'a"b\\c\n%d \1é{}'
BORN = 1_700_000_000.25
COUNTED = [family for family in semconv.COUNTED_FAMILIES if family.kind != "gauge"]

# What is used of https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto: of each
# message the fields with number, type and, for more than one, a star.
METRICS_PROTO = {
    "Timestamp": "1 seconds int64, 2 nanos int32",
    "LabelPair": "1 name string, 2 value string",
    "Counter": "1 value double, 2 exemplar Exemplar, 3 created_timestamp Timestamp",
    "Exemplar": "1 label LabelPair*, 2 value double, 3 timestamp Timestamp",
    "BucketSpan": "1 offset sint32, 2 length uint32",
    "Bucket": "1 cumulative_count uint64, 2 upper_bound double, 3 exemplar Exemplar, 4 cumulative_count_float double",
    "Histogram": "1 sample_count uint64, 2 sample_sum double, 3 bucket Bucket*, 4 sample_count_float double,"
    " 5 schema sint32, 6 zero_threshold double, 7 zero_count uint64, 8 zero_count_float double,"
    " 12 positive_span BucketSpan*, 13 positive_delta sint64*, 14 positive_count double*,"
    " 15 created_timestamp Timestamp, 16 exemplars Exemplar*",
    "Metric": "1 label LabelPair*, 3 counter Counter, 7 histogram Histogram",
    "MetricFamily": "1 name string, 2 help string, 3 type int32, 4 metric Metric*",
}


@pytest.fixture(scope="module")
def metric_family():
    """The class of the message MetricFamily."""
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="test", syntax="proto3")
    form = descriptor_pb2.FieldDescriptorProto
    for name, fields in METRICS_PROTO.items():
        message = file.message_type.add(name=name)
        for number, field, kind in (each.split() for each in fields.split(",")):
            added = message.field.add(name=field, number=int(number), label=form.LABEL_OPTIONAL)
            if kind.endswith("*"):
                added.label = form.LABEL_REPEATED
            kind = kind.removesuffix("*")
            if kind in METRICS_PROTO:
                added.type, added.type_name = form.TYPE_MESSAGE, f".test.{kind}"
            else:
                added.type = form.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.MetricFamily"))


@pytest.fixture
def decoded(metric_family):
    """Decode a scrape in protobuf: its families by name, none of them with a field that is not known."""

    def decode(body):
        families, place = {}, 0
        while place < len(body):
            length, place = _DecodeVarint(body, place)
            family = metric_family.FromString(body[place : place + length])
            assert family.name not in families
            families[family.name], place = family, place + length
            known = metric_family.FromString(family.SerializeToString())
            known.DiscardUnknownFields()
            assert known == family
        return families

    return decode


def rendered(state, format):
    return b"".join(expose.render(state.snapshot(), format))


def processed(rows, **columns):
    """Calls that ended well, with the columns that processors add; `columns` has other ones."""
    calls = Calls.from_rows(rows)
    for column in Calls.derived:
        absent = np.ones(len(calls)) if column.kind is Kind.AMOUNT else np.zeros(len(calls))
        calls.add(column.name, np.array(columns.get(column.name, absent)))
    return calls


@pytest.fixture
def state():
    """Room for one label set, and calls of two; one of the first can be looked up."""
    state = State(Limits(label_sets=1), Metrics(), clock=lambda: BORN)
    trace = {"sampled": True, "trace_id_high": 1, "trace_id_low": 2**63 + 5, "span_id": 10, "end_time": BORN - 1}
    state.add(
        processed(
            [
                {"service": "shop", "model": ODD, "duration": 1.0, "input_tokens": 3, "streamed": True},
                {"service": "shop", "model": ODD, "duration": 400.0, "time_to_first_token": 0.1, "streamed": True},
                {"service": "shop", "model": ODD, "duration": 0.0001},
                {"service": "shop", "model": ODD, "duration": 6000.0, **trace},
            ]
        )
    )
    state.add(processed([{"service": "late", "duration": 2.5}]))
    return state


@pytest.mark.parametrize("format", PARSERS)
def test_the_text_holds_every_family_and_every_number(state, format):
    families = {family.name: family for family in PARSERS[format](rendered(state, format).decode())}
    assert set(families) == {family.name.removesuffix("_total") for family in COUNTED}
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for sample in families[semconv.DURATION.name].samples
        if sample.labels[semconv.LABEL_MODEL] == ODD
    }
    assert samples[f"{semconv.DURATION.name}_count", None] == 4
    assert samples[f"{semconv.DURATION.name}_sum", None] == 6401.0001
    buckets = {bound: value for (_, bound), value in samples.items() if bound}
    assert list(buckets) == [*(repr(bound) for bound in semconv.SECONDS_BOUNDS), "+Inf"]
    assert (buckets["0.96"], buckets["1.12"], buckets["327.68"], buckets["+Inf"]) == (1, 2, 2, 4)
    (overflow,) = (
        sample
        for sample in families["llm_calls"].samples
        if sample.labels[semconv.LABEL_MODEL] == semconv.OVERFLOW
        and sample.labels[semconv.LABEL_OUTCOME] == semconv.OK
        and not sample.name.endswith("_created")
    )
    assert overflow.value == 1


@pytest.mark.parametrize("format", Format)
def test_rendering_twice_gives_the_same(state, format):
    assert rendered(state, format) == rendered(state, format)


def test_what_others_have_to_tell_comes_before_the_end(state):
    body = b"".join(expose.render(state.snapshot(), Format.OPENMETRICS, b"# more\n"))
    assert body.endswith(b"\n# more\n# EOF\n")


def test_openmetrics_names_units_and_tells_when_a_series_began(state):
    text = rendered(state, Format.OPENMETRICS).decode()
    assert f"# UNIT {semconv.DURATION.name} seconds\n" in text
    assert "# TYPE llm_calls counter\n" in text
    samples = [sample for family in PARSERS[Format.OPENMETRICS](text) for sample in family.samples]
    assert {sample.value for sample in samples if sample.name.endswith("_created")} == {BORN}
    began = {sample.name for sample in samples if sample.name.endswith("_created")}
    shown = {each.family.name for each in state.snapshot().series if each.shown.any()}
    assert began == {f"{name.removesuffix('_total')}_created" for name in shown}


def test_an_exemplar_is_in_the_bucket_of_its_value(state):
    families = PARSERS[Format.OPENMETRICS](rendered(state, Format.OPENMETRICS).decode())
    (duration,) = (family for family in families if family.name == semconv.DURATION.name)
    ((sample, exemplar),) = ((sample, sample.exemplar) for sample in duration.samples if sample.exemplar)
    assert sample.labels["le"] == "+Inf"
    assert exemplar.labels == {"trace_id": "00000000000000018000000000000005", "span_id": "000000000000000a"}
    assert (exemplar.value, float(exemplar.timestamp)) == (6000.0, BORN - 1)


def test_protobuf_says_the_same_as_text(state, decoded):
    families = decoded(rendered(state, Format.PROTOBUF))
    text = {family.name: family for family in PARSERS[Format.TEXT](rendered(state, Format.TEXT).decode())}
    assert list(families) == [each.family.name for each in state.snapshot().series]
    for name, family in families.items():
        said = {}
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            if family.type == 0:
                said[name, frozenset(labels.items())] = metric.counter.value
                continue
            histogram = metric.histogram
            said[f"{name}_sum", frozenset(labels.items())] = histogram.sample_sum
            said[f"{name}_count", frozenset(labels.items())] = histogram.sample_count
            buckets = {repr(bucket.upper_bound): bucket.cumulative_count for bucket in histogram.bucket}
            for bound, count in (buckets | {"+Inf": histogram.sample_count}).items():
                said[f"{name}_bucket", frozenset((labels | {"le": bound}).items())] = count
        samples = text[name.removesuffix("_total")].samples
        assert said == {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}


def native(histogram):
    """The count of each native bucket by its index; both of whole numbers and of fractions."""
    counts = list(histogram.positive_count) or np.cumsum(histogram.positive_delta).tolist()
    indices, index = [], 0
    for span in histogram.positive_span:
        index += span.offset
        indices += range(index, index + span.length)
        index += span.length
    assert len(indices) == len(counts)
    return {index: count for index, count in zip(indices, counts, strict=True) if count}


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_native_buckets_are_where_prometheus_has_them(decoded, weight):
    values = np.random.default_rng(0).lognormal(0.5, 2.0, 500)
    values[:4] = 0.0, 2.0**-8, 2.0**12, 1e9
    state = State(Limits(), Metrics())
    state.add(processed([{"duration": value} for value in values], weight=np.full(500, weight)))
    (metric,) = decoded(rendered(state, Format.PROTOBUF))[semconv.DURATION.name].metric
    histogram = metric.histogram
    assert (histogram.schema, histogram.zero_threshold) == (3, 2.0**-8)
    exact = {}
    for value in values[values > histogram.zero_threshold]:
        # As Prometheus' own client has it (`(*histogram).observe`), but for the last bucket.
        fraction, exponent = math.frexp(value)
        index = math.ceil(math.log2(fraction) * 8 - 1e-9) + 8 * exponent
        exact[min(index, 8 * 12)] = exact.get(min(index, 8 * 12), 0) + weight
    assert native(histogram) == exact
    zero = np.count_nonzero(values <= histogram.zero_threshold) * weight
    if weight == 1:
        assert (histogram.zero_count, histogram.sample_count_float) == (zero, 0)
    else:
        assert (histogram.zero_count_float, histogram.sample_count_float) == (zero, 500 * weight)
    assert histogram.sample_count == 500 * weight
    assert histogram.created_timestamp.seconds > 0


def test_a_histogram_with_nothing_above_zero_is_still_a_native_one(decoded):
    state = State(Limits(), Metrics())
    state.add(processed([{"duration": 0.0}]))
    (metric,) = decoded(rendered(state, Format.PROTOBUF))[semconv.DURATION.name].metric
    assert [(span.offset, span.length) for span in metric.histogram.positive_span] == [(0, 0)]
    assert metric.histogram.zero_count == 1


def test_protobuf_has_exemplars_in_both_forms(state, decoded):
    state.add(
        processed(
            [
                {"service": "shop", "model": ODD, "duration": 9.5, "sampled": True, "trace_id_low": 3, "span_id": 4},
            ]
        )
    )
    metrics = decoded(rendered(state, Format.PROTOBUF))[semconv.DURATION.name].metric
    (histogram,) = (metric.histogram for metric in metrics if metric.histogram.exemplars)
    (exemplar,) = histogram.exemplars[:1]
    assert {pair.name: pair.value for pair in exemplar.label} == {
        "trace_id": "00000000000000018000000000000005",
        "span_id": "000000000000000a",
    }
    assert (exemplar.value, exemplar.timestamp.seconds) == (6000.0, BORN - 1.25)
    times = [each.timestamp.seconds + each.timestamp.nanos / 1e9 for each in histogram.exemplars]
    assert times == sorted(times)


def test_a_classic_bucket_has_the_exemplar_of_a_value_in_it(decoded):
    state = State(Limits(), Metrics())
    trace = {"sampled": True, "trace_id_low": 3, "span_id": 4}
    state.add(processed([{"duration": 9.0, **trace}, {"duration": 0.015, **trace}]))
    (metric,) = decoded(rendered(state, Format.PROTOBUF))[semconv.DURATION.name].metric
    marked = {
        bucket.upper_bound: bucket.exemplar.value for bucket in metric.histogram.bucket if bucket.HasField("exemplar")
    }
    assert marked == {10.24: 9.0, 0.02: 0.015}


@pytest.mark.parametrize("off", ["native_histograms", "classic_histograms"])
def test_a_form_that_is_switched_off_is_not_exposed(decoded, off):
    state = State(Limits(), msgspec.structs.replace(Metrics(), **{off: False}))
    state.add(processed([{"duration": 2.0}]))
    (metric,) = decoded(rendered(state, Format.PROTOBUF))[semconv.DURATION.name].metric
    assert metric.histogram.sample_count == 1
    assert bool(metric.histogram.bucket) == (off == "native_histograms")
    assert bool(metric.histogram.positive_span) == (off == "classic_histograms")
    text = rendered(state, Format.TEXT).decode()
    assert text.count(f"{semconv.DURATION.name}_bucket") == 1 + (off == "native_histograms") * len(
        semconv.SECONDS_BOUNDS
    )


def test_calls_that_stand_for_fractions_make_whole_buckets_that_rise():
    state = State(Limits(), Metrics())
    durations = [0.1, 0.3, 0.7, 1.5, 3.0]
    state.add(processed([{"duration": value} for value in durations], weight=np.full(5, 1.3)))
    families = PARSERS[Format.OPENMETRICS](rendered(state, Format.OPENMETRICS).decode())
    (duration,) = (family for family in families if family.name == semconv.DURATION.name)
    buckets = [sample.value for sample in duration.samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == round(5 * 1.3)
    assert set(buckets) == {0, 1, 3, 4, 5, 6}


@pytest.mark.servers
def test_promtool_finds_nothing_to_say_about_the_names(state, program):
    text = rendered(state, Format.TEXT)
    checked = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
