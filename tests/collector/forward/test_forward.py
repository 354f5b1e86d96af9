"""What was accepted goes on as it came, once, to whoever is configured; and ingest never waits for them."""

import json
import threading
import time

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from llmvitals_collector import lifecycle
from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.forward.config import ForwardConfig, ForwardRetry
from llmvitals_collector.receivers import Signal

PROTOBUF, JSON = Encoding.PROTOBUF, Encoding.JSON


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_request_arrives_as_it_came_with_the_headers_of_the_configuration(
    backend, forward, counts, spans, compression
):
    body = spans({}, {}, {}).SerializeToString()
    forwarding = forward(backend, headers={"Authorization": "Bearer abc"}, compression=compression)
    forwarding.offer(Signal.TRACES, body, PROTOBUF, 3)
    forwarding.stop()
    (received,) = backend.received
    assert received.body == body
    assert received.headers["authorization"] == "Bearer abc"
    assert received.headers["user-agent"].startswith("llmvitals/")
    assert received.path in ("/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    assert counts()["sent_spans_total"] == 3


def test_logs_go_to_the_service_of_logs(backend, forward, counts, events):
    body = events(("gen_ai.evaluation.result", {})).SerializeToString()
    forwarding = forward(backend)
    forwarding.offer(Signal.LOGS, body, PROTOBUF, 1)
    forwarding.stop()
    assert [(each.body, "ogs" in each.path) for each in backend.received] == [(body, True)]
    assert counts()["sent_log_records_total"] == 1


def test_a_backend_gets_only_the_signals_that_it_wants(backend, forward, counts):
    forwarding = forward(backend, signals=("logs",))
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    forwarding.stop()
    assert backend.received == []
    assert counts().get("enqueue_failed_spans_total", 0) == 0


def test_json_goes_on_as_json_over_http(http_backend, forward):
    forwarding = forward(http_backend)
    forwarding.offer(Signal.TRACES, b'{"resourceSpans":[]}', JSON, 0)
    forwarding.stop()
    (received,) = http_backend.received
    assert (received.body, received.headers["content-type"]) == (b'{"resourceSpans":[]}', "application/json")


def test_json_goes_on_in_protobuf_over_grpc_with_its_ids(grpc_backend, forward, spans):
    sent = spans({"llm.text": "é"})
    document = json_format.MessageToDict(sent, use_integers_for_enums=True)
    (span,) = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    (told,) = sent.resource_spans[0].scope_spans[0].spans
    span |= {"traceId": told.trace_id.hex(), "spanId": told.span_id.hex().upper(), "of the future": [1]}
    forwarding = forward(grpc_backend)
    forwarding.offer(Signal.TRACES, json.dumps(document).encode(), JSON, 1)
    forwarding.stop()
    (received,) = grpc_backend.received
    assert ExportTraceServiceRequest.FromString(received.body) == sent


@pytest.mark.parametrize("kind", ["busy", "cut"])
def test_what_a_backend_could_not_take_is_sent_again_until_it_takes_it(backend, forward, counts, answer, kind):
    backend.script = [answer(kind)] * 3
    forwarding = forward(backend)
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 7)
    backend.wait(lambda: backend.accepted == 1)
    forwarding.stop()
    assert len(backend.received) == 4
    assert (counts()["sent_spans_total"], counts()["send_failed_spans_total"]) == (7, 0)
    assert counts()["forward_retries_total"] == 3


def test_a_backend_that_says_when_to_come_again_is_left_alone_until_then(backend, forward, answer):
    backend.script = [answer("busy", after_seconds=1)]
    forwarding = forward(backend)
    start = time.monotonic()
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    backend.wait(lambda: backend.accepted == 1)
    assert time.monotonic() - start >= 1


def test_what_a_backend_refuses_for_good_is_given_up_and_said_once(backend, forward, counts, answer, caplog):
    backend.script = [answer("refuse")] * 2
    forwarding = forward(backend, senders=1)
    for _ in range(2):
        forwarding.offer(Signal.TRACES, b"", PROTOBUF, 2)
    forwarding.stop()
    assert len(backend.received) == 2
    assert (counts()["sent_spans_total"], counts()["send_failed_spans_total"]) == (0, 4)
    (record,) = caplog.records
    assert record.getMessage().startswith("otlp/0 answers ")
    assert ": no; requests are given up" in record.getMessage()


def test_an_exhausted_grpc_backend_that_names_no_time_is_not_asked_again(grpc_backend, forward, counts, answer):
    grpc_backend.script = [answer("full")]
    forwarding = forward(grpc_backend)
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    grpc_backend.wait(lambda: len(grpc_backend.received) == 1)
    forwarding.stop()
    assert len(grpc_backend.received) == 1
    assert counts()["send_failed_spans_total"] == 1


def test_an_attempt_that_gets_no_answer_ends_and_is_made_again(backend, forward, answer):
    backend.script = [answer("hang")]
    forwarding = forward(backend, timeout_seconds=0.2)
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    backend.wait(lambda: backend.accepted == 1)
    assert len(backend.received) >= 2


