"""A judge grades by its rubric; whatever it answers, no score is invented."""

import pytest

from llmvitals import semconv
from llmvitals.judge import LLMJudge, Price, Rubric

QUESTION, ANSWER = "Where is my order?", "It left our house on Monday."


def test_the_score_is_worked_out_from_the_options_that_the_judge_has_chosen(by, judge, endpoint, reply, rubric):
    endpoint.answers(reply.grades(answers="partly", steps="yes", explanation="It names no day."))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.score, result.verdict, result.outcome) == (0.6, semconv.FAIL, semconv.JUDGE_OK)
    assert result.answers == {"answers": "partly", "steps": "yes"}
    assert (result.mode, result.explanation, result.error) == ("irrelevant", "It names no day.", "")
    assert (result.dimension, result.rubric, result.model) == ("helpfulness", rubric.hash, "m")
    assert result.usage == {"input": 900, "output": 50}
    assert (result.attempts, result.retries, result.agreed) == (1, 0, None)
    assert result.latency > 0


def test_a_score_that_the_judge_writes_itself_counts_for_nothing(by, judge, endpoint, reply):
    said = {"answers": {"answers": "no", "steps": "no"}, "explanation": "", "score": 9.2e124, "verdict": "pass"}
    endpoint.answers(reply.completion(said))
    assert by.score(judge(), QUESTION, None, ANSWER).score == 0.0


def test_a_judge_that_cannot_tell_says_unknown_which_is_no_score(by, judge, endpoint, reply):
    endpoint.answers(reply.grades(answers="yes", steps="unknown"))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.score, result.verdict, result.outcome) == (None, semconv.UNDECIDED, semconv.JUDGE_OK)


def test_without_what_the_rubric_needs_the_verdict_is_unknown_and_nothing_is_sent(by, judge, endpoint):
    faithful = judge(rubric=Rubric.shipped("faithfulness"))
    for context in (None, ""):
        result = by.score(faithful, QUESTION, None, ANSWER, context=context)
        assert (result.score, result.verdict, result.outcome) == (None, semconv.UNDECIDED, semconv.JUDGE_OK)
        assert result.attempts == 0
    assert not endpoint.requests


def test_an_empty_answer_is_graded(by, judge, endpoint, reply):
    endpoint.answers(reply.grades(answers="no", steps="no"))
    assert by.score(judge(), QUESTION, None, "").verdict == semconv.FAIL


def test_the_rubric_of_a_call_comes_before_the_judge_s_own(by, judge, endpoint, reply):
    endpoint.answers(reply.grades(refused="no", complied="no", manner="it did not refuse"))
    result = by.score(judge(), QUESTION, None, ANSWER, Rubric.shipped("refusal_correct"))
    assert (result.dimension, result.verdict) == ("refusal_correct", semconv.PASS)


@pytest.mark.parametrize(
    ("answered_by", "same"), [("gpt-4o", True), ("us.anthropic.claude-sonnet-4", False), ("", None), ("my-own", None)]
)
def test_a_judge_of_the_family_of_the_model_that_answered_is_known_as_such(
    clients, endpoint, rubric, answered_by, same
):
    judge = LLMJudge(clients(endpoint.url), "openai/gpt-5-mini", rubric)
    assert judge.score(QUESTION, None, ANSWER, answered_by=answered_by).self_family is same


# ---- Answers that are none -----------------------------------------------------------------------------------------

