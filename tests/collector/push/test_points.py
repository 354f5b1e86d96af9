"""What is pushed is what /metrics shows of the same moment, and says since when."""

import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector import expose
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.expose import Format
from llmvitals_collector.grid import native_bound
from llmvitals_collector.push.moment import Moment
from llmvitals_collector.telemetry import Telemetry

BORN = 1_700_000_000.25
NOW = 1_700_000_100_000_000_000
RESOURCE = {"service.name": "llm-collector"}


class Clock:
    def __init__(self):
        self.now = BORN

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    return State(Limits(label_sets=2, expire_after_seconds=60), Metrics(), clock=clock)


@pytest.fixture
def telemetry():
    telemetry = Telemetry(label_sets=10, processors=["price"])
    telemetry.observe(semconv.COLLECTOR_LAG, [0.1, 0.5, 7.0, 1e9])
    telemetry.count(semconv.COLLECTOR_RECEIVED_SPANS, 'a "shop"\n', amount=3)
    return telemetry


def calls(*rows):
    made = Calls.from_rows([{"service": "shop", **row} for row in rows])
    made.add("outcome", np.zeros(len(rows)))
    made.add("outcome_by_class", np.zeros(len(rows)))
    return made


def moment(state, telemetry=None, time=NOW):
    return Moment(time, state.snapshot(), list(telemetry.collect()) if telemetry else [])


def sums(at, *, started=7, since=0, exponential=False):
    return [each.body for each in at.sums(started, since, exponential, RESOURCE)]


def differences(now, earlier, *, exponential=False):
    return [each.body for each in now.differences(earlier, exponential, RESOURCE)]


def scraped(state, telemetry):
    """The series of /metrics as `series` gives those that are pushed."""
    telemetry.held(state)
    text = b"".join(expose.render(state.snapshot(), Format.TEXT, telemetry.render(Format.TEXT))).decode()
    samples = (each for family in parser.text_string_to_metric_families(text) for each in family.samples)
    found = {}
    for each in samples:
        labels = {name: str(float(value)) if name == "le" else value for name, value in each.labels.items() if value}
        found[each.name, frozenset(labels.items())] = each.value
    return found


def named(metrics, family):
    return next(each for each in metrics if each.name == family.name)


def test_every_series_of_metrics_is_pushed_with_its_value_and_no_other(state, telemetry, series):
    state.add(calls(*({"duration": seconds, "model": 'm"\n\\é', "input_tokens": 3} for seconds in (0.01, 1.0, 1e4))))
    state.add(calls({"service": "b", "duration": 2.0}, {"service": "no room", "duration": 0.5}))
    shown = scraped(state, telemetry)
    pushed = series(sums(moment(state, telemetry)))
    # What the process tells of itself has moved on meanwhile.
    changing = [name for name in shown if re.match("process_|python_|otelcol_process_", name[0])]
    assert pushed.keys() == shown.keys()
    assert all(pushed[name] == shown[name] for name in shown.keys() - set(changing))


def test_calls_that_stand_for_several_are_whole_numbers_near_those_of_metrics(state, telemetry, series):
    weighted = calls(*({"duration": 0.05 * place} for place in range(1, 20)))
    weighted.add("weight", np.full(19, 1 / 0.3))
    state.add(weighted)
    shown, pushed = scraped(state, telemetry), series(sums(moment(state)))
    # Each bucket is rounded, to a half at the most.
    assert pushed == {name: pytest.approx(shown[name], abs=19 / 2) for name in pushed}


@pytest.mark.parametrize("family", semconv.FAMILIES, ids=lambda family: family.name)
def test_a_name_has_everything_that_translations_to_prometheus_append(family):
    """They drop every word `total` and append it to counters, append the unit, and `ratio` to gauges of unit 1."""
    words = family.name.removesuffix("_total").split("_")
    assert "total" not in words
    assert "" not in words
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.kind == "gauge" or words[-1] != "ratio"
    assert all(label.islower() and "__" not in label for label in family.labels)


