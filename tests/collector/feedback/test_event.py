"""Feedback becomes the conventions' event on the span of its call, and of the service that made it."""

import time

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from llmvitals import _handle, semconv
from llmvitals_collector.feedback.event import request_of
from llmvitals_collector.feedback.given import Feedback


def texts(attributes):
    return {each.key: each.value.string_value for each in attributes if each.value.HasField("string_value")}


def event_of(handle, **feedback):
    call = _handle.read(handle, 60)
    request = ExportLogsServiceRequest.FromString(request_of(call, Feedback(handle=handle, **feedback)))
    (resource_logs,) = request.resource_logs
    (scope_logs,) = resource_logs.scope_logs
    (record,) = scope_logs.log_records
    return call, resource_logs.resource, record


@pytest.mark.parametrize("sampled", [True, False])
def test_it_carries_the_identity_of_the_call_so_that_nobody_has_to_join(handle, sampled):
    before = time.time()
    call, resource, record = event_of(handle(sampled), kind="report", comment="the wrong city \N{PARTY POPPER}")
    assert texts(resource.attributes) == {semconv.SERVICE_NAME: "shop"}
    told = texts(record.attributes)
    assert len(told.pop(semconv.EVALUATION_ID)) == 32
    assert told == {
        semconv.OPERATION_NAME: "chat",
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-5-mini",
        semconv.PROMPT_NAME: "support-answer",
        semconv.PROMPT_VERSION: "3",
        semconv.RELEASE: "2026.11",
        semconv.EVALUATION_NAME: "user_feedback",
        semconv.EVALUATION_SOURCE: "user",
        semconv.EVALUATION_SCORE_LABEL: "report",
        semconv.EVALUATION_EXPLANATION: "the wrong city \N{PARTY POPPER}",
    }
    assert record.event_name == "gen_ai.evaluation.result"
    assert record.trace_id == call.trace_id.to_bytes(16)
    assert record.span_id == call.span_id.to_bytes(8)
    assert record.flags == int(sampled)
    assert before - 1e-6 <= record.time_unix_nano / 1e9 <= time.time()


@pytest.mark.parametrize(
    ("feedback", "score"),
    [
        ({"kind": "thumb_up"}, 1.0),
        ({"kind": "thumb_down"}, 0.0),
        ({"kind": "rating", "value": 0.75}, 0.75),
        ({"kind": "rating", "value": 0.0}, 0.0),
        ({"kind": "rating"}, None),
    ],
)
def test_its_score_is_the_user_s_else_the_kind_s_else_none(handle, feedback, score):
    _, _, record = event_of(handle(), **feedback)
    scores = [each.value.double_value for each in record.attributes if each.key == semconv.EVALUATION_SCORE_VALUE]
    assert scores == ([] if score is None else [score])


def test_its_id_is_the_same_on_every_replica_and_another_for_each_kind_and_call(handle):
    def id_of(one, kind):
        return texts(event_of(one, kind=kind)[2].attributes)[semconv.EVALUATION_ID]

    one, other = handle(), handle()
    assert id_of(one, "copy") == id_of(one, "copy")
    assert len({id_of(one, "copy"), id_of(one, "report"), id_of(other, "copy")}) == 3


def test_a_handle_of_an_older_version_names_no_service(handle):
    _, resource, record = event_of(_handle.issue(1, 2, sampled=True, identity={}), kind="copy")
    assert not resource.attributes
    assert semconv.REQUEST_MODEL not in texts(record.attributes)
