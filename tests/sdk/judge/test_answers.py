"""Whatever an endpoint sends, it is read to a grade or to a reason for which there is none."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals.judge import answers, completion
from llmvitals.judge.failures import NoJudgement

WORDS = st.sampled_from(["choices", "message", "content", "usage", "answers", "steps", "yes", "no", "tool_calls"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | WORDS, inner),
    max_leaves=12,
)


def outcome(read, *arguments):
    """What is read, and the reason for which nothing is."""
    try:
        return read(*arguments), None
    except NoJudgement as none:
        return None, none.error


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"choices": {"0": 1}}')
@example(b"[" * 100_000)
@example(b"1" * 5000)  # more digits than Python reads
def test_any_body_is_a_completion_that_says_something_or_has_a_reason(body):
    said, reason = outcome(lambda: completion.read(body).said())
    assert reason in semconv.JUDGE_INVALID_REASONS if said is None else said.strip()


@given(st.text() | JSON.map(json.dumps))
@example('{"answers": {"answers": "yes", "steps": {}}}')
def test_any_text_is_a_full_set_of_options_or_has_a_reason(rubric, said):
    told, reason = outcome(answers.read, said, rubric)
    if told is None:
        assert reason in semconv.JUDGE_INVALID_REASONS
    else:
        assert all(told[0][question.id] in question.choices for question in rubric.questions)
        assert isinstance(told[1], str)


@given(st.sampled_from(["no", "partly", "yes", "unknown"]), st.sampled_from(["no", "yes", "unknown"]), JSON)
def test_options_are_read_as_they_were_chosen_whatever_else_is_said(rubric, one, other, explanation):
    said = json.dumps({"answers": {"steps": other, "answers": one, "more": "x"}, "explanation": explanation})
    told, reason = outcome(answers.read, said, rubric)
    if told is None:
        assert reason == semconv.NOT_JSON
        assert "NaN" in said or "Infinity" in said
    else:
        assert told[0] == {"answers": one, "steps": other}


@pytest.mark.parametrize("explanation", ["x" * 100_000, None, 7])
def test_an_explanation_is_cut_and_is_not_needed(rubric, explanation):
    said = {"answers": {"answers": "yes", "steps": "yes"}, "explanation": explanation}
    assert len(answers.read(json.dumps(said), rubric)[1]) <= 1000