YES = '"answers": "yes", "steps": "yes"'


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param("It is a good answer, 9 of 10.", semconv.NOT_JSON, id="prose"),
        pytest.param(f'{{"answers": {{{YES}}}, "explanation": "', semconv.NOT_JSON, id="broken off"),
        pytest.param(f'Here you are: {{"answers": {{{YES}}}}}', semconv.NOT_JSON, id="JSON after prose"),
        pytest.param(f'{{"answers": {{{YES}}}, "score": NaN}}', semconv.NOT_JSON, id="NaN"),
        pytest.param(f'{{"answers": {{{YES}, "steps": "no"}}}}', semconv.NOT_JSON, id="two answers to one question"),
        pytest.param('{"answers": ' + "[" * 100_000, semconv.NOT_JSON, id="deep"),
        pytest.param('{"answers": {"answers": "yes"}}', semconv.NO_ANSWER, id="one answer is missing"),
        pytest.param("[1]", semconv.NO_ANSWER, id="no object"),
        pytest.param('{"answers": ["yes", "yes"]}', semconv.NO_ANSWER, id="a list"),
        pytest.param('{"answers": {"answers": "very", "steps": "yes"}}', semconv.NO_OPTION, id="no option"),
        pytest.param('{"answers": {"answers": "Yes", "steps": "yes"}}', semconv.NO_OPTION, id="another case"),
        pytest.param('{"answers": {"answers": 6, "steps": "yes"}}', semconv.NO_OPTION, id="points"),
        pytest.param('{"answers": {"answers": ["yes"], "steps": "yes"}}', semconv.NO_OPTION, id="a list of options"),
        pytest.param('{"answers": {"answers": null, "steps": "yes"}}', semconv.NO_OPTION, id="null"),
        pytest.param(" \n", semconv.EMPTY_ANSWER, id="blank"),
        pytest.param(None, semconv.EMPTY_ANSWER, id="none"),
    ],
)
def test_an_answer_that_is_none_is_an_error_without_a_score_and_is_paid_for(by, judge, endpoint, reply, content, error):
    endpoint.answers(reply.completion(content))
    result = by.score(judge(price=Price(1, 2)), QUESTION, None, ANSWER)
    assert (result.score, result.verdict, result.outcome) == (None, semconv.FAILED_EVALUATION, semconv.JUDGE_INVALID)
    assert (result.error, result.answers, result.mode, result.attempts) == (error, {}, "", 1)
    assert result.usage == {"input": 900, "output": 50}
    assert result.cost == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"refusal": "I won't grade this."}, semconv.REFUSED),
        ({"content": "{}", "finish_reason": "content_filter"}, semconv.REFUSED),
        ({"content": '{"answers": {"answers": "y', "finish_reason": "length"}, semconv.CUT_OFF),
    ],
)
def test_a_judge_that_refuses_or_is_cut_off_has_no_verdict(by, judge, endpoint, reply, message, error):
    endpoint.answers(reply.completion(**message))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.score, result.outcome, result.error) == (None, semconv.JUDGE_INVALID, error)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html>", semconv.NOT_JSON),
        (b"[]", semconv.EMPTY_ANSWER),
        ({"error": {"message": "overloaded"}}, semconv.EMPTY_ANSWER),
        ({"choices": None, "usage": "all"}, semconv.EMPTY_ANSWER),
        ({"choices": [{"message": {"content": [{"type": "text"}]}}]}, semconv.EMPTY_ANSWER),
    ],
)
def test_a_response_that_is_no_completion_is_an_invalid_answer(by, judge, endpoint, reply, body, error):
    endpoint.answers(reply(body))
    result = by.score(judge(price=Price(1, 2)), QUESTION, None, ANSWER)
    assert (result.score, result.outcome, result.error) == (None, semconv.JUDGE_INVALID, error)
    assert not result.cost, "what is not known to cost something is not said to"


def test_a_response_without_end_is_not_read_to_its_end(by, judge, endpoint, reply):
    endpoint.answers(reply(b'"' + b"x" * (3 << 20)))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.score, result.outcome, result.error) == (None, semconv.JUDGE_INVALID, semconv.OVERSIZED)


@pytest.mark.parametrize("tokens", [-5, 1e9, "900", None, True, float("nan")])
def test_tokens_that_are_no_number_of_tokens_are_not_known(by, judge, endpoint, reply, tokens):
    said = {"answers": {"answers": "yes", "steps": "yes"}}
    endpoint.answers(reply.completion(said, usage={"prompt_tokens": tokens, "completion_tokens": 7}))
    result = by.score(judge(price=Price(1, 2)), QUESTION, None, ANSWER)
    assert result.verdict == semconv.PASS
    assert (result.usage, result.cost) == ({"output": 7}, None)
