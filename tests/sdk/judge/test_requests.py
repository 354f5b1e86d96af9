"""Requests fail, are tried again, and cost; what they may take is bounded."""

import asyncio
import socket
import threading
import time

import pytest

from llmvitals import semconv
from llmvitals.judge import Budget, Price
from llmvitals.judge.breaker import Breaker

QUESTION, ANSWER = "Where is my order?", "It left our house on Monday."


def test_what_passes_is_tried_again(by, judge, endpoint, reply):
    endpoint.answers(reply(status=500), reply(status=503), reply(status=429), reply.grades(answers="yes", steps="yes"))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.verdict, result.attempts, result.retries) == (semconv.PASS, 4, 3)


@pytest.mark.parametrize(
    ("status", "error"), [(500, semconv.SERVER), (429, semconv.RATE_LIMIT), (408, semconv.TIMEOUT)]
)
def test_what_does_not_pass_is_given_up_after_three_retries(by, judge, endpoint, reply, status, error):
    endpoint.answers(reply({"error": {"message": "not now"}}, status=status))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.score, result.verdict, result.error) == (None, semconv.FAILED_EVALUATION, error)
    assert (result.attempts, len(endpoint.requests), result.usage) == (4, 4, {})


@pytest.mark.parametrize(("status", "error"), [(401, semconv.AUTH), (403, semconv.AUTH), (404, semconv.BAD_REQUEST)])
def test_what_cannot_pass_is_not_tried_again(by, judge, endpoint, reply, status, error):
    endpoint.answers(reply({"error": {"message": "no model mm for sk-abc123def456ghi789"}}, status=status))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.outcome, result.error, result.attempts) == (semconv.JUDGE_FAILED, error, 1)
    assert "no model mm for [key]" in result.raw


def test_the_endpoint_is_left_alone_as_long_as_it_asks_for(by, judge, endpoint, reply):
    endpoint.answers(reply(status=429, headers={"Retry-After": "0.2"}), reply.grades(answers="yes", steps="yes"))
    assert by.score(judge(), QUESTION, None, ANSWER).verdict == semconv.PASS
    first, second = endpoint.times
    assert second - first >= 0.2


def test_an_endpoint_that_wants_to_be_left_alone_for_long_is_not_asked_again(by, judge, endpoint, reply):
    endpoint.answers(reply(status=429, headers={"Retry-After": "31"}))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.error, result.attempts) == (semconv.RATE_LIMIT, 1)


def test_an_endpoint_that_does_not_answer_is_waited_for_no_longer_than_told(by, judge, endpoint, reply):
    endpoint.answers(reply(late=True))
    began = time.monotonic()
    result = by.score(judge(request_timeout=0.4, timeout=2), QUESTION, None, ANSWER)
    assert time.monotonic() - began < 6
    assert (result.score, result.outcome, result.error) == (None, semconv.JUDGE_TIMEOUT, semconv.TIMEOUT)
    assert 1 < result.attempts <= 5, "within the time of the judgement"


@pytest.mark.parametrize("slow", ["halfway", "blanks"])
def test_an_endpoint_that_only_begins_to_answer_is_waited_for_no_longer(by, judge, endpoint, reply, slow):
    endpoint.answers(reply(**{slow: True}))
    began = time.monotonic()
    result = by.score(judge(request_timeout=0.15, retries=0), QUESTION, None, ANSWER)
    assert time.monotonic() - began < 2
    assert (result.outcome, result.error) == (semconv.JUDGE_TIMEOUT, semconv.TIMEOUT)


def test_where_nobody_listens_there_is_no_verdict(by, judge):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = judge(f"http://127.0.0.1:{free.getsockname()[1]}/v1")
        result = by.score(nobody, QUESTION, None, ANSWER)
    assert (result.outcome, result.error, result.attempts) == (semconv.JUDGE_FAILED, semconv.CONNECTION, 4)


def test_a_connection_that_breaks_within_the_response_is_tried_again(by, judge, endpoint, reply):
    endpoint.answers(reply(b"{", headers={"Content-Length": "100"}), reply.grades(answers="yes", steps="yes"))
    result = by.score(judge(), QUESTION, None, ANSWER)
    assert (result.verdict, result.retries) == (semconv.PASS, 1)


