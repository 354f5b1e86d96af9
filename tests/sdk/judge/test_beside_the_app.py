"""A judge stays apart from the app that it runs in; only mistakes in the calling code raise."""

import asyncio
import subprocess
import sys
import threading
import time

import openai
import pytest

from llmvitals import semconv
from llmvitals.judge import Budget, LLMJudge

QUESTION, ANSWER = "Where is my order?", "It left our house on Monday."


def test_a_judge_s_calls_are_none_of_the_app_s(by, judge, endpoint, spans, every_span):
    assert by.score(judge(), QUESTION, None, ANSWER).verdict == semconv.PASS
    assert by.compare(judge(), QUESTION, ANSWER, ANSWER).orders
    assert len(endpoint.requests) == 3
    assert not every_span()


def test_the_app_s_calls_are_observed_while_a_judge_waits(judge, endpoint, reply, spans, clients):
    endpoint.answers(reply(late=True), reply.grades(answers="yes", steps="yes"))
    judging = threading.Thread(target=judge(timeout=5).score, args=(QUESTION, None, ANSWER))
    judging.start()
    while not endpoint.requests:
        time.sleep(0.002)
    clients(endpoint.url)[0].with_options(max_retries=0).chat.completions.create(model="m", messages=[])
    assert len(spans()) == 1
    endpoint.over.set()
    judging.join()


def test_importing_the_judge_loads_neither_the_client_nor_yaml():
    program = "import sys, llmvitals.judge; print({'openai', 'yaml', 'httpx', 'msgspec'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


# ---- Mistakes in the calling code ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rubric": "helpfulness"}, "judge: rubric 'helpfulness' is no Rubric"),
        ({"budget": 5}, "judge: budget 5 is no Budget"),
        ({"price": {"input": 1}}, "judge: price {'input': 1} is no Price"),
        ({"budget": Budget(usd=1)}, "can't be kept without a price"),
        ({"retries": 4}, "retries 4, .* valid are 0 to 3"),
        ({"repeats": 0}, "repeats, .* are to be over 0"),
        ({"timeout": -1}, "timeouts are to be over 0"),
    ],
)
def test_a_judge_is_not_made_of_bad_arguments(judge, options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        judge(**options)


@pytest.mark.parametrize(
    ("client", "sentence"),
    [("http://localhost", "is no OpenAI"), ((), r"client \(\) is no OpenAI"), ((1, 2), "client 1 is no OpenAI")],
)
def test_a_judge_is_not_made_of_anything_but_clients(client, sentence, rubric):
    with pytest.raises(TypeError, match=sentence):
        LLMJudge(client, "m", rubric)


def test_without_a_client_the_environment_makes_one(monkeypatch, rubric, endpoint):
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    assert LLMJudge(None, "m", rubric).score(QUESTION, None, ANSWER).verdict == semconv.PASS
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ValueError, match=r"the environment makes none: .*OPENAI_API_KEY"):
        LLMJudge(None, "m", rubric)


def test_a_client_is_good_for_its_own_twin_only(clients, endpoint, rubric):
    sync, asynchronous = clients(endpoint.url)
    with pytest.raises(TypeError, match="given an AsyncOpenAI alone"):
        LLMJudge(asynchronous, "m", rubric).score(QUESTION, None, ANSWER)
    with pytest.raises(TypeError, match="given an OpenAI alone"):
        asyncio.run(LLMJudge(sync, "m", rubric).ascore(QUESTION, None, ANSWER))


def test_the_app_s_client_keeps_its_own_retries(clients, endpoint, rubric):
    sync, asynchronous = clients(endpoint.url)
    LLMJudge((sync, asynchronous), "m", rubric)
    assert sync.max_retries == asynchronous.max_retries == openai.DEFAULT_MAX_RETRIES


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((None, None, ANSWER), "query None is no text"),
        ((QUESTION, None, None), "actual None is no text"),
        ((QUESTION, 7, ANSWER), "expected 7 is no text"),
        ((QUESTION, None, ANSWER, "helpfulness"), "rubric 'helpfulness' is no Rubric"),
    ],
)
def test_what_is_no_text_and_no_rubric_raises(by, judge, arguments, sentence):
    with pytest.raises(TypeError, match=sentence):
        by.score(judge(), *arguments)
