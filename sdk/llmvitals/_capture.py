"""Opt-in content: whether a call's is captured, and how it goes out, on its span, as an event or both."""

import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span, set_span_in_context

from llmvitals import _export, _prompt, semconv
from llmvitals._call import Call
from llmvitals._content import Content, Redact, Transcript, mode_named
from llmvitals._guard import Guard, logger

_VARIABLES = 32  # of a template that go on a span, which has room for 128 attributes of all kinds


class _Settings(NamedTuple):
    """kept: characters of an answer that are looked at; limit: of them those that an attribute can have."""

    mode: str
    kept: int
    limit: int
    redact: Redact | None


_settings = _Settings(semconv.NO_CONTENT, semconv.CONTENT_LIMIT, semconv.CONTENT_LIMIT, None)


def configure(content: str | None, redact: Redact | None) -> None:
    """Capture content from now on as said; None is what the environment says.

    content: one of semconv.CONTENT_MODES. redact: the app's own redaction, after the built-in one.
    Raises ValueError for another mode and TypeError for what can't be called; a wrong variable of the environment
    is logged, and counts as not set.
    """
    global _settings
    if redact is not None and not callable(redact):
        raise TypeError(f"redact is a {type(redact).__name__}; it is to be a function from text to text, or None")
    mode = _mode_of_environment() if content is None else mode_named(content)
    kept = _kept()
    _settings = _Settings(mode, kept, min([kept, *_limits_of_opentelemetry()]), redact)


def wanted() -> str | None:
    """How the content of the call that starts now is to be captured, one of semconv.CONTENT_MODES; None: not at all."""
    template = _prompt.current.get()
    mode = template.content if template and template.content else _settings.mode
    return None if mode == semconv.NO_CONTENT else mode


def transcript() -> Transcript:
    """What takes the answer of the call that starts now."""
    return Transcript(_settings.kept)


class Capture:
    """What is captured of one call.

    mode: one of semconv.CONTENT_MODES. content: what the request says.
    """

    __slots__ = ("_content", "_mode", "_settings", "_variables")

    def __init__(self, mode: str, content: Content) -> None:
        template = _prompt.current.get()
        self._mode = mode
        self._settings = _settings
        self._content = content
        self._variables = (template.variables if template else None) or {}

    def record(self, call: Call, span: Span, at: int) -> None:
        """Put it where the mode says, before the span ends; at: nanoseconds since the epoch.

        All of it or, where redaction fails, nothing.
        https://github.com/open-telemetry/semantic-conventions-genai, `gen_ai.client.inference.operation.details`.
        """
        with Guard("capturing content"):
            # Most apps never come here, and are not to wait for it when they start.
            from llmvitals._fit import fit, fit_text
            from llmvitals._redact import redaction

            limit, redact = self._settings.limit, redaction(self._settings.redact)
            written = self._written(call, lambda items: fit(items, limit, redact))
            variables = self._told_variables(lambda value: fit_text(value, limit, redact))
            if self._mode != semconv.SPAN_ONLY:
                details = {name: json.loads(content) for name, content in written.items()}
                known: dict[str, Any] = dict(getattr(span, "attributes", None) or {})  # an SDK's span has them
                _export.event_logger().emit(
                    LogRecord(
                        timestamp=at,
                        context=set_span_in_context(span),
                        attributes=known | variables | details,
                        event_name=semconv.OPERATION_DETAILS,
                    )
                )
            if self._mode != semconv.EVENT_ONLY:
                span.set_attributes(written | variables)

    def _written(self, call: Call, fit: Callable[[Any], str | None]) -> dict[str, str]:
        """Attribute -> JSON, of those that have something to say."""
        content, transcript = self._content, call.answer.transcript
        said = {
            semconv.INPUT_MESSAGES: content.messages,
            semconv.SYSTEM_INSTRUCTIONS: content.system,
            semconv.TOOL_DEFINITIONS: content.tools,
            semconv.OUTPUT_MESSAGES: transcript.messages(call.answer.finish_reasons) if transcript else [],
        }
        fitted = {name: fit(items) for name, items in said.items() if items}
        return {name: written for name, written in fitted.items() if written}

    def _told_variables(self, fit: Callable[[Any], str]) -> dict[str, str]:
        return {
            semconv.PROMPT_VARIABLE + str(name): fit(value)
            for name, value in list(self._variables.items())[:_VARIABLES]
        }


def _mode_of_environment() -> str:
    told = os.environ.get(semconv.CAPTURE_CONTENT)
    if not told:
        return semconv.NO_CONTENT
    try:
        return mode_named(told)
    except ValueError as fault:
        logger.warning("llmvitals: %s: %s; no content is captured", semconv.CAPTURE_CONTENT, fault)
        return semconv.NO_CONTENT


def _kept() -> int:
    """Characters, as LLMVITALS_CONTENT_LIMIT says."""
    told = os.environ.get(semconv.CONTENT_LIMIT_VARIABLE) or str(semconv.CONTENT_LIMIT)
    if not told.isdecimal() or int(told) == 0:
        logger.warning(
            "llmvitals: %s: %r is no whole number of characters above 0; the limit is %d",
            *(semconv.CONTENT_LIMIT_VARIABLE, told, semconv.CONTENT_LIMIT),
        )
        return semconv.CONTENT_LIMIT
    return int(told)


def _limits_of_opentelemetry() -> list[int]:
    """Beyond these its SDK cuts attributes, and JSON in their middle."""
    told = (os.environ.get(name, "") for name in semconv.ATTRIBUTE_LENGTH_LIMITS)
    return [int(limit) for limit in told if limit.isdecimal()]