def test_a_metric_tells_its_unit_help_and_kind(state, telemetry, metrics):
    state.add(calls({"duration": 1.0}))
    told = metrics(sums(moment(state, telemetry)))
    duration, called = named(told, semconv.DURATION), named(told, semconv.CALLS)
    assert (duration.unit, duration.description) == ("s", semconv.DURATION.help)
    assert (called.unit, called.sum.is_monotonic, called.sum.aggregation_temporality) == ("", True, 2)
    assert duration.histogram.aggregation_temporality == 2
    assert {each.unit for each in told if each.name.endswith("_bytes")} == {"By"}


def test_a_series_begins_when_its_label_set_came_and_again_when_it_came_anew(state, clock, metrics, points):
    def start():
        (point,) = points(named(metrics(sums(moment(state))), semconv.DURATION))
        assert point.time_unix_nano == NOW
        return point.start_time_unix_nano, point.count

    state.add(calls({"duration": 1.0}))
    assert start() == (round(BORN * 1e9), 1)
    clock.now += 30
    state.add(calls({"duration": 2.0}))
    assert start() == (round(BORN * 1e9), 2)
    clock.now += 1000  # the label set expires
    state.add(calls({"duration": 3.0}))
    assert start() == (round(clock.now * 1e9), 1)


def test_what_the_collector_tells_of_itself_begins_with_its_start(telemetry, state, metrics, points):
    told = metrics(sums(moment(state, telemetry), started=5))
    counted = (each for each in told if not each.HasField("gauge"))
    starts = {each.name: {point.start_time_unix_nano for point in points(each)} for each in counted}
    assert starts.pop(semconv.COLLECTOR_LAG.name) == {5}
    assert set.union(*starts.values()) == {5}


def test_what_a_restart_keeps_of_the_collectors_own_begins_with_the_label_sets(telemetry, state, metrics, points):
    telemetry.held(state)
    told = metrics(sums(moment(state, telemetry), started=5))
    for family in (semconv.COLLECTOR_SERIES_OVERFLOW, semconv.COLLECTOR_LABEL_OVERFLOW):
        assert {each.start_time_unix_nano for each in points(named(told, family))} == {round(BORN * 1e9)}


ON_BOUNDS = st.integers(-70, 100).map(native_bound)
BETWEEN = st.floats(1e-6, 1e5)


@given(st.lists(st.one_of(ON_BOUNDS, BETWEEN), min_size=1, max_size=30))
@example([2.0**-8, math.nextafter(2.0**-8, 1), 2.0**12, math.nextafter(2.0**12, 5000)])
@example([1e-5])
def test_an_exponential_bucket_holds_the_values_above_its_lower_bound_up_to_its_upper_one(metrics, points, values):
    """https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram"""
    state = State(Limits(), Metrics())
    state.add(calls(*({"duration": value} for value in values)))
    (point,) = points(named(metrics(sums(moment(state), exponential=True)), semconv.DURATION))
    assert (point.scale, point.zero_threshold, point.count) == (3, 2.0**-8, len(values))
    assert point.sum == pytest.approx(sum(values))
    assert point.zero_count == sum(value <= 2.0**-8 for value in values)
    assert point.zero_count + sum(point.positive.bucket_counts) == point.count
    assert not point.negative.bucket_counts
    for place, count in enumerate(point.positive.bucket_counts, start=point.positive.offset):
        lower, upper = native_bound(place), native_bound(place + 1)
        # What is above the last bucket is in it, too.
        assert count == sum(lower < value <= upper or (upper == 2.0**12 and value > upper) for value in values)


def test_what_has_no_exponential_form_keeps_its_explicit_one(state, telemetry, metrics):
    state.add(calls({"cost": 0.1, "duration": 1.0}))
    told = metrics(sums(moment(state, telemetry), exponential=True))
    assert named(told, semconv.CALL_COST).histogram.data_points
    assert named(told, semconv.COLLECTOR_LAG).histogram.data_points
    assert named(told, semconv.DURATION).exponential_histogram.data_points


