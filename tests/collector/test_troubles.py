"""What users of other span-to-metrics stages met, each with where they wrote of it, and why it can't happen here.

Numbers are issues of https://github.com/open-telemetry/opentelemetry-collector-contrib, unless they say otherwise.
"""

import re
from functools import partial

import msgspec
import pytest
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.aggregate import State
from llmvitals_collector.config import Config, Limits, Metrics
from llmvitals_collector.decode import Encoding
from llmvitals_collector.expose import Format
from llmvitals_collector.forward.config import ForwardConfig
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal
from llmvitals_collector.storage import StorageConfig


def send(pipeline, request):
    pipeline.intake.take(semconv.RECEIVER_GRPC, Signal.TRACES, request.SerializeToString(), Encoding.PROTOBUF)


def counted(pipeline, family=semconv.CALLS):
    """The series of a family that are not zero: labels -> value."""
    text = b"".join(pipeline.render(Format.TEXT)).decode()
    samples = [sample for each in parser.text_string_to_metric_families(text) for sample in each.samples]
    return {
        tuple(sample.labels[name] for name in semconv.CALL_LABELS): sample.value
        for sample in samples
        if sample.name == family.name and sample.value
    }


def test_series_are_bounded_without_anybody_configuring_it(spans):
    """27654, 21290, 31683; alloy 3407, 4047: memory grows until the process is killed."""
    pipeline = Pipeline(Config())
    for start in range(0, 600, 100):
        send(pipeline, spans(*({semconv.PROMPT_NAME: f"template {start + place}"} for place in range(100))))
    series = counted(pipeline)
    assert sum(series.values()) == 600
    # Only the label that explodes is given up.
    assert series["shop", "openai", "chat", "gpt-5", semconv.OVERFLOW] == 600 - Limits().label_values


def test_a_series_that_nobody_feeds_goes_and_the_others_stay(spans, monkeypatch):
    """44187, 29604: series expire by groups only, so that dead namespaces are exported for ever."""
    now = [1_700_000_000.0]
    monkeypatch.setattr("llmvitals_collector.pipeline.State", partial(State, clock=lambda: now[0]))
    pipeline = Pipeline(Config(limits=Limits(expire_after_seconds=600)))
    send(pipeline, spans({semconv.PROMPT_NAME: "old"}, {semconv.PROMPT_NAME: "alive"}))
    assert len(counted(pipeline)) == 2
    for _ in range(2):
        now[0] += 400
        send(pipeline, spans({semconv.PROMPT_NAME: "alive"}))
        series = counted(pipeline)
    assert series == {("shop", "openai", "chat", "gpt-5", "alive"): 3}


def test_a_pod_that_comes_back_under_another_name_feeds_the_same_series(spans):
    """21101, 32043, 33136: each change of a resource attribute begins another series at zero."""
    pipeline = Pipeline(Config())
    for pod in ("shop-7d9f", "shop-b1c4"):
        request = spans({})
        request.resource_spans[0].resource.attributes.add(key="k8s.pod.name").value.string_value = pod
        request.resource_spans[0].resource.attributes.add(key="process.pid").value.int_value = len(pod)
        send(pipeline, request)
    assert list(counted(pipeline).values()) == [2]


def test_a_backend_that_takes_nothing_does_not_make_a_sender_repeat(spans):
    """23233: one full queue in a fan-out refuses the batch, the client sends it again, and others count it twice."""
    backend = ForwardConfig(endpoint="http://127.0.0.1:9", queue_requests=1)
    pipeline = Pipeline(Config(forward={"unreachable": backend}))
    for _ in range(5):
        send(pipeline, spans({}))
    assert list(counted(pipeline).values()) == [5]


def test_a_value_under_one_label_is_no_value_under_another(spans):
    """The dimensions cache of the spanmetrics connector joined the values that are there, so that two keys were one."""
    pipeline = Pipeline(Config())
    one, other = {semconv.PROMPT_NAME: "x", semconv.REQUEST_MODEL: ""}, {semconv.REQUEST_MODEL: "x"}
    send(pipeline, spans(one, other))
    assert counted(pipeline) == {("shop", "openai", "chat", "", "x"): 1, ("shop", "openai", "chat", "x", ""): 1}


def test_a_restart_shows_neither_a_gap_nor_a_spike(config, spans, tmp_path):
    """36613: counters begin at zero, and with them the rates that alerts look at."""
    config = msgspec.structs.replace(config, storage=StorageConfig(directory=str(tmp_path)))

    def run():
        pipeline = Pipeline(config)
        pipeline.start()
        send(pipeline, spans({}, {}))
        series = counted(pipeline)
        created = re.search(rb"llm_calls_created\{.*\} (\S+)", b"".join(pipeline.render(Format.OPENMETRICS)))[1]
        pipeline.stop()
        return list(series.values()), created

    (before, born), (after, still) = run(), run()
    assert (before, after) == ([2], [4])
    assert born == still


@pytest.mark.parametrize("family", [semconv.TOKEN_USAGE, semconv.FIRST_TOKEN])
def test_tokens_and_first_tokens_are_histograms_with_bounds_that_fit_them(family):
    """26628: durations only, in buckets of web requests that end at fifteen seconds."""
    assert family.kind == "histogram"
    assert family.bounds[-1] > {semconv.TOKEN_USAGE: 1_000_000, semconv.FIRST_TOKEN: 300}[family]
    assert Metrics().native_histograms