def test_a_task_that_is_cancelled_is_cancelled_and_the_judge_goes_on(judge, endpoint, reply):
    came = threading.Event()
    endpoint.answers(lambda request: came.set() or reply(late=True), reply.grades(answers="yes", steps="yes"))
    one_at_a_time = judge(concurrency=1)

    async def main():
        task = asyncio.create_task(one_at_a_time.ascore(QUESTION, None, ANSWER))
        assert await asyncio.to_thread(came.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await one_at_a_time.ascore(QUESTION, None, ANSWER)

    assert asyncio.run(main()).verdict == semconv.PASS


# ---- What it may take ----------------------------------------------------------------------------------------------


def test_no_more_judgements_run_at_a_time_than_told(by, judge, endpoint, reply):
    all_three = threading.Barrier(3, timeout=10)  # who is alone waits in vain, and its connection breaks

    def together(request):
        all_three.wait()
        return reply.grades(answers="yes", steps="yes")

    endpoint.answers(together)
    results = by.together(judge(concurrency=3), 9)
    assert [result.verdict for result in results] == [semconv.PASS] * 9
    assert endpoint.most == 3


def test_a_judgement_costs_what_its_tokens_cost(by, judge, endpoint, reply):
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 600}}
    endpoint.answers(reply.completion({"answers": {"answers": "yes", "steps": "yes"}}, usage=usage))
    dear = judge(price=Price(input=2.0, output=8.0, cache_read=0.5), budget=Budget(usd=1))
    result = by.score(dear, QUESTION, None, ANSWER)
    assert result.usage == {"input": 1000, "output": 100, "cache_read": 600}
    assert result.cost == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 8) / 1e6)
    assert dear.budget.spent_usd == result.cost


def test_without_a_price_no_cost_is_known(by, judge):
    assert by.score(judge(), QUESTION, None, ANSWER).cost is None


@pytest.mark.parametrize("budget", [{"tokens": 1900}, {"usd": 0.0019}])
def test_a_judge_whose_budget_is_gone_asks_nothing_until_the_next_day(by, judge, endpoint, budget):
    now = 1_000_000.0
    poor = judge(budget=Budget(**budget, clock=lambda: now), price=Price(1, 1))
    assert poor.ready()
    assert [by.score(poor, QUESTION, None, ANSWER).verdict for _ in range(2)] == [semconv.PASS] * 2
    assert (poor.ready(), poor.obstacle(), poor.budget.left) == (False, semconv.BUDGET_GONE, 0)
    result = by.score(poor, QUESTION, None, ANSWER)
    assert (result.score, result.verdict, result.outcome) == (None, semconv.FAILED_EVALUATION, semconv.JUDGE_FAILED)
    assert (result.error, result.attempts, len(endpoint.requests)) == (semconv.BUDGET_GONE, 0, 2)
    now += 86_400
    assert by.score(poor, QUESTION, None, ANSWER).verdict == semconv.PASS


def test_an_answer_that_does_not_tell_its_tokens_is_on_the_budget_and_has_no_cost(by, judge, endpoint, reply):
    endpoint.answers(reply.completion({"answers": {"answers": "yes", "steps": "yes"}}, usage=0))
    silent = judge(budget=Budget(tokens=100_000), price=Price(1, 1))
    result = by.score(silent, QUESTION, None, ANSWER)
    assert (result.verdict, result.cost, result.usage) == (semconv.PASS, None, {})
    sent = sum(len(message["content"]) for message in endpoint.requests[0]["messages"])
    assert silent.budget.spent_tokens == pytest.approx(sent / 4, rel=0.1)


def test_an_endpoint_that_fails_again_and_again_is_left_alone_and_then_tried_once(by, judge, endpoint, reply):
    now = 0.0
    endpoint.answers(reply(status=500))
    careful = judge(breaker=Breaker(failures=6, pause=30, clock=lambda: now))
    first, second, third = (by.score(careful, QUESTION, None, ANSWER) for _ in range(3))
    assert (first.attempts, second.attempts, second.error) == (4, 2, semconv.SERVER)
    assert (third.attempts, third.error) == (0, semconv.CIRCUIT_OPEN)
    assert (careful.ready(), careful.obstacle()) == (False, semconv.CIRCUIT_OPEN)
    now = 31
    assert careful.ready()
    assert by.score(careful, QUESTION, None, ANSWER).attempts == 1, "it still fails"
    now = 62
    endpoint.answers(reply.grades(answers="yes", steps="yes"))
    assert [by.score(careful, QUESTION, None, ANSWER).verdict for _ in range(2)] == [semconv.PASS] * 2


@pytest.mark.parametrize("body", [b"<html>", b"x" * (3 << 20)])
def test_an_endpoint_that_answers_nonsense_answers_and_is_not_left_alone(by, judge, endpoint, reply, body):
    endpoint.answers(reply(status=500), reply(body))
    careful = judge(breaker=Breaker(failures=2), retries=1)
    assert by.score(careful, QUESTION, None, ANSWER).outcome == semconv.JUDGE_INVALID
    endpoint.answers(reply(status=500))
    assert by.score(careful, QUESTION, None, ANSWER).attempts == 2


def test_requests_that_are_refused_for_what_they_say_do_not_keep_others_from_being_sent(by, judge, endpoint, reply):
    endpoint.answers(reply.grades(answers="yes", steps="yes"), reply({"error": {"message": "too long"}}, status=400))
    careful = judge(breaker=Breaker(failures=2))
    results = [by.score(careful, QUESTION, None, ANSWER) for _ in range(4)]
    assert [result.error for result in results] == ["", *[semconv.BAD_REQUEST] * 3]
    assert careful.ready()
