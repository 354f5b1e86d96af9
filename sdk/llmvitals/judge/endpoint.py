"""A model behind an OpenAI-compatible endpoint: asked in a form that it takes, and again where it fails."""

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmvitals import semconv
from llmvitals._redact import patterns
from llmvitals.judge import completion
from llmvitals.judge.breaker import Breaker
from llmvitals.judge.budget import Budget, Price
from llmvitals.judge.completion import Completion
from llmvitals.judge.course import Course, Pause, Send
from llmvitals.judge.failures import Failure, NoJudgement, failure
from llmvitals.judge.forms import FORMS, Form
from llmvitals.judge.prompt import Prompt

_LONGEST_PAUSE = 30.0  # seconds; an endpoint that wants more is not asked again for this judgement
_LONGEST_REASON = 1000  # characters: endpoints quote whole requests in theirs, and keys
_CHARACTERS_OF_A_TOKEN = 4  # about, in English: for answers that don't tell their tokens


@dataclass(slots=True)
class Tally:
    """What one judgement has taken so far. until: when its time is over, by `time.monotonic`."""

    until: float
    attempts: int = 0
    retries: int = 0
    usage: Counter[str] = field(default_factory=Counter)
    cost: float | None = 0.0
    raw: str = ""


class Endpoint:
    """Where a judge's requests go. Thread-safe.

    request_timeout: seconds of one request. retries: at most, of one request. backoff: seconds, of the first pause.
    max_output_tokens: of one answer, reasoning included. parameters: further ones of each request.
    """

    def __init__(
        self,
        model: str,
        price: Price | None,
        budget: Budget,
        breaker: Breaker,
        *,
        request_timeout: float,
        retries: int,
        backoff: float,
        max_output_tokens: int,
        parameters: Mapping[str, Any],
    ) -> None:
        self._price = price
        self._budget = budget
        self._breaker = breaker
        self._request_timeout = request_timeout
        self._retries = retries
        self._backoff = backoff
        self._parameters = {"model": model, **parameters}
        self._max_output_tokens = max_output_tokens
        # What has turned out to work; a race between two threads costs a request.
        self._form: Form | None = None
        self._limit = "max_completion_tokens"

    def obstacle(self) -> str:
        """Why it is not to be asked now: of semconv.EVALUATION_DROP_REASONS; "" where nothing stands in the way."""
        if self._budget.left == 0:
            return semconv.BUDGET_GONE
        return "" if self._breaker.ready() else semconv.CIRCUIT_OPEN

    def ask(self, prompt: Prompt, tally: Tally) -> Course[str]:
        """What the model says to `prompt`; `tally` is kept also where this raises NoJudgement."""
        forms = list(FORMS if self._form is None else (self._form,))
        while True:
            form = forms.pop(0)
            limit = self._limit
            body = {**form(prompt.schema), **self._parameters, limit: self._max_output_tokens}
            answer = yield from self._answer({**body, "messages": prompt.messages}, tally)
            if isinstance(answer, bytes):
                break
            if limit == "max_completion_tokens" and limit in answer.words and answer.refuses_the_form:
                self._limit = "max_tokens"  # its older name, which hosts other than OpenAI's may know alone
                forms.insert(0, form)
            elif not (answer.refuses_the_form and forms):
                tally.raw = patterns(answer.words[:_LONGEST_REASON])
                raise answer.outcome()
        came = completion.read(answer)
        self._pay(prompt, came, tally)
        tally.raw = (came.arguments or came.text or came.refusal)[: semconv.CONTENT_LIMIT]
        said = came.said()
        self._form = form
        return said

    def _answer(self, body: dict[str, Any], tally: Tally) -> Course[bytes | Failure]:
        """The bytes of a response, or the failure of the last attempt, after as many as may help."""
        answer = yield from self._attempt(body, tally)
        for retry in range(self._retries):
            if isinstance(answer, bytes) or not answer.passes or self.obstacle():
                break
            # https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("full jitter")
            pause = random.uniform(0, self._backoff * 2**retry) + (answer.after or 0.0)  # noqa: S311 - no secret
            if pause > _LONGEST_PAUSE or time.monotonic() + pause >= tally.until:
                break
            yield Pause(pause)
            tally.retries += 1
            answer = yield from self._attempt(body, tally)
        return answer

    def _attempt(self, body: dict[str, Any], tally: Tally) -> Course[bytes | Failure]:
        obstacle = self.obstacle() or ("" if self._breaker.admit() else semconv.CIRCUIT_OPEN)
        if obstacle:
            raise NoJudgement(semconv.JUDGE_FAILED, obstacle)
        tally.attempts += 1
        try:
            answer: bytes = yield Send(body, max(min(self._request_timeout, tally.until - time.monotonic()), 0.001))
        except NoJudgement:
            self._breaker.succeeded()  # it has answered
            raise
        except Exception as error:
            failed = failure(error)
            (self._breaker.failed if failed.is_the_endpoint_s else self._breaker.succeeded)()
            return failed
        self._breaker.succeeded()
        return answer

    def _pay(self, prompt: Prompt, came: Completion, tally: Tally) -> None:
        tally.usage.update(came.usage)
        told = came.usage.keys() >= {"input", "output"}
        usage = came.usage if told else {"input": _tokens(prompt.characters), "output": _tokens(len(came.text))}
        cost = None if self._price is None else self._price.cost(usage)
        self._budget.spend(usage["input"] + usage["output"], cost or 0.0)
        tally.cost = None if cost is None or tally.cost is None or not told else tally.cost + cost


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_OF_A_TOKEN)
