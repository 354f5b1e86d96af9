"""Destinations get everything, whatever becomes of single pushes; and each collector has a name of its own."""

import re
import threading
import time
import urllib.request
import uuid
from types import SimpleNamespace

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from prometheus_client.parser import text_string_to_metric_families

from llmvitals import semconv
from llmvitals_collector.config import Config, ConfigError, Metrics
from llmvitals_collector.decode import Encoding
from llmvitals_collector.document import parsed
from llmvitals_collector.expose import Format
from llmvitals_collector.forward.transport import BusyError
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.push import push
from llmvitals_collector.push.config import PushConfig
from llmvitals_collector.push.push import Push, Pusher
from llmvitals_collector.receivers import Signal
from llmvitals_collector.storage import StorageConfig, StorageError
from llmvitals_collector.telemetry import Telemetry

QUICK = 0.02
CALLS = "llm_calls_total"


@pytest.fixture
def pushing(config, monkeypatch):
    """Start a collector that pushes to a backend; all that it starts are stopped.

    It pushes first after an interval, not at a random moment of it: after a long one there is but the last push.
    """
    monkeypatch.setattr(push, "random", SimpleNamespace(uniform=lambda _, longest: longest))
    running = []

    def start(backend, directory="", workers=0, **settings):
        told = PushConfig(
            endpoint=backend.endpoint, protocol=backend.protocol, **{"interval_seconds": QUICK, **settings}
        )
        storage = StorageConfig(directory=str(directory), max_bytes=32 << 20)
        pipeline = Pipeline(
            Config(receivers=config.receivers, metrics=config.metrics, push={"a": told}, storage=storage), workers
        )
        pipeline.start()
        running.append(pipeline)
        return pipeline

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def count(spans):
    """Have a collector count so many calls, each of them another."""

    def take(pipeline, number):
        body = spans(*({} for _ in range(number))).SerializeToString()
        pipeline.intake.take("http", Signal.TRACES, body, Encoding.PROTOBUF)

    return take


