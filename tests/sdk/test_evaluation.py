"""An evaluation of the app's own is an event on the span of the call that it is about."""

import json
import re
from decimal import Decimal

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import SpanContext, TraceFlags

import llmvitals
from llmvitals import _guard, _recent, semconv

IDENTITY = {semconv.OPERATION_NAME: "chat", semconv.PROVIDER_NAME: "openai", semconv.REQUEST_MODEL: "gpt-x"}
SPAN = SpanContext(7, 9, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


@pytest.fixture(autouse=True)
def call(monkeypatch):
    """A call whose response is `chatcmpl-1`."""
    monkeypatch.setattr(_recent, "_calls", type(_recent._calls)())
    monkeypatch.setenv(semconv.HANDLE_KEY, "key-of-the-tests-that-is-long-enough")
    _recent.remember("chatcmpl-1", SPAN, IDENTITY)


def test_it_says_what_who_and_how_well(events):
    assert llmvitals.evaluation(
        "chatcmpl-1",
        "faithfulness",
        score=0.25,
        label="fail",
        explanation="Two of its claims are not in the sources.",
        source="judge",
        evaluator="claims",
        version=2,
        rubric="0a1b",
    )
    (event,) = events()
    assert event.event_name == "gen_ai.evaluation.result"
    assert event.severity_number == SeverityNumber.INFO
    assert (event.trace_id, event.span_id) == (7, 9)
    assert dict(event.attributes) == {
        **IDENTITY,
        semconv.RESPONSE_ID: "chatcmpl-1",
        semconv.EVALUATION_NAME: "faithfulness",
        semconv.EVALUATION_SCORE_VALUE: 0.25,
        semconv.EVALUATION_SCORE_LABEL: "fail",
        semconv.EVALUATION_EXPLANATION: "Two of its claims are not in the sources.",
        semconv.EVALUATION_SOURCE: "judge",
        semconv.EVALUATOR_NAME: "claims",
        semconv.EVALUATOR_VERSION: "2",
        semconv.EVALUATION_RUBRIC: "0a1b",
    }


def test_a_score_alone_is_enough_and_comes_from_a_heuristic_unless_said_otherwise(events):
    llmvitals.evaluation("chatcmpl-1", "format_valid", score=True)
    (event,) = events()
    assert dict(event.attributes) == {
        **IDENTITY,
        semconv.RESPONSE_ID: "chatcmpl-1",
        semconv.EVALUATION_NAME: "format_valid",
        semconv.EVALUATION_SCORE_VALUE: 1.0,
        semconv.EVALUATION_SOURCE: "heuristic",
    }


def test_it_is_given_by_a_handle_too(events):
    llmvitals.evaluation(llmvitals.handle("chatcmpl-1"), "relevance", label="relevant")
    (event,) = events()
    assert (event.trace_id, event.span_id) == (7, 9)
    assert event.attributes.items() >= IDENTITY.items()


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (TimeoutError("of the judge"), "TimeoutError"),
        (json.JSONDecodeError("the judge's answer", "", 0), "json.decoder.JSONDecodeError"),
        ("no_sources", "no_sources"),
    ],
)
def test_a_failed_evaluation_is_a_warning_with_the_error_and_no_result(error, error_type, events):
    llmvitals.evaluation("chatcmpl-1", "faithfulness", error=error)
    (event,) = events()
    assert event.severity_number == SeverityNumber.WARN
    assert event.attributes[semconv.ERROR_TYPE] == error_type
    assert semconv.EVALUATION_SCORE_VALUE not in event.attributes
    assert semconv.EVALUATION_SCORE_LABEL not in event.attributes


RANGE = r"is no number from 0 \(bad\) to 1 \(good\)"
NEEDS = r"evaluation 'relevance' needs a result \(score or label\) or the error"
REFUSED = {
    "a sentence for a name": ({"name": "is it good?"}, "evaluation name 'is it good[?]' is no name: up to 64 letters"),
    "a long name": ({"name": "x" * 65}, "evaluation name 'x*' is no name"),
    "no name": ({"name": None}, "evaluation name None is no name"),
    "a name that is taken": ({"name": "user_feedback"}, "'user_feedback' is taken: record it with `feedback"),
    "a percentage": ({"score": 85}, f"evaluation 'relevance': score 85 {RANGE}"),
    "a negative score": ({"score": -0.1}, f"evaluation 'relevance': score -0.1 {RANGE}"),
    "no number": ({"score": float("nan")}, f"evaluation 'relevance': score nan {RANGE}"),
    "a text for a score": ({"score": "0.5"}, f"evaluation 'relevance': score '0.5' {RANGE}"),
    "a decimal": ({"score": Decimal("0.5")}, f"evaluation 'relevance': score .* {RANGE}"),
    "a long label": ({"label": "x" * 65}, "evaluation 'relevance': label 'x*' is no verdict: 1 to 64 characters"),
    "an empty label": ({"label": ""}, "evaluation 'relevance': label '' is no verdict"),
    "an unknown source": ({"source": "jugde"}, "evaluation source 'jugde' is unknown; did you mean 'judge'[?] Known: "),
    "a rubric for its hash": ({"rubric": {}}, "evaluation 'relevance': rubric is a dict; it is to be a text"),
    "nothing": ({"score": None}, NEEDS),
    "a result and an error": ({"error": "timeout"}, NEEDS),
    "no response": ({"response": 7}, "evaluation: a int has no response id"),
    "a mangled handle": ({"response": "lv1.x"}, "feedback handle: 'lv1.x'... of 5 characters is none"),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_bad_arguments_are_said_and_do_not_reach_the_app(changes, says, events, monkeypatch, caplog):
    arguments = {"response": "chatcmpl-1", "name": "relevance", "score": 0.5, **changes}
    with pytest.raises((ValueError, TypeError), match=says):
        llmvitals.evaluation(**arguments)
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    assert llmvitals.evaluation(**arguments) is False
    assert re.search(says, caplog.text)
    assert not events()
