"""LLMJudge: grades an answer by a rubric, with a model behind any OpenAI-compatible endpoint."""

import asyncio
import threading
import time
import weakref
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from llmvitals import semconv
from llmvitals.judge import answers, clients, course
from llmvitals.judge.breaker import Breaker
from llmvitals.judge.budget import Budget, Price
from llmvitals.judge.course import Course
from llmvitals.judge.endpoint import Endpoint, Tally
from llmvitals.judge.failures import NoJudgement
from llmvitals.judge.family import same_family
from llmvitals.judge.judgement import Comparison, JudgementResult, compared, majority
from llmvitals.judge.prompt import prompt
from llmvitals.judge.rubric import ACTUAL, CONTEXT, EXPECTED, FIRST, QUERY, SECOND, Grade, Rubric

T = TypeVar("T")

_MOST_RETRIES = 3


class LLMJudge:
    """A model that grades answers.

        judge = LLMJudge(openai.OpenAI(), "gpt-5-mini", Rubric.shipped("helpfulness"))
        result = judge.score("Where is my order?", None, "It left our house on Monday.")

    The model answers the rubric's questions; the score is worked out from its answers here. Whatever goes
    wrong with the judge is a result with the verdict `error` and no score; what raises is a mistake in the
    calling code (TypeError, ValueError). Thread-safe, and good for several event loops. No call of a judge is
    observed by `instrument()`.

    client: an `openai.OpenAI` for `score` and `compare`, an `openai.AsyncOpenAI` for their twins, or a tuple of
        both; None makes both from the environment. Its own retries are not used.
    model: its name at the endpoint.
    rubric: where `score` is given none.
    budget: what it may cost a day; money needs a `price`. Where nothing is left, no request is sent.
    repeats: how often each answer is judged, with the options in another order each time; the verdict is that of
        the majority, and the result says whether they agreed.
    timeout, request_timeout: seconds of one judgement, with retries and pauses, and of one request in it.
    retries: of a request that failed by a timeout, the connection, status 429 or 5xx: up to 3. Retry-After is kept;
        an endpoint that wants more than half a minute is not asked again.
    backoff: seconds; the pause before a retry is random, up to this, then twice and four times of it.
    concurrency: judgements at a time, of all threads, and again of each event loop; more wait for their turn.
    price: for a million tokens; without one no cost is known.
    max_output_tokens: of one answer, reasoning included. parameters: further ones of each request, such as
        `{"temperature": 0}` or `{"reasoning_effort": "low"}`.
    breaker: when it leaves the endpoint alone.

    Raises TypeError and ValueError for bad arguments, ImportError without the `openai` package.
    """

    def __init__(
        self,
        client: Any,
        model: str,
        rubric: Rubric | None = None,
        budget: Budget | None = None,
        *,
        repeats: int = 1,
        timeout: float = 90.0,
        request_timeout: float = 30.0,
        retries: int = _MOST_RETRIES,
        backoff: float = 0.5,
        concurrency: int = 8,
        price: Price | None = None,
        max_output_tokens: int = 2048,
        parameters: Mapping[str, Any] | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        _check(model, rubric, budget, price, breaker)
        _check_whole(repeats=repeats, concurrency=concurrency, max_output_tokens=max_output_tokens)
        _check_seconds(timeout=timeout, request_timeout=request_timeout)
        if type(retries) is not int or not 0 <= retries <= _MOST_RETRIES:
            raise ValueError(f"judge: retries {retries!r}: valid are 0 to {_MOST_RETRIES}")
        if not isinstance(backoff, int | float) or not 0 <= backoff < float("inf"):
            raise ValueError(f"judge: backoff {backoff!r} is no number of seconds from 0")
        self.model = model
        self.rubric = rubric
        self.price = price
        self.budget = budget or Budget()
        self.breaker = breaker or Breaker()
        self._repeats = repeats
        self._timeout = timeout
        self._sync, self._async = clients.clients(client)
        clients.check_parameters(parameters or {})
        self._turns = threading.BoundedSemaphore(concurrency)
        self._concurrency = concurrency
        self._turns_of: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._turns_of = weakref.WeakKeyDictionary()
        self._endpoint = Endpoint(
            model,
            price,
            self.budget,
            self.breaker,
            request_timeout=request_timeout,
            retries=retries,
            backoff=backoff,
            max_output_tokens=max_output_tokens,
            parameters=parameters or {},
        )

    def ready(self) -> bool:
        """Whether a judgement would be asked for now."""
        return not self.obstacle()

    def obstacle(self) -> str:
        """Why none would be: semconv.BUDGET_GONE or semconv.CIRCUIT_OPEN; "" where one would."""
        return self._endpoint.obstacle()

    def score(
        self,
        query: str,
        expected: str | None,
        actual: str,
        rubric: Rubric | None = None,
        *,
        context: str | None = None,
        seed: str = "",
        answered_by: str = "",
    ) -> JudgementResult:
        """Grade `actual`, the answer to `query`.

        expected: a reference answer; context: what the answer is to rest on; None where there is none. What the
            rubric needs and is not given makes the verdict `unknown`, without a request.
        rubric: None is the judge's own.
        seed: turns the order of the options: the trace id, so that it is the same whoever judges it again; the texts
            themselves where it is empty.
        answered_by: the model that has answered, for `self_family` of the result.
        """
        return self._run(self._judging(query, expected, actual, rubric, context, seed, answered_by))

    async def ascore(
        self,
        query: str,
        expected: str | None,
        actual: str,
        rubric: Rubric | None = None,
        *,
        context: str | None = None,
        seed: str = "",
        answered_by: str = "",
    ) -> JudgementResult:
        """As `score`."""
        return await self._arun(self._judging(query, expected, actual, rubric, context, seed, answered_by))

    def compare(
        self,
        query: str,
        a: str,
        b: str,
        rubric: Rubric | None = None,
        *,
        expected: str | None = None,
        context: str | None = None,
        seed: str = "",
    ) -> Comparison:
        """Which of two answers to `query` is better by the rubric's questions; asked twice, in both orders.

        The other arguments are those of `score`.
        """
        return self._run(self._comparing(query, expected, a, b, rubric, context, seed))

    async def acompare(
        self,
        query: str,
        a: str,
        b: str,
        rubric: Rubric | None = None,
        *,
        expected: str | None = None,
        context: str | None = None,
        seed: str = "",
    ) -> Comparison:
        """As `compare`."""
        return await self._arun(self._comparing(query, expected, a, b, rubric, context, seed))

    def _run(self, steps: Course[T]) -> T:
        if self._sync is None:
            raise TypeError(
                "judge: it was given an AsyncOpenAI alone: use the twin with an `a`, or give an OpenAI, too"
            )
        with self._turns:
            return course.run(steps, self._sync)

    async def _arun(self, steps: Course[T]) -> T:
        if self._async is None:
            raise TypeError(
                "judge: it was given an OpenAI alone: use the twin without an `a`, or give an AsyncOpenAI, too"
            )
        turns = self._turns_of.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._concurrency))
        async with turns:
            return await course.arun(steps, self._async)

    # ---- The courses: what is wrong with the arguments raises before they begin -----------------------------

    def _judging(
        self,
        query: str,
        expected: str | None,
        actual: str,
        rubric: Rubric | None,
        context: str | None,
        seed: str,
        answered_by: str,
    ) -> Course[JudgementResult]:
        asked = self._rubric(rubric)
        material = _material({QUERY: query, EXPECTED: expected, ACTUAL: actual, CONTEXT: context}, (QUERY, ACTUAL))
        return self._repeated(asked, material, seed or f"{query}/{actual}", same_family(self.model, answered_by))

    def _repeated(
        self, rubric: Rubric, material: Mapping[str, str], seed: str, self_family: bool | None
    ) -> Course[JudgementResult]:
        results = []
        for turn in range(self._repeats):
            results.append((yield from self._judged(rubric, material, seed, turn)))
            if not results[-1].attempts:  # and none would be made the next time
                break
        return replace(majority(results), self_family=self_family)

    def _comparing(
        self,
        query: str,
        expected: str | None,
        a: str,
        b: str,
        rubric: Rubric | None,
        context: str | None,
        seed: str,
    ) -> Course[Comparison]:
        pairwise = self._rubric(rubric).pairwise
        given = _material(
            {QUERY: query, EXPECTED: expected, CONTEXT: context, FIRST: a, SECOND: b}, (QUERY, FIRST, SECOND)
        )
        return self._both_orders(pairwise, given, seed or f"{query}/{a}/{b}")

    def _both_orders(self, rubric: Rubric, given: Mapping[str, str], seed: str) -> Course[Comparison]:
        one = yield from self._judged(rubric, given, seed, 0)
        other = yield from self._judged(rubric, {**given, FIRST: given[SECOND], SECOND: given[FIRST]}, seed, 0)
        return compared(one, other)

    def _judged(self, rubric: Rubric, material: Mapping[str, str], seed: str, turn: int) -> Course[JudgementResult]:
        started = time.monotonic()
        tally = Tally(until=started + self._timeout, cost=None if self.price is None else 0.0)
        grade, chosen, explanation = Grade(None, semconv.UNDECIDED, ""), dict[str, str](), ""
        outcome, error = semconv.JUDGE_OK, ""
        if not rubric.lacks(material):
            try:
                said = yield from self._endpoint.ask(prompt(rubric, material, seed, turn), tally)
                chosen, explanation = answers.read(said, rubric)
                grade = rubric.grade(chosen)
            except NoJudgement as none:
                outcome, error = none.outcome, none.error
                grade = Grade(None, semconv.FAILED_EVALUATION, "")
        return JudgementResult(
            score=grade.score,
            verdict=grade.verdict,
            answers=chosen,
            explanation=explanation,
            dimension=rubric.dimension,
            rubric=rubric.hash,
            model=self.model,
            raw=tally.raw,
            usage=dict(tally.usage),
            cost=tally.cost,
            latency=time.monotonic() - started,
            attempts=tally.attempts,
            outcome=outcome,
            error=error,
            retries=tally.retries,
            mode=grade.mode,
        )

    def _rubric(self, rubric: Rubric | None) -> Rubric:
        asked = self.rubric if rubric is None else rubric
        if not isinstance(asked, Rubric):
            raise TypeError(f"judge: rubric {asked!r} is no Rubric, and the judge has none of its own")
        return asked