@pytest.fixture
def resources(metrics):
    """The attributes of the resource in the bodies of requests."""

    def read(body):
        (told,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
        return {each.key: each.value.string_value for each in told.resource.attributes}

    return read


def total(series, name=CALLS):
    return sum(value for (of, _), value in series.items() if of == name)


def own(pipeline, family):
    """What the collector tells of its destination."""
    text = b"".join(pipeline.render(Format.TEXT)).decode()
    samples = (each for told in text_string_to_metric_families(text) for each in told.samples)
    return next(each.value for each in samples if each.name == family.name and each.labels["exporter"] == "otlp/a")


def test_what_was_counted_is_pushed_before_a_stop_ends(backend, pushing, count, series, resources):
    pipeline = pushing(backend, interval_seconds=300, headers={"Authorization": "Bearer abc"})
    count(pipeline, 3)
    pipeline.stop()
    (received,) = backend.received
    assert total(series([received.body])) == 3
    assert received.headers["authorization"] == "Bearer abc"
    assert received.path in ("/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
    assert resources(received.body)[semconv.SERVICE_NAME] == semconv.COLLECTOR_JOB


def test_a_destination_that_was_away_has_everything_with_the_next_push(backend, pushing, count, answer, series):
    backend.script = [answer("busy"), answer("cut"), answer("refuse")]
    pipeline = pushing(backend)
    for _ in range(4):
        seen = len(backend.received)
        count(pipeline, 2)
        backend.wait(lambda seen=seen: len(backend.received) > seen)
    pipeline.stop()
    assert total(series([backend.received[-1].body])) == 8


@pytest.mark.parametrize("kind", ["busy", "cut"])
def test_differences_that_were_not_accepted_come_again_first_and_add_up(backend, pushing, count, answer, series, kind):
    backend.script = [answer(), answer(kind), answer(kind)]
    pipeline = pushing(backend, temporality="delta")
    for number in range(1, 7):
        count(pipeline, number)
        seen = len(backend.received)
        backend.wait(lambda seen=seen: len(backend.received) > seen)
    pipeline.stop()
    first, *refused_twice = (each.body for each in backend.received[:4])
    assert len(set(refused_twice)) == 1
    accepted = [first, *(each.body for each in backend.received[3:])]
    assert sum(total(series([body])) for body in accepted) == sum(range(1, 7))


class Away:
    """A transport that gets nothing accepted for so many attempts."""

    def __init__(self, attempts):
        self._left = attempts
        self.sent = set()  # until the first is accepted
        self.accepted = threading.Event()

    def send(self, request):
        if not self.accepted.is_set():
            self.sent.add(request.body)
        if self._left:
            self._left -= 1
            raise BusyError("is away")
        self.accepted.set()
        return 0

    def close(self):
        pass


def test_what_differences_take_does_not_grow_with_each_attempt():
    """The stack is a small one, which what is kept for the next attempt would overflow if it were kept in layers."""
    collector = Pipeline(Config())
    config = PushConfig(endpoint="http://127.0.0.1:1", temporality="delta", interval_seconds=0)
    pusher = Pusher("a", config, collector._moment, collector._telemetry)
    pusher._transport = away = Away(20_000)
    usual = threading.stack_size(256 << 10)
    try:
        pusher.start({})
    finally:
        threading.stack_size(usual)
    assert away.accepted.wait(60)
    assert len(away.sent) == 1
    pusher.stop()
    pusher.join(time.monotonic() + 20)


def test_what_is_refused_for_good_is_counted_and_said_once(backend, pushing, answer, caplog):
    backend.script = [answer("refuse")] * 3
    pipeline = pushing(backend)
    backend.wait(lambda: backend.accepted == 1)
    assert own(pipeline, semconv.OTELCOL_SEND_FAILED_METRIC_POINTS) > 0
    (record,) = (each for each in caplog.records if "push" in each.getMessage())
    assert record.getMessage().startswith("otlp/a answers ")


def test_points_that_a_destination_rejects_are_counted(http_backend, pushing, answer):
    told = ExportMetricsServiceResponse()
    told.partial_success.rejected_data_points = 4
    http_backend.script = [answer(body=told.SerializeToString())]
    pipeline = pushing(http_backend)
    http_backend.wait(lambda: http_backend.accepted > 1)
    assert own(pipeline, semconv.OTELCOL_SEND_FAILED_METRIC_POINTS) == 4
    assert own(pipeline, semconv.OTELCOL_SENT_METRIC_POINTS) > 4


def test_a_destination_that_says_when_to_come_again_is_left_alone_until_then(backend, pushing, answer):
    backend.script = [answer("busy", after_seconds=1)]
    pushing(backend)
    backend.wait(lambda: backend.accepted == 1)
    first, second, *_ = backend.times
    assert second - first >= 1


def test_one_that_names_a_time_which_never_comes_is_told_the_last_push_all_the_same(backend, pushing, answer):
    backend.script = [answer("busy", after_seconds=10**15)]
    pipeline = pushing(backend)
    backend.wait(lambda: len(backend.received) == 1)
    pipeline.stop()
    assert backend.accepted == 1


def test_a_request_on_which_sending_itself_fails_is_counted_as_failed_and_not_told_again(
    backend, pushing, count, series, monkeypatch, caplog
):
    pipeline = pushing(backend, interval_seconds=300, temporality="delta")
    count(pipeline, 2)
    (pusher,) = pipeline._push._pushers
    send = pusher._transport.send

    def fail_once(request):
        monkeypatch.setattr(pusher._transport, "send", send)
        raise ZeroDivisionError

    monkeypatch.setattr(pusher._transport, "send", fail_once)
    pusher._push()
    assert own(pipeline, semconv.OTELCOL_SEND_FAILED_METRIC_POINTS) > 0
    assert "ZeroDivisionError" in caplog.text
    count(pipeline, 3)
    pipeline.stop()
    assert [total(series([each.body])) for each in backend.received] == [3]


def test_a_restart_with_storage_goes_on_as_the_same_series(
    backend, pushing, count, metrics, series, resources, tmp_path
):
    def run(calls, **settings):
        pipeline = pushing(backend, interval_seconds=300, **settings)
        count(pipeline, calls)
        pipeline.stop()
        body = backend.received[-1].body
        (points,) = (each.sum.data_points for each in metrics([body]) if each.name == CALLS)
        return (
            total(series([body])),
            {each.start_time_unix_nano for each in points},
            resources(body)["service.instance.id"],
        )

    counted, start, name = run(2, directory=tmp_path)
    assert run(3, directory=tmp_path) == (5, start, name)
    again, later, other = run(1)
    assert (counted, again) == (2, 1)
    assert min(later) > max(start)
    assert other != name
    assert uuid.UUID(other)


def test_after_a_restart_with_storage_differences_tell_only_what_is_new(backend, pushing, count, series, tmp_path):
    for calls in (2, 3):
        pipeline = pushing(backend, interval_seconds=300, temporality="delta", directory=tmp_path)
        count(pipeline, calls)
        pipeline.stop()
        assert total(series([backend.received[-1].body])) == calls


def test_what_workers_took_is_told_once_by_the_process_that_counts(backend, pushing, spans, series):
    pipeline = pushing(backend, interval_seconds=300, workers=2)
    url = f"http://127.0.0.1:{pipeline.http.port}/v1/traces"
    for _ in range(8):  # connections, of which each worker gets some
        body = spans({}, {}, {}).SerializeToString()
        headers = {"Content-Type": Encoding.PROTOBUF.value}
        urllib.request.urlopen(urllib.request.Request(url, body, headers)).close()
    pipeline.stop()
    (received,) = backend.received
    told = series([received.body])
    assert total(told) == total(told, semconv.OTELCOL_ACCEPTED_SPANS.name) == 24


def test_a_resource_can_name_the_collector_otherwise(backend, pushing, resources):
    pipeline = pushing(backend, resource={"service.instance.id": "pod-1", "cluster": "eu"})
    pipeline.stop()
    told = resources(backend.received[-1].body)
    assert (told["service.instance.id"], told["cluster"]) == ("pod-1", "eu")


def test_a_name_that_was_damaged_is_refused(backend, pushing, tmp_path):
    (tmp_path / "instance_id").write_text("none")
    with pytest.raises(StorageError, match="instance_id holds no UUID; delete it"):
        pushing(backend, directory=tmp_path)


@pytest.mark.parametrize(
    ("destination", "sentence"),
    [
        ("", "push.mine.endpoint: is no URL; valid: one such as https://backend.example:4317"),
        (
            "endpoint: 'http://a:1', interval_seconds: 0.5",
            "push.mine.interval_seconds: 0.5 is not a number of seconds from 1 to 300",
        ),
        ("endpoint: 'http://a:1', temporality: Delta", "push.mine.temporality: 'Delta' is not cumulative or delta"),
        ("endpoint: 'http://a:1', histograms: native", "push.mine.histograms: 'native' is not explicit or exponential"),
        (
            "endpoint: 'http://a:1', resource: [a]",
            "push.mine.resource: ['a'] is not a mapping of names of attributes to their values, which are texts",
        ),
        (
            "endpoint: 'http://a:1', resource: {service.instance.id: ''}",
            "push.mine.resource: 'service.instance.id': '' is no attribute; valid: a name and a text, not empty",
        ),
        (
            "endpoint: 'http://a:1', intervall_seconds: 5",
            "push.mine.intervall_seconds: unknown key; did you mean 'interval_seconds'?",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(destination, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parsed(f"push: {{mine: {{{destination}}}}}", Config, {})


@pytest.mark.parametrize(("form", "key"), [("explicit", "classic_histograms"), ("exponential", "native_histograms")])
def test_a_form_of_histograms_that_is_switched_off_cannot_be_pushed(form, key):
    push = {"mine": PushConfig(endpoint="http://a:1", histograms=form)}
    with pytest.raises(ConfigError, match=f"^push.mine.histograms: {form} needs metrics.{key}, which is false$"):
        Pipeline(Config(metrics=Metrics(**{key: False}), push=push))


def test_nothing_is_started_without_a_destination(tmp_path, config):
    push = Push({}, config.metrics, lambda: pytest.fail("nobody asks"), Telemetry(1, []))
    push.start(str(tmp_path))
    push.stop()
    assert not list(tmp_path.iterdir())
