"""The whole collector: what goes in over any way comes out of a scrape, at once and only once."""

import gzip
import json
import threading
import urllib.error
import urllib.request
from collections import defaultdict

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.counting import Counting
from llmvitals_collector.decode import Encoding, MalformedError, decode_traces
from llmvitals_collector.expose import Format
from llmvitals_collector.lifecycle import PortError
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal


def take(pipeline, body, encoding=Encoding.PROTOBUF):
    return pipeline.intake.take(semconv.RECEIVER_HTTP, Signal.TRACES, body, encoding)


def samples(pipeline, *families):
    text = b"".join(pipeline.render(Format.TEXT)).decode()
    parsed = {family.name: family for family in parser.text_string_to_metric_families(text)}
    return [sample for family in families for sample in parsed[family.name.removesuffix("_total")].samples]


def test_protobuf_and_json_of_a_batch_fill_the_same_series(spans):
    request = spans({semconv.USAGE_INPUT_TOKENS: 3}, {semconv.REQUEST_STREAM: True, semconv.ERROR_TYPE: "429"})
    one, two = Pipeline(Config()), Pipeline(Config())
    take(one, request.SerializeToString())
    document = json_format.MessageToDict(request, use_integers_for_enums=True)
    for place, span in enumerate(document["resourceSpans"][0]["scopeSpans"][0]["spans"]):
        span |= {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": f"eee19b7ec3c1b17{place}", "parentSpanId": ""}
    take(two, json.dumps(document).encode(), Encoding.JSON)
    assert samples(one, *semconv.COUNTED_FAMILIES) == samples(two, *semconv.COUNTED_FAMILIES)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(cut=st.integers(1, 10_000), junk=st.binary(max_size=50))
def test_a_refused_batch_leaves_no_trace_but_its_refusal(spans, cut, junk):
    body = spans(*[{}] * 5).SerializeToString()
    pipeline = Pipeline(Config())
    take(pipeline, body)
    before = samples(pipeline, *semconv.COUNTED_FAMILIES)
    try:
        decode_traces(body[:-cut] + junk)
    except MalformedError:
        with pytest.raises(MalformedError):
            take(pipeline, body[:-cut] + junk)
        assert samples(pipeline, *semconv.COUNTED_FAMILIES) == before


def test_the_same_spans_again_are_acknowledged_and_counted_once(spans):
    body = spans({}, {}).SerializeToString()
    pipeline = Pipeline(Config())
    for _ in range(3):
        assert take(pipeline, body) is None
        assert sum(each.value for each in samples(pipeline, semconv.CALLS)) == 2
    repeated = samples(pipeline, semconv.COLLECTOR_DUPLICATE_CALLS)
    assert {each.labels["reason"]: each.value for each in repeated if each.value} == {semconv.DUPLICATE: 4}


def test_a_call_without_ids_is_rejected_in_a_sentence_and_the_others_count(spans):
    request = spans({}, {})
    request.resource_spans[0].scope_spans[0].spans[0].span_id = bytes(8)
    pipeline = Pipeline(Config())
    rejected = take(pipeline, request.SerializeToString())
    assert rejected.count == 1
    assert rejected.reason == "1 have no valid trace id and span id, without which a repetition would count twice"
    assert sum(each.value for each in samples(pipeline, semconv.CALLS)) == 1


def test_a_batch_goes_on_without_the_processor_that_fails(spans, monkeypatch, caplog):
    def fail(self, calls):
        raise ZeroDivisionError

    monkeypatch.setattr("llmvitals_collector.processors.slo.Slo.process", fail)
    pipeline = Pipeline(Config())
    for _ in range(2):
        take(pipeline, spans({}).SerializeToString())
    (ok, *_) = samples(pipeline, semconv.CALLS)
    assert ok.value == 2
    assert samples(pipeline, semconv.SLO_EVENTS) == []
    failures = samples(pipeline, semconv.COLLECTOR_PROCESSOR_FAILURES)
    # What waited was processed as one.
    assert {each.labels["processor"] for each in failures if each.value == 1} == {"slo"}
    assert [record.message for record in caplog.records] == [
        "processor slo failed on a batch, which goes on without it"
    ]


def test_a_fault_of_the_collector_itself_is_refused_and_counted_as_such(collector, spans, monkeypatch):
    def fail(self, batch):
        raise ZeroDivisionError

    monkeypatch.setattr(Counting, "take", fail)
    assert post(collector.http.port, spans({}).SerializeToString()) == 500
    refused = samples(collector, semconv.COLLECTOR_REFUSED_REQUESTS)
    assert [each.labels for each in refused if each.value] == [{"receiver": "http", "reason": "internal"}]


def test_what_is_lost_after_it_was_accepted_is_counted(spans, monkeypatch, caplog):
    def fail(self, records):
        raise ZeroDivisionError

    pipeline = Pipeline(Config())
    monkeypatch.setattr("llmvitals_collector.aggregate.State.add", fail)
    take(pipeline, spans({}, {}).SerializeToString())
    assert [each.value for each in samples(pipeline, semconv.COLLECTOR_LOST_RECORDS)] == [2]
    assert "accepted, and then lost" in caplog.text


def test_a_fault_on_records_of_one_kind_loses_none_of_another(spans, events, monkeypatch, caplog):
    pipeline = Pipeline(Config())
    monkeypatch.setattr("llmvitals_collector.quality.rated", lambda _results: 1 / 0)
    logs = events((semconv.EVALUATION_RESULT, {semconv.EVALUATION_NAME: "relevance"}))
    pipeline.intake.take("http", Signal.LOGS, logs.SerializeToString(), Encoding.PROTOBUF)
    take(pipeline, spans({}, {}).SerializeToString())
    assert [each.value for each in samples(pipeline, semconv.COLLECTOR_LOST_RECORDS)] == [1]
    assert sum(each.value for each in samples(pipeline, semconv.CALLS)) == 2
    assert "accepted, and then lost" in caplog.text


def post(port, body):
    headers = {"content-type": "application/x-protobuf"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_scrape_under_load_sees_whole_batches(collector, spans):
    """Of every histogram the last bucket is the count, and every family has counted the same calls."""
    bodies = [spans(*[{semconv.USAGE_INPUT_TOKENS: 10}] * 20).SerializeToString() for _ in range(60)]
    done = threading.Event()

    def load():
        for body in bodies:
            take(collector, body)
        done.set()

    sender = threading.Thread(target=load)
    sender.start()
    last = False
    while not last:
        last = done.is_set()
        buckets, counts, calls = defaultdict(float), defaultdict(float), 0.0
        for sample in samples(collector, semconv.DURATION, semconv.TOKEN_USAGE, semconv.CALLS):
            if sample.labels.get("le") == "+Inf":
                buckets[sample.name.removesuffix("_bucket")] += sample.value
            elif sample.name.endswith("_count"):
                counts[sample.name.removesuffix("_count")] += sample.value
            elif sample.name == semconv.CALLS.name:
                calls += sample.value
        assert buckets == counts
        assert calls % 20 == 0
        assert set(counts.values()) <= {calls}
    sender.join()
    assert calls == 60 * 20


def get(port, path="/metrics", method="GET", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=names, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_a_scrape_is_compressed_only_when_asked_for(collector):
    plain = get(collector.metrics.port)
    assert plain[1]["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert plain[1]["content-encoding"] is None
    assert b"llm_collector_build_info" in plain[2]
    zipped = get(collector.metrics.port, accept="application/openmetrics-text", accept_encoding="gzip")
    assert zipped[1]["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert zipped[1]["content-encoding"] == "gzip"
    assert gzip.decompress(zipped[2]).endswith(b"# EOF\n")
    assert get(collector.metrics.port, accept_encoding="gzip;q=0")[1]["content-encoding"] is None


def test_the_scrape_address_answers_other_requests_too(collector):
    port = collector.metrics.port
    assert get(port, "/healthz")[::2] == (200, b"ok\n")
    assert get(port, "/nothing")[0] == 404
    assert get(port, method="POST")[0] == 405


def test_stopping_is_safe_without_a_start_and_twice(config):
    pipeline = Pipeline(config)
    pipeline.stop()
    pipeline.start()
    pipeline.stop()
    pipeline.stop()


def test_a_start_that_fails_leaves_no_address_taken(config, collector):
    taken = msgspec.structs.replace(config.receivers.http, address=f"127.0.0.1:{collector.http.port}")
    receivers = msgspec.structs.replace(config.receivers, http=taken)
    pipeline = Pipeline(msgspec.structs.replace(config, receivers=receivers))
    with pytest.raises(PortError):
        pipeline.start()
    with pytest.raises(urllib.error.URLError):
        get(pipeline.metrics.port)


def test_what_is_in_flight_when_the_collector_stops_is_counted(config, spans, monkeypatch):
    """A request that was taken before the stop is answered well, and counted."""
    pipeline = Pipeline(config)
    taken, go_on = threading.Event(), threading.Event()

    take = Counting.take

    def slow(self, batch):
        taken.set()
        assert go_on.wait(10)
        take(self, batch)

    monkeypatch.setattr(Counting, "take", slow)
    pipeline.start()
    body = spans({}).SerializeToString()
    statuses = []

    def send():
        statuses.append(post(pipeline.http.port, body))

    sender, stopper = threading.Thread(target=send), threading.Thread(target=pipeline.stop)
    sender.start()
    assert taken.wait(10)
    stopper.start()
    go_on.set()
    sender.join()
    stopper.join()
    assert statuses == [200]
    assert next(iter(samples(pipeline, semconv.CALLS))).value == 1