def _material(given: Mapping[str, str | None], needed: Collection[str]) -> dict[str, str]:
    """What is given; raises TypeError for what is no text."""
    for name, text in given.items():
        if not isinstance(text, str) and (text is not None or name in needed):
            raise TypeError(f"judge: {name} {text!r} is no text")
    return {name: text for name, text in given.items() if text is not None}


def _check(model: Any, rubric: Any, budget: Any, price: Any, breaker: Any) -> None:
    if not isinstance(model, str) or not model:
        raise TypeError(f"judge: model {model!r} is no name: give a text that is not empty")
    kinds = (("rubric", rubric, Rubric), ("budget", budget, Budget), ("price", price, Price))
    for name, value, kind in (*kinds, ("breaker", breaker, Breaker)):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"judge: {name} {value!r} is no {kind.__name__}")
    if budget is not None and budget.usd is not None and price is None:
        raise ValueError("judge: a budget in US dollars can't be kept without a price: give price=Price(...)")


def _check_whole(**given: Any) -> None:
    for name, number in given.items():
        if type(number) is not int or number < 1:
            raise ValueError(f"judge: {name} {number!r} is no whole number over 0")


def _check_seconds(**given: Any) -> None:
    for name, seconds in given.items():
        if not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
            raise ValueError(f"judge: {name} {seconds!r} is no number of seconds over 0")