def test_a_request_is_given_up_after_the_time_of_the_retries(backend, forward, counts, answer):
    backend.script = [answer("busy")] * 1000
    forwarding = forward(backend, retry=ForwardRetry(initial_seconds=0.02, total_seconds=2))
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    deadline = time.monotonic() + 20
    while not counts()["send_failed_spans_total"]:
        assert time.monotonic() < deadline
        backend.released.wait(0.01)
    assert 1 < len(backend.received) < 100


@pytest.mark.parametrize(
    ("settings", "fit"), [({"queue_requests": 3}, 3), ({"queue_bytes": 2 << 20}, 2)], ids=["requests", "bytes"]
)
def test_a_full_queue_drops_and_counts_and_never_blocks(backend, forward, counts, answer, settings, fit):
    backend.script = [answer("hang")] * 100
    forwarding = forward(backend, senders=1, **settings)
    start = time.monotonic()
    for _ in range(50):
        forwarding.offer(Signal.TRACES, bytes(1 << 20), PROTOBUF, 10)
    assert time.monotonic() - start < 5
    assert counts()["enqueue_failed_spans_total"] == 10 * (50 - fit)
    assert counts()["forward_queue_bytes"] == fit << 20
    assert counts()["queue_size"] in (fit - 1, fit)  # one may be under way
    backend.script.clear()
    backend.released.set()


def test_what_the_backend_rejects_of_an_accepted_request_is_counted_as_failed(backend, forward, counts, answer):
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 2
    logs = ExportLogsServiceResponse()
    logs.partial_success.rejected_log_records = 1
    backend.script = [answer(body=response.SerializeToString()), answer(body=logs.SerializeToString())]
    forwarding = forward(backend, senders=1)
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 5)
    forwarding.offer(Signal.LOGS, b"", PROTOBUF, 5)
    forwarding.stop()
    assert (counts()["sent_spans_total"], counts()["send_failed_spans_total"]) == (3, 2)
    assert (counts()["sent_log_records_total"], counts()["send_failed_log_records_total"]) == (4, 1)


def test_an_answer_that_is_no_message_does_not_undo_that_it_was_accepted(backend, forward, counts, answer):
    backend.script = [answer(body=b"\xff\xff")]
    forwarding = forward(backend)
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 5)
    forwarding.stop()
    assert counts()["sent_spans_total"] == 5


def test_one_backend_that_hangs_holds_up_no_other(backends, forward, answer):
    slow, quick = backends["http"](), backends["grpc"]()
    slow.script = [answer("hang")] * 100
    forwarding = forward(slow, quick)
    for _ in range(20):
        forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    quick.wait(lambda: quick.accepted == 20)
    slow.script.clear()
    slow.released.set()
    forwarding.stop()
    for each in (slow, quick):
        each.close()
    assert slow.accepted == 20


def test_a_stop_sends_what_is_there_and_takes_no_more(backend, forward, counts):
    forwarding = forward(backend)
    for _ in range(100):
        forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    forwarding.stop()
    forwarding.stop()
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    assert backend.accepted == counts()["sent_spans_total"] == 100
    assert counts()["enqueue_failed_spans_total"] == 1


def test_what_a_stop_cannot_send_is_counted_and_said(backend, forward, counts, caplog):
    backend.close()
    forwarding = forward(backend)
    for _ in range(10):
        forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    forwarding.stop()
    assert counts()["send_failed_spans_total"] == 10
    assert any("requests are given up" in record.getMessage() for record in caplog.records)


def test_a_stop_does_not_wait_for_a_backend_that_hangs(backend, forward, counts, answer, monkeypatch, caplog):
    monkeypatch.setattr(lifecycle, "GRACE_SECONDS", 0.2)
    backend.script = [answer("hang")]
    forwarding = forward(backend, senders=1)
    for _ in range(3):
        forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    backend.wait(lambda: len(backend.received) == 1)
    forwarding.stop()
    assert counts()["send_failed_spans_total"] == 2
    assert "otlp/0: 3 requests were not sent before the collector stopped" in caplog.messages


def test_a_stop_without_a_start_is_safe(telemetry):
    Forward({"a": ForwardConfig(endpoint="http://127.0.0.1:1")}, telemetry).stop()


def test_a_login_of_the_host_does_not_replace_the_configured_one(http_backend, forward, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    forwarding = forward(http_backend, headers={"authorization": "Bearer abc"})
    forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1)
    forwarding.stop()
    assert http_backend.received[0].headers["authorization"] == "Bearer abc"


def test_offers_of_many_threads_all_arrive(backend, forward, counts):
    forwarding = forward(backend)
    threads = [
        threading.Thread(target=lambda: [forwarding.offer(Signal.TRACES, b"", PROTOBUF, 1) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    forwarding.stop()
    assert backend.accepted == counts()["sent_spans_total"] == 200
