"""A user's feedback is an event on the span of the call that it is about."""

import re

import pytest

import llmvitals
from llmvitals import _feedback, _guard, semconv


@pytest.fixture
def call(clients, spans):
    """A call that has been made: its response and its span."""
    with llmvitals.prompt("support-answer", version="3"):
        response = clients().openai.chat.completions.create(model="gpt-x", messages=[])
    return response, spans()[0]


def test_it_stands_on_the_span_of_its_call_and_says_what_the_call_was(call, events):
    response, span = call
    llmvitals.feedback(response, "thumb_up")

    (event,) = events()
    assert event.event_name == "gen_ai.evaluation.result"
    assert (event.trace_id, event.span_id) == (span.context.trace_id, span.context.span_id)
    assert dict(event.attributes) == {
        semconv.EVALUATION_NAME: "user_feedback",
        semconv.EVALUATION_SCORE_LABEL: "thumb_up",
        semconv.EVALUATION_SCORE_VALUE: 1.0,
        semconv.EVALUATION_SOURCE: "user",
        semconv.RESPONSE_ID: response.id,
        semconv.OPERATION_NAME: "chat",
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-x",
        semconv.PROMPT_NAME: "support-answer",
        semconv.PROMPT_VERSION: "3",
    }


def test_it_may_have_a_value_and_the_user_s_own_words(call, events):
    llmvitals.feedback(call[0].id, "rating", value=0.75, comment="almost")
    attributes = events()[0].attributes
    assert attributes[semconv.EVALUATION_SCORE_VALUE] == 0.75
    assert attributes[semconv.EVALUATION_EXPLANATION] == "almost"


def test_a_kind_without_a_verdict_has_no_score(call, events):
    llmvitals.feedback(call[0], "edit")
    assert semconv.EVALUATION_SCORE_VALUE not in events()[0].attributes


def test_any_chunk_of_a_stream_will_do(clients, spans, events):
    loopback = clients()
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}], "stream": True}
    start, *_ = loopback.anthropic.messages.create(**request)
    *_, chunk = loopback.openai.chat.completions.create(model="m", messages=[], stream=True)
    created, *_ = loopback.openai.responses.create(model="m", input="?", stream=True)
    for response in (start, chunk, created):
        llmvitals.feedback(response, "copy")
    assert [event.span_id for event in events()] == [span.context.span_id for span in spans()]


def test_of_a_response_that_is_not_remembered_it_has_the_id_alone(events):
    llmvitals.feedback("chatcmpl-of-last-week", "thumb_down")
    (event,) = events()
    assert event.trace_id == 0
    assert event.attributes[semconv.RESPONSE_ID] == "chatcmpl-of-last-week"
    assert semconv.REQUEST_MODEL not in event.attributes


def test_only_the_latest_calls_are_remembered(monkeypatch):
    monkeypatch.setattr(_feedback, "_REMEMBERED", 2)
    monkeypatch.setattr(_feedback, "_calls", type(_feedback._calls)())
    for response_id in ("first", "second", "third"):
        _feedback.remember(response_id, None, {})
    assert list(_feedback._calls) == ["second", "third"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("id", "thumbs_up"), "feedback kind 'thumbs_up' is unknown; did you mean 'thumb_up'?"),
        (("id", "rating", 5), r"feedback value 5 is out of range: 0 \(bad\) to 1 \(good\)"),
        ((object(), "copy"), "feedback on a object: it has no id"),
    ],
)
def test_bad_arguments_are_said_and_do_not_reach_the_app(arguments, says, events, monkeypatch, caplog):
    response, kind, *value = arguments
    with pytest.raises((ValueError, TypeError), match=says):
        llmvitals.feedback(response, kind, value=value[0] if value else None)
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    llmvitals.feedback(response, kind, value=value[0] if value else None)
    assert re.search(says, caplog.text)
    assert not events()
