"""Whether an answer that is to be JSON is JSON, and conforms to its schema."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange, Instructions, Verdict

SCHEMA = {"type": "object", "required": ["total"], "properties": {"total": {"type": "integer"}}}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def verdict(answer, schema=None, **exchange):
    return EVALUATORS["format_valid"].evaluate(
        Exchange(answer, instructions=Instructions(json_schema=schema), **{"json": schema is None, **exchange})
    )


@given(VALUES, st.sampled_from(["{}", " {}\n", "```json\n{}\n```", "```\n{}\n```\n"]))
def test_whatever_json_writes_is_valid_also_within_a_fence(value, form):
    assert verdict(form.replace("{}", json.dumps(value))) == Verdict(semconv.PASS, 1.0)


@pytest.mark.parametrize(
    "answer",
    [
        *("", "Here you are: {}", "{'a': 1}", '{"a": 1,}', '{"a": 1', "{} {}", "NaN", '{"a": Infinity}'),
        *("```json\n{}", "```json\n{}\n``` and more", "```json\n{}\n```\n```json\n{}\n```"),
    ],
)
def test_what_a_parser_refuses_fails(answer):
    assert verdict(answer) == Verdict(semconv.FAIL, 0.0, "syntax")


def test_it_applies_only_where_json_was_asked_for():
    assert verdict("prose", json=False) is None


def test_an_answer_that_calls_a_tool_instead_need_not_be_json():
    assert verdict("", tool_calls=True) is None


def test_an_answer_conforms_to_the_declared_schema_or_fails():
    assert verdict('{"total": 3}', SCHEMA).verdict == semconv.PASS
    assert verdict('{"total": "3"}', SCHEMA) == Verdict(semconv.FAIL, 0.0, "schema")
    assert verdict("three", SCHEMA).detail == "syntax"


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"$ref": "https://schemas.invalid/a.json"}])
def test_a_schema_that_is_none_is_an_error_and_no_failure_of_the_answer(schema):
    assert verdict("{}", schema) == Verdict(semconv.FAILED_EVALUATION, None, "schema_unusable")


def test_without_the_library_a_schema_stays_unchecked_and_the_syntax_is_checked(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    assert verdict("{}", {"type": "array"}) == Verdict(semconv.UNDECIDED, None, "schema_unchecked")
    assert verdict("{", {"type": "array"}).detail == "syntax"


@pytest.mark.parametrize("answer", ["[" * 100_000 + "]" * 100_000, "1" * 5_000])
def test_what_is_too_large_for_the_parser_is_undecided(answer):
    assert verdict(answer) == Verdict(semconv.UNDECIDED, None, "too_large")


def test_half_an_answer_decides_nothing():
    assert verdict('{"a": ', partial=True) == Verdict(semconv.UNDECIDED)
