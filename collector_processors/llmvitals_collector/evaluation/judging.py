"""Answers before a judge: they wait in a bounded queue, and a few threads ask it, however slow it may be."""

import logging
import os
from collections.abc import Callable
from threading import Condition, Thread
from typing import NamedTuple

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Exchange
from llmvitals.judge import Budget, JudgementResult, LLMJudge, Price, Rubric
from llmvitals_collector.config import ConfigError
from llmvitals_collector.evaluation.answered import Answered
from llmvitals_collector.evaluation.config import Judge
from llmvitals_collector.evaluation.drawn import drawn
from llmvitals_collector.evaluation.sampling import Draw
from llmvitals_collector.evaluation.strata import Strata
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

# How often it is asked whether a judge that was left alone may be asked again.
_LOOK_SECONDS = 1.0
_UNSENT = (semconv.BUDGET_GONE, semconv.CIRCUIT_OPEN)


class Task(NamedTuple):
    """An answer that is to be judged. modes: in which it is known to fail."""

    answer: Answered
    exchange: Exchange
    language: str
    modes: frozenset[str]
    draw: Draw
    rubrics: tuple[Rubric, ...]


class Judged(NamedTuple):
    """A task, and what came of it: with each rubric the judgement by it, as far as there was one."""

    task: Task
    judgements: list[tuple[Rubric, JudgementResult]]


class Judging:
    """Asks the judge. room: for so many characters of answers that wait, and of what they were asked.

    replicas: how many collectors share the budget.

    report: gets every task that was taken once, from one of the threads, unless it is given up.

    repeat_share: of the judged answers, which are judged twice; may be set anew at any time.

    Raises:
        ConfigError: there is no key for the judge.
    """

    def __init__(
        self, config: Judge, replicas: int, room: int, telemetry: Telemetry, report: Callable[[Judged], None]
    ) -> None:
        self.repeat_share = config.repeat_share
        usd, tokens = config.budget.usd_per_day, config.budget.tokens_per_day
        self._budget = Budget(usd=usd / replicas or None, tokens=-(-tokens // replicas) or None)
        self._model = config.model
        self._judge = _judge(config, self._budget)
        self._telemetry = telemetry
        self._report = report
        self._waiting: Strata[tuple[str, str], Task] = Strata(config.queue_answers, room)
        self._changed = Condition()
        self._stopping = False
        self._related: set[str] = set()  # models of the judge's own family, of which the log tells once
        self._threads = [
            Thread(target=self._run, name=f"judge-{number}", daemon=True) for number in range(config.concurrency)
        ]
        self._watched(telemetry, config.price.known)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def budget_left(self) -> float:
        """The share of the day's budget that is left."""
        return self._budget.left

    def offer(self, task: Task) -> int:
        """Let a task wait; returns at once, and how many, be it this or older ones, were given up for it."""
        size = sum(map(len, filter(None, (task.exchange.query, task.exchange.context, task.exchange.answer))))
        with self._changed:
            self._changed.notify()
            return len(self._waiting.add((task.answer.service, task.answer.template), task, size))

    def stop(self) -> None:
        """Begin no other task; what is under way is reported to whoever still wants to know."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _run(self) -> None:
        while task := self._next():
            judgements: list[tuple[Rubric, JudgementResult]] = []
            try:
                self._judge_by_all(task, judgements)
            except Exception:
                _logger.exception("an answer could not be judged")
                self._telemetry.count(semconv.EVALUATIONS_DROPPED, semconv.FAULT)
            self._report(Judged(task, judgements))

    def _next(self) -> Task | None:
        """The next task; waits for one, and while the judge is left alone. None when the collector stops."""
        with self._changed:
            while not self._stopping:
                if not len(self._waiting):
                    self._changed.wait()
                elif self._judge.obstacle() == semconv.CIRCUIT_OPEN:
                    self._changed.wait(_LOOK_SECONDS)
                else:
                    return self._waiting.take()
            return None

    def _judge_by_all(self, task: Task, judgements: list[tuple[Rubric, JudgementResult]]) -> None:
        for rubric in task.rubrics:
            result = self._ask(task, rubric)
            if result.error in _UNSENT:
                self._telemetry.count(semconv.EVALUATIONS_DROPPED, result.error)
                return
            judgements.append((rubric, result))
            if drawn(task.answer.trace_id) < task.draw.chance * self.repeat_share:
                self._compare(result, self._ask(task, rubric, order="again"))

    def _ask(self, task: Task, rubric: Rubric, order: str = "") -> JudgementResult:
        """Judge an answer; order: another one than "" has the rubric's options stand in another order."""
        exchange = task.exchange
        result = self._judge.score(
            exchange.query,
            None,
            exchange.answer,
            rubric,
            context=exchange.context or None,
            seed=f"{task.answer.trace_id:032x}{order}",
            answered_by=task.answer.model,
        )
        if result.attempts:
            self._tell(result)
        if result.self_family and task.answer.model not in self._related:
            self._related.add(task.answer.model)
            _logger.warning("the judge %s is of the family of %s, and may favour it", self._model, task.answer.model)
        return result

    def _tell(self, result: JudgementResult) -> None:
        count = self._telemetry.count
        count(semconv.JUDGE_REQUESTS, self._model, result.outcome)
        count(semconv.JUDGE_RETRIES, self._model, amount=result.retries)
        for token_type, tokens in result.usage.items():
            count(semconv.JUDGE_TOKENS, self._model, token_type, amount=tokens)
        if result.cost is not None:
            count(semconv.JUDGE_COST, self._model, amount=result.cost)
        self._telemetry.observe(semconv.JUDGE_DURATION, result.latency)

    def _compare(self, first: JudgementResult, second: JudgementResult) -> None:
        if {first.verdict, second.verdict} <= set(semconv.DECIDED):
            agreed = "true" if first.verdict == second.verdict else "false"
            self._telemetry.count(semconv.JUDGE_SELF_AGREEMENT, self._model, first.dimension, agreed)

    def _watched(self, telemetry: Telemetry, priced: bool) -> None:
        if self._budget.usd or self._budget.tokens:
            telemetry.watch(semconv.JUDGE_BUDGET_LEFT, lambda: {(self._model,): self._budget.left})
        for outcome in semconv.JUDGE_OUTCOMES:
            telemetry.count(semconv.JUDGE_REQUESTS, self._model, outcome, amount=0)
        for token_type in semconv.TOKEN_TYPES:
            telemetry.count(semconv.JUDGE_TOKENS, self._model, token_type, amount=0)
        telemetry.count(semconv.JUDGE_RETRIES, self._model, amount=0)
        if priced:  # what is not known is not 0
            telemetry.count(semconv.JUDGE_COST, self._model, amount=0)


def _judge(config: Judge, budget: Budget) -> LLMJudge:
    key = config.api_key or os.environ.get("OPENAI_API_KEY", "")
    if not (key or config.base_url):
        raise ConfigError("evaluation.judge.api_key: is empty, and the environment has no OPENAI_API_KEY either")
    # Not before there is a judge: it takes half a second.
    import openai

    # An endpoint of one's own may want no key, and the client always does.
    client = openai.OpenAI(api_key=key or "none", base_url=config.base_url or None)
    price = Price(config.price.input, config.price.output, config.price.cache_read or None)
    return LLMJudge(
        client,
        config.model,
        budget=budget,
        timeout=config.timeout_seconds,
        concurrency=config.concurrency,
        price=price if config.price.known else None,
    )
