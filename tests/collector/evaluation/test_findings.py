"""Verdicts as findings, and findings as events: exactly one primary failure, and no repetition that counts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS
from llmvitals.evaluators.evaluator import Verdict
from llmvitals.judge import JudgementResult, Rubric
from llmvitals_collector.decode import decode_logs
from llmvitals_collector.evaluation import events, findings
from llmvitals_collector.evaluation.answered import Answered
from llmvitals_collector.evaluation.events import Finding, Found
from llmvitals_collector.evaluation.sampling import Draw

RUBRIC = Rubric.shipped("helpfulness")
UNIFORM = Draw(semconv.UNIFORM, 0.1)


@pytest.fixture
def answer():
    texts = ("shop", "openai", "chat", "gpt-5", "greeting", "v2", "1.4", "", "", "", "", "", "1-3s")
    return Answered(*texts, 0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174, 1000.0, 1.0, False)


def judgement(verdict, mode="", rubric="abc"):
    score = {semconv.PASS: 1.0, semconv.FAIL: 0.2}.get(verdict)
    error = "timeout" if verdict == semconv.FAILED_EVALUATION else ""
    return JudgementResult(
        score,
        verdict,
        {},
        "Since it is so.",
        "helpfulness",
        rubric,
        "judge-1",
        "{}",
        {},
        None,
        0.1,
        1,
        "ok",
        error,
        mode=mode,
    )


verdicts = st.dictionaries(st.sampled_from(list(EVALUATORS)), st.sampled_from(semconv.RESULT_VERDICTS).map(Verdict))


@given(verdicts, st.booleans())
def test_of_several_failures_one_is_primary_unless_the_call_tells_of_one_itself(found, failed):
    told = findings.of_checks(found, failed)
    primaries = [finding.mode for finding in told if finding.primary]
    modes = [finding.mode for finding in told if finding.mode]
    assert len(modes) == len(set(modes))
    if failed or not modes:
        assert primaries == []
    else:
        assert primaries == [min(modes, key=semconv.FAILURE_MODES.index)]


@given(verdicts)
def test_a_verdict_counts_in_its_dimension_and_an_event_only_where_it_has_happened(found):
    told = {finding.evaluator: finding for finding in findings.of_checks(found, failed=False)}
    for name, verdict in found.items():
        evaluator = EVALUATORS[name]
        if evaluator.dimension:
            assert (told[name].name, told[name].label) == (evaluator.dimension, verdict.verdict)
        else:
            assert (name in told) == (verdict.verdict == semconv.FAIL)
            assert name not in told or told[name].label == evaluator.kind


def test_an_answer_is_odd_by_a_fault_of_its_own_and_not_by_what_the_user_thought_of_the_last():
    assert findings.is_odd({"refusal": "fail"})
    assert findings.is_odd({"of_the_app_s_own": "fail"})
    assert not findings.is_odd({"rephrase": "fail", "refusal": "pass", "privacy": "error"})


def test_a_judge_s_failure_is_not_told_in_a_mode_that_is_known():
    judged = [(RUBRIC, judgement("fail", "irrelevant", "a")), (RUBRIC, judgement("fail", "irrelevant", "b"))]
    told = findings.of_judgements(judged, UNIFORM, failed=False, known=frozenset(), explanations=False)
    assert [(each.mode, each.primary) for each in told] == [("irrelevant", True), ("", False)]
    told = findings.of_judgements(judged, UNIFORM, failed=False, known=frozenset({"irrelevant"}), explanations=False)
    assert [(each.mode, each.primary) for each in told] == [("", False)] * 2
    told = findings.of_judgements(judged, UNIFORM, failed=True, known=frozenset(), explanations=False)
    assert [(each.mode, each.primary) for each in told] == [("irrelevant", False), ("", False)]


def test_the_judge_s_words_go_out_only_where_they_may():
    for may, words in ((False, ""), (True, "Since it is so.")):
        [told] = findings.of_judgements(
            [(RUBRIC, judgement("pass"))], UNIFORM, failed=False, known=frozenset(), explanations=may
        )
        assert told.explanation == words


def test_an_event_says_all_that_a_result_needs_so_that_nobody_joins(answer):
    told = findings.of_judgements(
        [(RUBRIC, judgement("fail", "irrelevant"))], UNIFORM, failed=False, known=frozenset(), explanations=False
    )
    results = decode_logs(events.request([Found(answer, "de", told)], now=1007.0)).records
    texts = {name: results.strings[results[name][0]] for name in ("service", "template", "template_version", "release")}
    assert texts == {"service": "shop", "template": "greeting", "template_version": "v2", "release": "1.4"}
    texts = {
        name: results.strings[results[name][0]] for name in ("dimension", "source", "evaluator", "rubric", "language")
    }
    assert texts == {
        "dimension": "helpfulness",
        "source": "judge",
        "evaluator": "judge-1",
        "rubric": "abc",
        "language": "de",
    }
    numbers = {name: results[name][0] for name in ("score", "sample_weight", "lag")}
    assert numbers == pytest.approx({"score": 0.2, "sample_weight": 10.0, "lag": 7.0})
    assert semconv.RESULT_VERDICTS[results["verdict"][0]] == "fail"
    assert semconv.FAILURE_MODES[results["mode"][0]] == "irrelevant"
    assert semconv.LATENCY_BANDS[results["latency_band"][0]] == "1-3s"
    assert semconv.STRATA[results["stratum"][0]] == "uniform"


def test_a_judge_that_failed_says_error_and_no_score(answer):
    told = findings.of_judgements(
        [(RUBRIC, judgement("error"))], UNIFORM, failed=False, known=frozenset(), explanations=True
    )
    results = decode_logs(events.request([Found(answer, "", told)], now=1007.0)).records
    assert semconv.RESULT_VERDICTS[results["verdict"][0]] == "error"
    assert math.isnan(results["score"][0])


def test_what_is_found_again_has_the_same_id_and_what_another_finds_has_its_own(answer):
    one, other, rubric = (
        Finding("tone", "judge", evaluator, rubric=rubric)
        for evaluator, rubric in (("judge-1", "a"), ("judge-2", "a"), ("judge-1", "b"))
    )
    found = [Found(answer, "", [one, other, rubric])]
    first, again = (decode_logs(events.request(found, now)).records["record_id"].tolist() for now in (1.0, 2.0))
    assert first == again
    assert len(set(first)) == 3


@given(st.text())
def test_any_label_can_be_sent_also_half_a_character(text):
    labels = (text, *["\ud800"] * 6)
    answered = Answered(*labels, *[""] * 6, 1, 1, math.nan, 1.0, False)
    body = events.request([Found(answered, "", [Finding("tone", "judge", "judge-1", label="pass")])], now=1.0)
    assert len(decode_logs(body).records) == 1
