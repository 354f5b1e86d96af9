"""Which of the judged answers people are to see: a random part of them, and the worst ones."""

import heapq
from pathlib import Path

from llmvitals import semconv
from llmvitals.judge import JudgementResult, Rubric
from llmvitals_collector.evaluation.config import Review
from llmvitals_collector.evaluation.judging import Judged, Task
from llmvitals_collector.review import TAIL, UNIFORM, Item, ReviewStore


class Picking:
    """Keeps what people are to see; for one thread. window: seconds, in which the worst are told."""

    def __init__(self, config: Review, window: int) -> None:
        self._store = ReviewStore(Path(config.directory), config.keep_days)
        self._seconds = window
        self._window = -1
        self._worst: dict[tuple[str, str, str], list[float]] = {}  # of each dimension of a template: heaps

    def pick(self, judged: Judged, worst: int, now: float) -> None:
        """Keep a judged answer, if it is drawn, or one of the `worst` so far of its template in this window."""
        for rubric, result in judged.judgements:
            task = judged.task
            if task.draw.graded:
                self._store.add(_item(task, rubric, result, UNIFORM, task.answer.weight / task.draw.graded))
            elif result.verdict == semconv.FAIL and self._is_worst(task, result, worst, now):
                self._store.add(_item(task, rubric, result, TAIL, 0.0))

    def _is_worst(self, task: Task, result: JudgementResult, most: int, now: float) -> bool:
        if now // self._seconds != self._window:
            self._window = int(now // self._seconds)
            self._worst = {}
        scores = self._worst.setdefault((task.answer.service, task.answer.template, result.dimension), [])
        worse = -(result.score or 0.0)
        if len(scores) < most:
            heapq.heappush(scores, worse)
            return True
        if scores and worse > scores[0]:
            heapq.heapreplace(scores, worse)
            return True
        return False


def _item(task: Task, rubric: Rubric, result: JudgementResult, why: str, weight: float) -> Item:
    answer, exchange = task.answer, task.exchange
    return Item(
        service=answer.service,
        provider=answer.provider,
        operation=answer.operation,
        model=answer.model,
        template=answer.template,
        template_version=answer.template_version,
        release=answer.release,
        trace_id=f"{answer.trace_id:032x}",
        span_id=f"{answer.span_id:016x}",
        answered_at=answer.answered_at,
        query=exchange.query,
        context=exchange.context,
        actual=exchange.answer,
        dimension=result.dimension,
        track=rubric.track,
        rubric=result.rubric,
        judge=result.model,
        judge_verdict=result.verdict,
        judge_score=result.score,
        weight=weight,
        stratum=task.draw.stratum,
        why=why,
        language=task.language,
        latency_band=answer.latency_band,
    )
