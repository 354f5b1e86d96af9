"""Judging an answer again, and two answers in both orders, shows how far a judge is to be trusted."""

import pytest

from llmvitals import semconv

QUESTION, ANSWER = "Where is my order?", "It left our house on Monday."


@pytest.mark.parametrize(
    ("steps", "verdict", "score", "agreed"),
    [
        (["yes", "yes", "yes"], semconv.PASS, 1.0, True),
        (["yes", "no", "yes"], semconv.PASS, 1.0, False),
        (["no", "no", "yes"], semconv.FAIL, 0.6, False),
        (["yes", "no", "unknown"], semconv.UNDECIDED, None, False),
        (["yes", "?", "yes"], semconv.PASS, 1.0, True),
        (["?", "?", "no"], semconv.FAIL, 0.6, None),
        (["?", "?", "?"], semconv.FAILED_EVALUATION, None, None),
    ],
)
def test_repeats_have_the_verdict_of_the_majority_of_those_that_have_one(
    by, judge, endpoint, reply, steps, verdict, score, agreed
):
    endpoint.answers(*(reply.grades(answers="yes", steps=each) for each in steps))
    result = by.score(judge(repeats=3), QUESTION, None, ANSWER)
    assert (result.verdict, result.score, result.agreed) == (verdict, score, agreed)
    assert (result.attempts, result.usage) == (3, {"input": 2700, "output": 150})


def test_each_repeat_has_the_options_in_another_order(judge, endpoint):
    judge(repeats=3).score(QUESTION, None, ANSWER)
    orders = [_options(request)["answers"] for request in endpoint.requests]
    assert {options[0] for options in orders} == {"no", "partly", "yes"}
    assert {options[-1] for options in orders} == {"unknown"}


def test_each_option_stands_first_as_often_as_any_other_over_many_traces_and_always_so_in_one(judge, endpoint):
    grading = judge()
    for trace in range(60):
        grading.score(QUESTION, None, ANSWER, seed=f"{trace:032x}")
    orders = [_options(request)["answers"] for request in endpoint.requests]
    first = [options[0] for options in orders]
    assert min(first.count(option) for option in ("no", "partly", "yes")) >= 10
    grading.score(QUESTION, None, ANSWER, seed=f"{7:032x}")
    assert _options(endpoint.requests[-1])["answers"] == orders[7]


def test_without_a_trace_each_answer_has_an_order_of_its_own(judge, endpoint):
    for answer in range(20):
        judge().score(QUESTION, None, f"{answer}")
    first = {_options(request)["answers"][0] for request in endpoint.requests}
    assert first == {"no", "partly", "yes"}


def _options(request):
    answers = request["response_format"]["json_schema"]["schema"]["properties"]["answers"]["properties"]
    return {name: question["enum"] for name, question in answers.items()}


@pytest.mark.parametrize(("a", "b", "preferred"), [("good", "bad", "a"), ("bad", "good", "b"), ("good", "good", "tie")])
def test_the_better_of_two_answers_is_preferred_whichever_stands_first(
    by, judge, endpoint, reply, fenced, a, b, preferred
):
    def rightly(request):
        first, second = fenced(request)["the first answer"], fenced(request)["the second answer"]
        better = "same" if first == second else "first" if first == "good" else "second"
        return reply.grades(answers=better, steps="same")

    endpoint.answers(rightly)
    comparison = by.compare(judge(), QUESTION, a, b)
    assert (comparison.preferred, comparison.consistent) == (preferred, True)
    assert len(endpoint.requests) == 2


def test_a_judge_that_prefers_whatever_stands_first_has_a_tie_and_is_told_of(by, judge, endpoint, reply):
    endpoint.answers(reply.grades(answers="first", steps="first"))
    comparison = by.compare(judge(), QUESTION, "good", "bad")
    assert (comparison.preferred, comparison.consistent) == ("tie", False)


def test_a_comparison_with_one_order_missing_prefers_none(by, judge, endpoint, reply):
    endpoint.answers(reply.grades(answers="first", steps="first"), reply.completion("the first one"))
    comparison = by.compare(judge(), QUESTION, "good", "bad")
    assert (comparison.preferred, comparison.consistent) == ("", None)
    assert comparison.orders[1].error == semconv.NOT_JSON
