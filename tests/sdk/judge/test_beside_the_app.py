"""A judge stays apart from the app that it runs in; only mistakes in the calling code raise."""

import asyncio
import subprocess
import sys
import threading

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
    came = threading.Event()
    endpoint.answers(lambda request: came.set() or reply(late=True), reply.grades(answers="yes", steps="yes"))
    judging = threading.Thread(target=judge(timeout=5).score, args=(QUESTION, None, ANSWER))
    judging.start()
    assert came.wait(10)
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
        ({"breaker": 3}, "judge: breaker 3 is no Breaker"),
        ({"retries": 4}, "retries 4: valid are 0 to 3"),
        ({"retries": 1.0}, "retries 1.0: valid are 0 to 3"),
        ({"backoff": "1"}, "backoff '1' is no number of seconds from 0"),
        ({"repeats": 0}, "repeats 0 is no whole number over 0"),
        ({"concurrency": 2.5}, "concurrency 2.5 is no whole number over 0"),
        ({"timeout": -1}, "timeout -1 is no number of seconds over 0"),
        ({"request_timeout": "9"}, "request_timeout '9' is no number of seconds over 0"),
        ({"parameters": {"temprature": 0}}, "'temprature' is none that the client takes; did you mean 'temperature'"),
        ({"parameters": {"guided_x": 0}}, "'guided_x' is none .*; one that only your endpoint has goes into extra_bod"),
        ({"parameters": {"stream": True}}, "'stream' is none that the client takes"),
        ({"parameters": {"model": "m"}}, "'model' is not for them; it is said by model=..."),
        ({"parameters": {"timeout": 3}}, "'timeout' is not for them; it is said by request_timeout=..."),
    ],
)
def test_a_judge_is_not_made_of_bad_arguments(judge, options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        judge(**options)


@pytest.mark.parametrize(
    ("client", "sentence"),
    [("sk-the-key-itself", "type str: it is no OpenAI"), ((), "type tuple: "), ((1, 2), "type int: ")],
)
def test_a_judge_is_not_made_of_anything_but_clients_and_what_may_be_a_key_is_not_said(client, sentence, rubric):
    with pytest.raises(TypeError, match=sentence) as raised:
        LLMJudge(client, "m", rubric)
    assert "sk-" not in str(raised.value)


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
