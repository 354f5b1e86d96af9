"""Why there is no judgement, and what a failed request means for the next one."""

import email.utils
import math
import time
from typing import Any, NamedTuple

from llmvitals import semconv
from llmvitals._measure import status_code

_CLASSES = {
    **dict.fromkeys((401, 403), semconv.AUTH),
    **dict.fromkeys((400, 404, 413, 422), semconv.BAD_REQUEST),
    408: semconv.TIMEOUT,
    429: semconv.RATE_LIMIT,
}
_OF_THIS_REQUEST = (400, 413, 422)  # others may go through
_PASSING = (semconv.TIMEOUT, semconv.RATE_LIMIT, semconv.CONNECTION, semconv.SERVER)


class NoJudgement(Exception):  # noqa: N818 - it is an outcome as well
    """There is none. outcome, error: as of a JudgementResult."""

    def __init__(self, outcome: str, error: str) -> None:
        super().__init__(outcome, error)
        self.outcome = outcome
        self.error = error


class Failure(NamedTuple):
    """A request that failed.

    error: of semconv.ERROR_CLASSES. status: HTTP's, None where there was no response.
    after: seconds that the endpoint wants to be left alone, None where it does not say. words: the exception's.
    """

    error: str
    status: int | None
    after: float | None
    words: str

    @property
    def passes(self) -> bool:
        """Whether the same request may be answered a little later."""
        return self.error in _PASSING

    @property
    def is_the_endpoint_s(self) -> bool:
        """Whether it would have refused any request."""
        return self.status not in _OF_THIS_REQUEST

    @property
    def refuses_the_form(self) -> bool:
        """Whether it may be the form of the request that is refused."""
        return self.status in (400, 422) and self.error == semconv.BAD_REQUEST

    def outcome(self) -> NoJudgement:
        """As the outcome of a judgement."""
        return NoJudgement(semconv.JUDGE_TIMEOUT if self.error == semconv.TIMEOUT else semconv.JUDGE_FAILED, self.error)


def failure(error: Exception) -> Failure:
    """What an exception of the client's means.

    It is known by its status and its class's name, as reading a body raises those of httpx or httpx2, of
    which the client takes either (openai 3.52).
    """
    status = status_code(error)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if getattr(error, "code", None) == semconv.CONTENT_FILTER:  # Azure's, of the prompt
        known = semconv.CONTENT_FILTER
    elif status is not None:
        known = _CLASSES.get(status, semconv.SERVER if status >= 500 else semconv.BAD_REQUEST)
    elif kinds & {"TimeoutError", "APITimeoutError", "TimeoutException"}:
        known = semconv.TIMEOUT
    elif kinds & {"OSError", "APIConnectionError", "TransportError"}:
        known = semconv.CONNECTION
    else:
        known = semconv.OTHER
    return Failure(known, status, _after(getattr(error, "response", None)), str(error))


def _after(response: Any) -> float | None:
    """https://www.rfc-editor.org/rfc/rfc9110#field.retry-after, in seconds or as a date."""
    told = str(getattr(response, "headers", {}).get("retry-after") or "")
    try:
        seconds = float(told)
    except ValueError:
        date = email.utils.parsedate_tz(told)
        if date is None:
            return None
        seconds = email.utils.mktime_tz(date) - time.time()
    return max(seconds, 0.0) if math.isfinite(seconds) else None
