"""What holds for every evaluator, and for the attribute that carries their verdicts."""

import importlib.util
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange, Instructions, Verdict, missing, read, run, written

EVERYTHING = Instructions(
    max_words=3,
    min_words=1,
    max_characters=9,
    max_sentences=1,
    bullets=(1, 2),
    required=("kind regards",),
    forbidden=("as an AI",),
    ending=".",
    language="en",
    json_schema={"type": "object"},
)
# Pieces of which the patterns are made, so that Hypothesis comes near to all of them.
PIECES = st.sampled_from(
    (
        *("I'm sorry, but I can't ", "as an ai ", "it is not ", "here are 1. ", "lo siento no puedo ", "抱歉我无法"),
        *("jane@gmail.com", "+49 30 1234567", "sk-abc123def456ghi789", "{", "[", "(", "```json\n", "\n```", "- ", ". "),
        *("How do I reset my password? ", "Wie geht es Ihnen heute? ", "\u200b", "\ud800", "\x00", "e.g. ", "!"),
    )
)
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=12).map("".join)
EXCHANGES = st.builds(
    Exchange,
    answer=TEXTS,
    finish_reason=st.sampled_from(["", "stop", "length", "error", "tool_call"]),
    query=TEXTS,
    earlier=st.lists(TEXTS, max_size=2).map(tuple),
    system=TEXTS,
    context=TEXTS,
    tool_calls=st.booleans(),
    json=st.booleans(),
    partial=st.booleans(),
    asked_before=st.none() | st.booleans(),
    instructions=st.sampled_from([Instructions(), EVERYTHING]),
)


@given(EXCHANGES)
@settings(max_examples=300, deadline=None)
def test_every_evaluator_has_a_verdict_or_none_on_any_exchange(exchange):
    for evaluator in EVALUATORS.values():
        verdict = evaluator.evaluate(exchange)
        assert verdict is None or verdict.verdict in semconv.RESULT_VERDICTS
        assert verdict is None or verdict.score is None or 0 <= verdict.score <= 1


@given(EXCHANGES, st.sampled_from("αβγδ"))
@settings(max_examples=100, deadline=None)
def test_a_verdict_s_detail_holds_nothing_of_the_text(exchange, sign):
    """Its words are those of this package, whatever the answer says."""
    exchange = exchange._replace(answer=f"{exchange.answer} {sign * 30}@gmail.com, (the password is {sign}")
    for verdict in run(exchange).values():
        assert verdict.detail.isascii()
        assert len(verdict.detail) < 100


@given(EXCHANGES)
@settings(max_examples=50, deadline=None)
def test_to_look_twice_is_to_see_the_same(exchange):
    assert run(exchange) == run(exchange)


@given(TEXTS)
@settings(deadline=None)
def test_the_beginning_of_an_answer_fails_only_where_the_whole_would(text):
    """`fail` on the beginning is a fail whatever comes after; here, nothing comes."""
    partial = run(Exchange(text, partial=True, instructions=EVERYTHING))
    whole = run(Exchange(text, instructions=EVERYTHING))
    for name, verdict in partial.items():
        if verdict.verdict == semconv.FAIL:
            assert whole[name].verdict == semconv.FAIL, name


@pytest.mark.parametrize("name", EVALUATORS)
@pytest.mark.parametrize(
    "repeated",
    [
        *("a", "a ", "i ", "i can't ", "it is not ", "sorry ", "je suis désolé ", "抱歉", "- ", ". ", "!", "e.g. "),
        *("`", "```\n", "<a", "{", "[", "(", "\n", " ", "1", "4111 ", "a@", "http://", "\u200b"),
    ],
)
def test_the_time_grows_with_the_length_of_the_text_and_no_faster(name, repeated):
    """Sixteen times the text may take sixteen times as long; a pattern that backtracks would take 256 times."""

    def seconds(length):
        text = (repeated * length)[:length]
        exchange = Exchange(text + "x", query=text, earlier=(text,), context=text, json=True, instructions=EVERYTHING)
        began = time.process_time()
        EVALUATORS[name].evaluate(exchange)
        return time.process_time() - began

    short = min(seconds(4_096) for _ in range(3))
    assert seconds(65_536) < 80 * short + 0.1


def test_what_they_say_has_its_place_among_dimensions_modes_and_kinds():
    for name, evaluator in EVALUATORS.items():
        assert evaluator.name == name
        assert evaluator.dimension in ("", *semconv.DIMENSIONS)
        assert evaluator.mode in ("", *semconv.FAILURE_MODES)
        assert evaluator.kind in ("", *semconv.FEEDBACK_SCORES)
        assert evaluator.mode or evaluator.kind, "to fail means something"


def test_those_that_are_asked_are_run_and_those_that_apply_are_told():
    assert run(Exchange("Hello.", finish_reason="stop"), ("truncation", "format_valid", "empty")) == {
        "truncation": Verdict(semconv.PASS),
        "empty": Verdict(semconv.PASS),
    }


def test_an_evaluator_that_fails_is_an_error_and_stops_no_other(monkeypatch):
    def broken(exchange):
        raise ZeroDivisionError(exchange.answer)

    monkeypatch.setitem(EVALUATORS, "refusal", replace(EVALUATORS["refusal"], evaluate=broken))
    verdicts = run(Exchange("secret"), ("refusal", "empty"))
    assert verdicts["refusal"] == Verdict(semconv.FAILED_EVALUATION, None, "ZeroDivisionError")
    assert verdicts["empty"].verdict == semconv.PASS


NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1) | st.sampled_from(sorted(EVALUATORS))


@given(st.dictionaries(NAMES, st.sampled_from(semconv.RESULT_VERDICTS)))
def test_verdicts_are_read_as_they_were_written_also_of_evaluators_that_are_unknown_here(verdicts):
    assert read(written({name: Verdict(verdict, 0.5, "detail") for name, verdict in verdicts.items()})) == verdicts


def test_they_are_written_as_the_conventions_of_ours_say():
    assert (
        written({"format_valid": Verdict(semconv.PASS), "refusal": Verdict(semconv.FAIL)})
        == "format_valid=pass refusal=fail"
    )


@given(st.text())
def test_whatever_else_stands_there_is_left_out(text):
    assert set(read(text).values()) <= set(semconv.RESULT_VERDICTS)
    assert read(f"a=maybe b =pass =pass c {text}\n d=fail")["d"] == "fail"


def test_what_a_missing_library_keeps_from_work_is_told_with_its_package(monkeypatch):
    assert missing(EVALUATORS) == {}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert missing(("refusal", "format_valid")) == {"format_valid": "jsonschema-rs"}
    assert missing(EVALUATORS) == {"format_valid": "jsonschema-rs", "language_match": "py3langid"}