@pytest.mark.parametrize("exponential", [False, True])
def test_an_exemplar_is_told_once_with_its_value_its_time_and_its_ids(state, clock, metrics, points, exponential):
    trace = {"sampled": True, "trace_id_high": 1, "trace_id_low": 2**63 + 5, "span_id": 10, "end_time": BORN - 1}
    state.add(calls({"duration": 3.5, **trace}))

    def told(since):
        (point,) = points(named(metrics(sums(moment(state), since=since, exponential=exponential)), semconv.DURATION))
        return point.exemplars

    (exemplar,) = told(since=0)
    assert (exemplar.as_double, exemplar.time_unix_nano) == (3.5, round((BORN - 1) * 1e9))
    assert exemplar.trace_id.hex() == "00000000000000018000000000000005"
    assert exemplar.span_id.hex() == "000000000000000a"
    assert not told(since=round((clock.now + 1) * 1e9))


BATCHES = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0.001, 5000), st.sampled_from([1.0, 1 / 0.3, 0.5])), max_size=5
)


@settings(max_examples=30)  # each makes some states
@given(st.lists(BATCHES, max_size=6), st.booleans())
def test_differences_add_up_to_the_sums(metrics, points, batches, exponential):
    state = State(Limits(label_sets=2), Metrics())
    earlier, added = moment(state), Counter()
    for batch in batches:
        records = calls(*({"service": service, "duration": value} for service, value, _ in batch))
        records.add("weight", np.array([weight for _, _, weight in batch]))
        state.add(records)
        now = moment(state)
        change = numbers(metrics(differences(now, earlier, exponential=exponential)), points)
        assert all(value >= 0 for value in change.values())
        added.update(change)
        earlier = now
    whole = numbers(metrics(sums(moment(state), exponential=exponential)), points)
    assert added == {name: pytest.approx(value) for name, value in whole.items()}


def test_differences_tell_all_of_a_label_set_that_came_anew(state, clock, series):
    state.add(calls(*({"duration": 1.0} for _ in range(5))))
    earlier = moment(state)
    clock.now += 1000
    state.add(calls({"duration": 2.0}, {"duration": 2.5}))
    told = series(differences(moment(state), earlier))
    assert {told[name] for name in told if name[0] == f"{semconv.DURATION.name}_count"} == {2}


def test_differences_say_since_when_and_of_gauges_how_they_are(state, telemetry, metrics, points):
    earlier = moment(state, telemetry, time=NOW - 5)
    telemetry.count(semconv.COLLECTOR_RECEIVED_SPANS, "new", amount=2)
    state.add(calls({"duration": 1.0}))
    telemetry.built("python")
    told = metrics(differences(moment(state, telemetry), earlier))
    for each in told:
        assert {point.time_unix_nano for point in points(each)} == {NOW}
        if each.HasField("gauge"):
            continue
        assert {point.start_time_unix_nano for point in points(each)} == {NOW - 5}
        assert getattr(each, each.WhichOneof("data")).aggregation_temporality == 1
    received = numbers([named(told, semconv.COLLECTOR_RECEIVED_SPANS)], points)
    assert list(received.values()) == [2]
    assert [each.as_double for each in points(named(told, semconv.COLLECTOR_BUILD_INFO))] == [1]


def test_no_request_is_larger_than_servers_take_by_default(clock, metrics, points):
    state = State(Limits(label_values=1500), Metrics(), clock=clock)
    state.add(calls(*({"template": f"{number}", "duration": 1.0, "input_tokens": 5} for number in range(1500))))
    requests = list(moment(state).sums(1, 0, False, RESOURCE))
    assert len(requests) > 1
    assert all(len(each.body) < 4 << 20 for each in requests)
    for each in requests:
        told = metrics([each.body])
        assert len({metric.name for metric in told}) == len(told)
        assert each.records == sum(len(points(metric)) for metric in told)


def numbers(metrics, points):
    """Every number in points that is not 0, by where it stands."""
    found = {}
    for metric in metrics:
        for point in points(metric):
            of = (metric.name, *((each.key, each.value.string_value) for each in point.attributes))
            if metric.HasField("sum"):
                found[of] = point.as_double
                continue
            found |= {(*of, "count"): point.count, (*of, "sum"): point.sum}
            if metric.HasField("exponential_histogram"):
                buckets = enumerate(point.positive.bucket_counts, start=point.positive.offset)
            else:
                buckets = enumerate(point.bucket_counts)
            found |= {(*of, place): count for place, count in buckets}
    return {name: value for name, value in found.items() if value}
