"""A user's feedback is an event on the span of the call that it is about."""

import re
import types

import pytest
from opentelemetry import trace

import llmvitals
from llmvitals import _guard, _recent, semconv


@pytest.fixture
def call(clients, spans):
    """A call that has been made: its response and its span."""
    with llmvitals.prompt("support-answer", version="3"):
        response = clients().openai.chat.completions.create(model="gpt-x", messages=[])
    return response, spans()[0]


def test_it_stands_on_the_span_of_its_call_and_says_what_the_call_was(call, events):
    response, span = call
    assert llmvitals.feedback(response, "thumb_up") is True

    (event,) = events()
    assert event.event_name == "gen_ai.evaluation.result"
    assert (event.trace_id, event.span_id) == (span.context.trace_id, span.context.span_id)
    assert dict(event.attributes) == {
        semconv.EVALUATION_ID: event.attributes[semconv.EVALUATION_ID],
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


def test_each_kind_has_one_id_for_a_call_so_that_it_counts_once(call, events, monkeypatch):
    monkeypatch.setenv(semconv.HANDLE_KEY, "key-of-the-tests-that-is-long-enough")
    response, _ = call
    for told in (response, response.id, llmvitals.handle(response)):
        llmvitals.feedback(told, "copy")
    llmvitals.feedback(response, "report")
    *copies, report = [event.attributes[semconv.EVALUATION_ID] for event in events()]
    assert len(set(copies)) == 1
    assert report not in copies


def test_it_may_have_a_value_and_the_user_s_own_words(call, events):
    llmvitals.feedback(call[0].id, "rating", value=0.75, comment="almost")
    attributes = events()[0].attributes
    assert attributes[semconv.EVALUATION_SCORE_VALUE] == 0.75
    assert attributes[semconv.EVALUATION_EXPLANATION] == "almost"


def test_a_kind_without_a_verdict_has_no_score(call, events):
    llmvitals.feedback(call[0], "edit")
    assert semconv.EVALUATION_SCORE_VALUE not in events()[0].attributes


def test_any_chunk_that_has_the_response_s_id_will_do(clients, spans, events):
    loopback = clients()
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}], "stream": True}
    start, *_ = loopback.anthropic.messages.create(**request)
    *_, chunk = loopback.openai.chat.completions.create(model="m", messages=[], stream=True)
    created, *_ = loopback.openai.responses.create(model="m", input="?", stream=True)
    for response in (start, chunk, created):
        llmvitals.feedback(response, "copy")
    assert [event.span_id for event in events()] == [span.context.span_id for span in spans()]


MESSAGES = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
STREAMS = {
    "openai chat": lambda clients: clients.openai.chat.completions.create(model="m", messages=[], stream=True),
    "openai chat helper": lambda clients: clients.openai.chat.completions.stream(model="m", messages=[]),
    "openai responses": lambda clients: clients.openai.responses.create(model="m", input="?", stream=True),
    "openai responses helper": lambda clients: clients.openai.responses.stream(model="m", input="?"),
    "anthropic": lambda clients: clients.anthropic.messages.create(**MESSAGES, stream=True),
    "anthropic helper": lambda clients: clients.anthropic.messages.stream(**MESSAGES),
}


@pytest.mark.parametrize("open_stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_has_been_read_will_do(open_stream, clients, spans, events):
    with open_stream(clients()) as stream:
        for _ in stream:
            pass
    assert llmvitals.feedback(stream, "copy")
    assert llmvitals.feedback(llmvitals.handle(stream), "copy")
    (span,) = spans()
    assert [event.span_id for event in events()] == [span.context.span_id] * 2


def test_what_frameworks_make_of_a_response_will_do(call, events):
    """LangChain keeps the id in the metadata of its own message, which has an id of its own."""
    response, span = call
    message = types.SimpleNamespace(id="run--1", response_metadata={"id": response.id})
    llmvitals.feedback(message, "thumb_up")
    assert events()[0].span_id == span.context.span_id


def test_of_a_response_that_is_not_remembered_it_has_the_id_alone(events):
    """And it stands on no span, least of all on that of the request which brings it."""
    with trace.get_tracer("app").start_as_current_span("POST /thumbs"):
        llmvitals.feedback("chatcmpl-of-last-week", "thumb_down")
    (event,) = events()
    assert event.trace_id == 0
    assert event.attributes[semconv.RESPONSE_ID] == "chatcmpl-of-last-week"
    assert semconv.REQUEST_MODEL not in event.attributes


def test_only_the_latest_calls_are_remembered(monkeypatch):
    monkeypatch.setattr(_recent, "KEPT", 2)
    monkeypatch.setattr(_recent, "_calls", type(_recent._calls)())
    for response_id in ("first", "second", "third"):
        _recent.remember(response_id, None, {})
    assert list(_recent._calls) == ["second", "third"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("id", "thumbs_up"), "feedback kind 'thumbs_up' is unknown; did you mean 'thumb_up'?"),
        (("id", "rating", 5), r"feedback value 5 is no number from 0 \(bad\) to 1 \(good\)"),
        (("id", "rating", "good"), r"feedback value 'good' is no number from 0 \(bad\) to 1 \(good\)"),
        (("id", "rating", float("nan")), r"feedback value nan is no number from 0 \(bad\) to 1 \(good\)"),
        (("id", None), "feedback kind None is unknown. Known: thumb_up, "),
        ((object(), "copy"), "feedback: a object has no response id; give the response, its stream, "),
    ],
)
def test_bad_arguments_are_said_and_do_not_reach_the_app(arguments, says, events, monkeypatch, caplog):
    response, kind, *value = arguments
    with pytest.raises((ValueError, TypeError), match=says):
        llmvitals.feedback(response, kind, value=value[0] if value else None)
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    assert llmvitals.feedback(response, kind, value=value[0] if value else None) is False
    assert re.search(says, caplog.text)
    assert not events()
