"""One call is one span, however many layers observe it: ours, a framework's, another instrumentation's."""

import sys
from collections.abc import Mapping
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, get_current_span

from llmvitals import semconv

# What OpenTelemetry's own exporters, and users, set around calls that are not to be observed. The
# public name of the key is in a package that we do not need (opentelemetry-instrumentation).
_SUPPRESSED = context._SUPPRESS_INSTRUMENTATION_KEY

CALL = context.create_key("llmvitals.call")
"""Under this key the context has the call that the client is making now."""

_INFERENCE = (semconv.CHAT, semconv.GENERATE_CONTENT, semconv.TEXT_COMPLETION)

# Under these keys the official instrumentations (opentelemetry-util-genai 1.3b0) look for a call around
# theirs, which then gets what they know; found there, an object of theirs keeps them from a span of their own.
_OFFICIAL = "opentelemetry.util.genai.invocation"
_OFFICIAL_INFERENCE = ("CLIENT_INFERENCE_CONTEXT_KEY", "InferenceData")
_OFFICIAL_EMBEDDINGS = ("CLIENT_EMBEDDING_CONTEXT_KEY", "EmbeddingData")


def is_observed(current: Context, operation: str) -> bool:
    """Whether a call of ours is in progress around this one, of the same kind, or observation is suppressed."""
    if current.get(_SUPPRESSED):
        return True
    outer = current.get(CALL)
    return outer is not None and _same_kind(outer.operation, operation)  # type: ignore[attr-defined]


def foreign_span(current: Context, operation: str) -> Span | None:
    """The span that somebody else has made for this same call, and in which it is made; None where there is none.

    Frameworks make theirs current around the client's call (pydantic-ai 2.68, the official
    instrumentations 1.3b0), under the conventions' names.
    """
    span = get_current_span(current)
    attributes: Mapping[str, Any] | None = getattr(span, "attributes", None)
    if attributes and span.is_recording() and _same_kind(attributes.get(semconv.OPERATION_NAME), operation):
        return span
    return None


def around(current: Context, call: Any) -> Context:
    """The context in which the client makes `call`: what is inside knows that it is observed."""
    values = {**current, CALL: call}
    official = sys.modules.get(_OFFICIAL)
    if official is not None:
        key, data = _OFFICIAL_EMBEDDINGS if call.operation == semconv.EMBEDDINGS else _OFFICIAL_INFERENCE
        values.setdefault(getattr(official, key), getattr(official, data)())
    return Context(values)


def carry_tracestate(current: Context, span: Span) -> None:
    """Give `span` its parent's tracestate where the sampler has dropped it.

    There is the probability with which the trace was sampled, by which a collector weights its calls
    (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/). Composite samplers
    of opentelemetry-sdk 1.45 lose it: `start_span` gives them no parent to take it from.
    """
    parent, own = get_current_span(current).get_span_context(), span.get_span_context()
    if parent.trace_state and not own.trace_state and hasattr(span, "_context"):
        span._context = SpanContext(own.trace_id, own.span_id, own.is_remote, own.trace_flags, parent.trace_state)


def _same_kind(one: Any, other: str) -> bool:
    return one == other or (one in _INFERENCE and other in _INFERENCE)
