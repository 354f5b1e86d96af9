"""Evaluation at work: answers come in from counting, and what is found in them goes out as any sender's results."""

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Condition, Event, Thread

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.decode import Encoding
from llmvitals_collector.evaluation import events, findings
from llmvitals_collector.evaluation.answered import Answered, answered, with_answers
from llmvitals_collector.evaluation.config import EvaluationConfig
from llmvitals_collector.evaluation.content import UnreadableError
from llmvitals_collector.evaluation.events import Found
from llmvitals_collector.evaluation.inspection import inspect
from llmvitals_collector.evaluation.judging import Judged, Judging, Task
from llmvitals_collector.evaluation.picking import Picking
from llmvitals_collector.evaluation.plan import Plan
from llmvitals_collector.evaluation.sampling import Sampling
from llmvitals_collector.lifecycle import GRACE_SECONDS
from llmvitals_collector.receivers import Intake, RefusedError, Signal
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

# So many answers are looked at before what was found in them is sent.
_TOGETHER = 64
# Of work, and then of rest: who takes requests waits no longer than that for the interpreter.
_TURN_SECONDS = 0.001
# Until what was refused is sent again, where nothing is said of it.
_RETRY_SECONDS = 1.0
# For what was under way when the time of a stop is over.
_LAST_SECONDS = 1.0


