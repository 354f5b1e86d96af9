"""What users do with an answer, as an event on the span of the call that gave it."""

from collections.abc import Iterable, Mapping
from numbers import Real
from time import time_ns
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from llmvitals import _export, _recent, semconv
from llmvitals._adapter import Attribute, get, response_ids
from llmvitals._guard import Guard
from llmvitals._recent import Recent

Subject = tuple[SpanContext, Mapping[str, Attribute]]
"""The call that a verdict is about: its span, and the attributes that spare the verdict's reader a join."""


def handle(response: Any) -> str:
    """Make a feedback handle: a string by which feedback on the response can be given elsewhere, and later.

    response: what the client returned, its stream, a chunk that has the response's id, or that id.
    Returns mostly 140 to 200 characters, at most 255, all safe in a URL: give it to the browser with the answer, or
    keep both together. It holds the call's trace and span ids, its operation, provider, model and prompt, and
    the app's name and version, so that `feedback` and the collector's /v1/feedback need nothing else, also
    where the call's trace was not sampled. It is sealed where `cryptography` is installed; else it is only
    signed, and who has it can read these names.

    LLMVITALS_HANDLE_KEY has the key, 32 characters or more, the same in all processes that make or take handles.
    To change it, put a new one before it, with a comma between: the first makes handles, all open them.
    Unset, the key is a random one of this process: its handles do not survive it, as a logged warning says.

    A response that is none of the last 4096 of this process, or that is not complete yet, is logged and gives
    "", and does not raise, except under LLMVITALS_STRICT=1.
    """
    with Guard("handle", arguments=True):
        from llmvitals import _handle  # most apps never come here, and are not to wait for it when they start

        response_id, call = _find(response, "handle")
        if call is None:
            raise LookupError(
                f"handle: response {response_id!r} is none of the last {_recent.KEPT} of this process; "
                "take the handle where the call is made, when its answer is complete"
            )
        span, identity = call.span, {**call.identity, **_export.service()}
        return _handle.issue(span.trace_id, span.span_id, sampled=span.trace_flags.sampled, identity=identity)
    return ""


def feedback(response: Any, kind: str, *, value: float | None = None, comment: str | None = None) -> bool:
    """Record what a user does with a response, as the event `gen_ai.evaluation.result` named `user_feedback`.

    response: a handle, which any process may give that has its key; or what the client returned, its
        stream, a chunk that has the response's id, or that id.
    kind: one of `llmvitals.semconv.FEEDBACK_SCORES`, as "thumb_up", "copy", "regenerate". It decides how old
        a handle may be: an hour for what is done with an answer in sight, as "copy", 30 days for an outcome, as
        "resolved", else a week.
    value: the score from 0 (bad) to 1 (good), for kinds that have a scale, such as "rating".
    comment: the user's own words; they are content, and go out as given.
    Returns whether it was recorded; each kind counts once for a response.

    The event stands on the span of the call, and carries its operation, provider, model and prompt: by a
    handle, or for the last 4096 responses of this process; of an older one it has the response's id alone.
    Bad arguments and bad handles are logged and do not raise, except under LLMVITALS_STRICT=1: a thumb must
    not break a page.

    https://github.com/open-telemetry/semantic-conventions-genai, event `gen_ai.evaluation.result`.
    """
    with Guard("feedback", arguments=True):
        check_member("feedback kind", kind, semconv.FEEDBACK_SCORES)
        check_score("feedback value", value)
        about = subject(response, "feedback", semconv.FEEDBACK_MAX_AGE[kind])
        record(
            about,
            {
                semconv.EVALUATION_ID: _id(about[0], kind),
                semconv.EVALUATION_NAME: semconv.USER_FEEDBACK,
                semconv.EVALUATION_SCORE_LABEL: kind,
                semconv.EVALUATION_SCORE_VALUE: semconv.FEEDBACK_SCORES[kind] if value is None else float(value),
                semconv.EVALUATION_SOURCE: semconv.SOURCE_USER,
                semconv.EVALUATION_EXPLANATION: comment or None,
            },
        )
        return True
    return False


def subject(response: Any, of: str, max_age: float) -> Subject:
    """The call that `response`, or the handle, belongs to.

    of: what is to be recorded, for messages. max_age: of a handle, in seconds.
    Raises a HandleError where a handle is of no use, TypeError where the response has no id.
    """
    if isinstance(response, str) and response.startswith(semconv.HANDLE_PREFIX):
        from llmvitals import _handle

        opened = _handle.read(response, max_age)
        flags = TraceFlags(TraceFlags.SAMPLED if opened.sampled else TraceFlags.DEFAULT)
        return SpanContext(opened.trace_id, opened.span_id, is_remote=True, trace_flags=flags), opened.identity
    response_id, call = _find(response, of)
    if call is None:
        return INVALID_SPAN_CONTEXT, {semconv.RESPONSE_ID: response_id}
    return call.span, {**call.identity, semconv.RESPONSE_ID: response_id}


def record(
    about: Subject, result: Mapping[str, Attribute | None], severity: SeverityNumber = SeverityNumber.INFO
) -> None:
    """Emit one `gen_ai.evaluation.result`, in the context of the span that it is about; what is None is left out."""
    span, identity = about
    _export.event_logger().emit(
        LogRecord(
            timestamp=time_ns(),
            # Also of an unknown span: without a context the event would stand on whatever span is current.
            context=set_span_in_context(NonRecordingSpan(span)),
            severity_number=severity,
            attributes={**identity, **{name: value for name, value in result.items() if value is not None}},
            event_name=semconv.EVALUATION_RESULT,
        )
    )


def check_member(what: str, value: object, known: Iterable[str]) -> None:
    """Raise ValueError, with the nearest that is known, unless `value` is one of them."""
    known = tuple(known)
    if value not in known:
        import difflib  # nobody is to wait for it who makes no mistake

        near = difflib.get_close_matches(str(value), known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"{what} {value!r} is unknown{meant} Known: {', '.join(known)}")


def check_score(what: str, value: object) -> None:
    """Raise ValueError unless `value` is None or a number from 0 to 1."""
    if value is not None and not (isinstance(value, Real) and 0 <= float(value) <= 1):
        raise ValueError(f"{what} {value!r} is no number from 0 (bad) to 1 (good)")


def _id(span: SpanContext, kind: str) -> str | None:
    """By which each kind counts once for an answer, whichever way it is told; None where the call is not known."""
    from llmvitals._handle import feedback_id

    return feedback_id(span.trace_id, span.span_id, kind).hex() if span.is_valid else None


def _find(response: Any, of: str) -> tuple[str, Recent | None]:
    """The id of `response`, and its call if that is remembered; TypeError, about `of`, where it has no id."""
    ids = [response] if isinstance(response, str) else [*response_ids(response), *_of_its_call(response)]
    if not ids:
        raise TypeError(
            f"{of}: a {type(response).__name__} has no response id; give the response, its stream, "
            "a chunk that has the id, or the id"
        )
    for response_id in ids:
        call = _recent.find(response_id)
        if call is not None:
            return response_id, call
    return ids[0], None


def _of_its_call(stream: Any) -> list[str]:
    """The id of the answer that this is the stream of, as soon as it is known."""
    # A watched stream keeps its call under this name; the helpers of openai 3 and anthropic 2 hold the stream.
    calls = (get(holder, "_llmvitals_call") for holder in (stream, get(stream, "_raw_stream")))
    return [call.response_id for call in calls if call is not None and call.response_id]
