"""What users do with an answer, as an event on the span of the call that gave it."""

import difflib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from time import time_ns
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from llmvitals import _export, semconv
from llmvitals._adapter import Attribute, get
from llmvitals._guard import Guard

_REMEMBERED = 4096  # calls, the most recent ones: about 1 kB each
_lock = threading.Lock()
_calls: OrderedDict[str, tuple[SpanContext, Mapping[str, Attribute]]] = OrderedDict()


def remember(response_id: str, span: SpanContext, identity: Mapping[str, Attribute]) -> None:
    """Keep what feedback on the response needs, for a while."""
    with _lock:
        _calls[response_id] = (span, identity)
        if len(_calls) > _REMEMBERED:
            _calls.popitem(last=False)


def feedback(response: Any, kind: str, *, value: float | None = None, comment: str | None = None) -> None:
    """Record what a user does with a response, as the event `gen_ai.evaluation.result` named `user_feedback`.

    response: what the client returned, any chunk of its stream, or the response's id.
    kind: one of `llmvitals.semconv.FEEDBACK_SCORES`, as "thumb_up", "copy", "regenerate".
    value: the score from 0 (bad) to 1 (good), for kinds that have a scale, such as "rating".
    comment: the user's own words; they are content, and go out as given.

    The event stands on the span of the call, and carries its operation, provider, model and prompt,
    for the last 4096 responses of this process; of an older one it has the response's id alone.
    Bad arguments are logged and do not raise, except under LLMVITALS_STRICT=1: a thumb must not break a page.

    https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`.
    """
    with Guard("feedback"):
        _export.event_logger().emit(_event(_response_id(response), kind, value, comment))


def _event(response_id: str, kind: str, value: float | None, comment: str | None) -> LogRecord:
    if kind not in semconv.FEEDBACK_SCORES:
        near = difflib.get_close_matches(kind, semconv.FEEDBACK_SCORES, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"feedback kind {kind!r} is unknown{meant} Known: {', '.join(semconv.FEEDBACK_SCORES)}")
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"feedback value {value} is out of range: 0 (bad) to 1 (good)")
    score = semconv.FEEDBACK_SCORES[kind] if value is None else float(value)
    with _lock:
        span, identity = _calls.get(response_id, (None, {}))
    attributes: dict[str, Any] = {
        **identity,
        semconv.EVALUATION_NAME: semconv.USER_FEEDBACK,
        semconv.EVALUATION_SCORE_LABEL: kind,
        semconv.EVALUATION_SOURCE: semconv.SOURCE_USER,
        semconv.RESPONSE_ID: response_id,
    }
    if score is not None:
        attributes[semconv.EVALUATION_SCORE_VALUE] = score
    if comment:
        attributes[semconv.EVALUATION_EXPLANATION] = comment
    return LogRecord(
        timestamp=time_ns(),
        context=set_span_in_context(NonRecordingSpan(span)) if span is not None else None,
        severity_number=SeverityNumber.INFO,
        attributes=attributes,
        event_name=semconv.EVALUATION_RESULT,
    )


def _response_id(response: Any) -> str:
    if isinstance(response, str):
        return response
    # Events of Anthropic and of OpenAI's Responses hold the message, or the response, that they are about.
    for node in (response, get(response, "message"), get(response, "response")):
        response_id = get(node, "id")
        if isinstance(response_id, str):
            return response_id
    raise TypeError(
        f"feedback on a {type(response).__name__}: it has no id; give the response, a chunk of it or its id"
    )
