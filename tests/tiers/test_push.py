"""What is pushed to an OpenTelemetry Collector comes out of it as it is on the /metrics of who pushed it."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals_collector.demo.children import read

pytestmark = pytest.mark.tiers

QUICK = "interval_seconds: 1"
ADDED = {"job", "instance"}
# What goes on between a push and a scrape.
MOVING = ("llm_collector_cpu_seconds", "otelcol_process_", "otelcol_exporter_", "process_", "target_info")
STRATEGIES = (
    "UnderscoreEscapingWithSuffixes",
    "UnderscoreEscapingWithoutSuffixes",
    "NoUTF8EscapingWithSuffixes",
    "NoTranslation",
)


def series(text):
    """Value by name and labels, without those that tell who pushed it; the buckets' bounds as numbers."""
    found = {}
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            labels = {name: value for name, value in each.labels.items() if value and name not in ADDED}
            if "le" in labels:
                labels["le"] = float(labels["le"])
            if not each.name.startswith(MOVING):
                found[each.name, frozenset(labels.items())] = each.value
    return found


def told(otelcol):
    return read(f"http://{otelcol.address(8889)}/metrics")


def calls_by_instance(otelcol):
    found = {}
    for family in text_string_to_metric_families(told(otelcol)):
        for each in family.samples:
            if each.name == semconv.CALLS.name:
                assert each.labels["job"] == semconv.COLLECTOR_JOB
                instance = each.labels["instance"]
                found[instance] = found.get(instance, 0) + each.value
    return found


@pytest.fixture
def pushed(started):
    return started("pushed.yaml")


@pytest.fixture
def pushing(started):
    """Start a collector that pushes to another one."""

    def start(to, name="", settings=QUICK):
        return started("push.yaml", {"otelcol.example:4317": to.address(4317), "interval_seconds: 15": settings}, name)

    return start


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_series_comes_out_with_the_name_the_labels_and_the_value_of_metrics(
    started, pushing, calls, send, until, strategy
):
    otelcol = started(
        "pushed.yaml", {"metric_expiration:": f"translation_strategy: {strategy}\n    metric_expiration:"}
    )
    ours = pushing(otelcol)
    send(ours, calls(50))

    def shown():
        return series(read(f"http://{ours.address(9464)}/metrics"))

    def alike():
        here, there = shown(), series(told(otelcol))
        return here.keys() == there.keys() and all(math.isclose(here[name], there[name]) for name in here)

    until(alike, lambda: (shown().items() ^ series(told(otelcol)).items(), ours.log()))
    assert sum(value for (name, _), value in shown().items() if name == semconv.CALLS.name) == 50


def test_replicas_that_push_to_one_do_not_overwrite_each_other(pushed, pushing, calls, send, until):
    replicas = [pushing(pushed, name=f"replica-{number}") for number in range(2)]
    for replica, number in zip(replicas, (3, 4), strict=True):
        send(replica, calls(number))
    until(lambda: sorted(calls_by_instance(pushed).values()) == [3, 4], lambda: calls_by_instance(pushed))


def test_what_was_counted_while_the_destination_was_away_is_there_when_it_is_back(pushed, pushing, calls, send, until):
    ours = pushing(pushed)
    send(ours, calls(2))
    until(lambda: sum(calls_by_instance(pushed).values()) == 2)
    pushed.kill()
    send(ours, calls(5))
    until(lambda: ours.total(semconv.OTELCOL_SEND_FAILED_METRIC_POINTS.name) > 0, ours.log)
    pushed.start()
    until(lambda: sum(calls_by_instance(pushed).values()) == 7, ours.log)


def test_a_replica_that_was_killed_goes_on_as_the_same_series(pushed, pushing, calls, send, until):
    ours = pushing(pushed)
    send(ours, calls(2))
    until(lambda: list(calls_by_instance(pushed).values()) == [2])
    ours.kill()
    ours.start()
    send(ours, calls(3))
    until(lambda: list(calls_by_instance(pushed).values()) == [5], lambda: calls_by_instance(pushed))


def test_differences_add_up_to_the_counts(pushed, pushing, calls, send, until):
    """The Prometheus exporter adds them up."""
    ours = pushing(pushed, settings=f"{QUICK}\n    temporality: delta")
    for number in (2, 3, 4):
        send(ours, calls(number))
        sent = ours.total(semconv.OTELCOL_SENT_METRIC_POINTS.name)
        until(lambda sent=sent: ours.total(semconv.OTELCOL_SENT_METRIC_POINTS.name) > sent)
    until(lambda: list(calls_by_instance(pushed).values()) == [9], lambda: calls_by_instance(pushed))