class Evaluation:
    """Looks at the content of calls, on threads of its own.

    Raises:
        ConfigError: a file, a package or a key that the configuration asks for is not there.
    """

    def __init__(self, config: EvaluationConfig, intake: Intake, telemetry: Telemetry) -> None:
        self._plan = Plan(config)
        self._intake = intake
        self._telemetry = telemetry
        self._judging = None
        if config.judge.model:
            replicas = config.sampling.replicas
            self._judging = Judging(config.judge, replicas, config.queue_bytes, telemetry, self._report)
        window = config.sampling.window_seconds
        self._sampling = Sampling(window, self._judging.budget_left) if self._judging else Sampling(window)
        self._picking = Picking(config.review, window) if config.review.directory else None
        self._batches: deque[tuple[Calls, int]] = deque()  # with how many characters of messages
        self._answers: deque[Answered] = deque()  # of the batch that is being looked at
        self._judged: list[Judged] = []
        self._room = config.queue_bytes
        self._unfinished = 0  # answers that were taken, and of which not all is told
        self._changed = Condition()
        self._stopping = self._running = False
        self._ended = Event()
        self._thread = Thread(target=self._run, name="evaluation", daemon=True)
        telemetry.watch(semconv.EVALUATIONS_WAITING, lambda: {(): float(self._unfinished)})
        telemetry.watch(semconv.SAMPLING_SHARE, self._sampling.shares)
        self.set(self._plan)

    @property
    def enabled(self) -> bool:
        """Whether it looks at anything, for which calls have to come with their content."""
        return self._plan.config.enabled

    def set(self, plan: Plan) -> None:
        """Go on by another plan, as far as it does not take a restart."""
        self._plan = plan
        if self._judging:
            self._judging.repeat_share = plan.config.judge.repeat_share
        for rubric in plan.rubrics.values():
            for agreed in semconv.AGREED:
                judge = plan.config.judge.model
                self._telemetry.count(semconv.JUDGE_SELF_AGREEMENT, judge, rubric.dimension, agreed, amount=0)

    def expected(self, template: str) -> Iterable[Mapping[str, str]]:
        """Columns of the results that can come of a template: dimension, source, evaluator, rubric."""
        return self._plan.expected(template)

    def take(self, calls: Calls) -> None:
        """Take the answers of a batch that is counted; returns at once, and counts those for which there is no room."""
        taken, size, left = with_answers(calls, 0 if self._stopping else self._room)
        self._drop(semconv.STOPPING if self._stopping else semconv.QUEUE_FULL, left)
        if len(taken):
            with self._changed:
                self._batches.append((taken, size))
                self._room -= size
                self._unfinished += len(taken)
                self._changed.notify_all()

    def start(self) -> None:
        self._running = True
        if self._judging:
            self._judging.start()
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """Wait until all is told of the answers that were taken, but no longer; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unfinished, seconds)

    def stop(self) -> None:
        """Take no more, and finish what is there as far as a stop may take; safe without a start, and twice."""
        if not self._running:
            return
        self._running = False
        self._stopping = True
        self.finish(GRACE_SECONDS)
        if self._judging:
            self._judging.stop()
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(_LAST_SECONDS)
        with self._changed:
            left, self._unfinished = self._unfinished, 0
        self._drop(semconv.STOPPING, left)

    def _run(self) -> None:
        while (work := self._next()) is not None:
            answers, judged = work
            since = time.thread_time()
            found = [self._conclude(each) for each in judged]
            finished = len(judged)
            for answer in self._in_turns(answers):
                looked_at, task = self._inspect(answer)
                found.append(looked_at)
                finished += self._offer(task) if task else 1
            body = b""
            with self._contained():
                body = events.request(found, time.time())
            self._telemetry.spent(semconv.STAGE_EVALUATE, since)
            if body and not self._send(body):
                return
            with self._changed:
                self._unfinished -= finished
                self._changed.notify_all()

    def _next(self) -> tuple[list[Answered], list[Judged]] | None:
        """What there is to do; waits for it, None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._answers or self._batches or self._judged or self._ended.is_set())
            if self._ended.is_set() and not self._judged:
                return None
            judged, self._judged = self._judged, []
            batch, size = (None, 0) if self._answers or not self._batches else self._batches.popleft()
            self._room += size
        if batch is not None:
            self._answers.extend(answered(batch))
        return [self._answers.popleft() for _ in range(min(_TOGETHER, len(self._answers)))], judged

    def _in_turns(self, answers: list[Answered]) -> Iterator[Answered]:
        began = time.perf_counter()
        for answer in answers:
            if time.perf_counter() - began > _TURN_SECONDS:
                self._ended.wait(_TURN_SECONDS)
                began = time.perf_counter()
            yield answer

    def _inspect(self, answer: Answered) -> tuple[Found, Task | None]:
        """What is found in an answer, and the task to judge it, if it is drawn."""
        with self._contained():
            inspected = inspect(answer, self._plan, self._sampling, time.time())
            return Found(answer, inspected.language, inspected.findings), inspected.task
        return Found(answer, "", []), None

    def _offer(self, task: Task) -> int:
        """Let an answer wait for the judge; returns how many, be it this or older ones, are not judged for it."""
        if self._judging is None:
            return 1
        if task.exchange.partial:  # the judge would blame the answer for what is missing
            self._drop(semconv.INCOMPLETE_CONTENT)
            return 1
        given_up = self._judging.offer(task)
        self._drop(semconv.QUEUE_FULL, given_up)
        return given_up

    def _conclude(self, judged: Judged) -> Found:
        """What is found in an answer that was before the judge, of which people may see more."""
        task, config = judged.task, self._plan.config
        with self._contained():
            if self._picking:
                self._picking.pick(judged, config.review.worst_per_template, time.time())
            found = findings.of_judgements(
                judged.judgements,
                task.draw,
                failed=task.answer.failure,
                known=task.modes,
                explanations=config.judge.explanations,
            )
            return Found(task.answer, task.language, found)
        return Found(task.answer, "", [])

    @contextmanager
    def _contained(self) -> Iterator[None]:
        """A block whose failure costs what it was about, and is counted; only what can be tried again is raised."""
        try:
            yield
        except RefusedError:
            raise
        except UnreadableError:
            self._drop(semconv.INCOMPLETE_CONTENT)
        except Exception:
            _logger.exception("an answer could not be evaluated")
            self._drop(semconv.FAULT)

    def _send(self, body: bytes) -> bool:
        """Have findings counted, as often as it takes; False where the end comes before."""
        while True:
            try:
                with self._contained():
                    self._intake.take(semconv.RECEIVER_EVALUATION, Signal.LOGS, body, Encoding.PROTOBUF)
            except RefusedError as error:
                if self._ended.wait(error.retry_after_seconds or _RETRY_SECONDS):
                    return False
            else:
                return True

    def _report(self, judged: Judged) -> None:
        """Take what came of a task, from a thread of the judge."""
        with self._changed:
            self._judged.append(judged)
            self._changed.notify_all()

    def _drop(self, reason: str, answers: int = 1) -> None:
        self._telemetry.count(semconv.EVALUATIONS_DROPPED, reason, amount=answers)
