"""One call is one span, however many layers observe it: ours, a framework's, another instrumentation's."""

import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context, attach, detach, set_value
from opentelemetry.trace import Span, SpanContext, set_span_in_context

from llmvitals import semconv
from llmvitals._call import Call, Unrecorded

# What OpenTelemetry's own exporters, and users, set around calls that are not to be observed. The
# public name of the key is in a package that we do not need (opentelemetry-instrumentation).
_SUPPRESSED = context._SUPPRESS_INSTRUMENTATION_KEY

_CALL = context.create_key("llmvitals.call")
# The value is a weak reference: connections that a client opens within a call keep the context for as
# long as they live (asyncio), and are not to keep the call, which may have to be collected.

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
    outer = call_in(current)
    return outer is not None and _same_kind(outer.operation, operation)


def call_in(current: Context) -> Call | Unrecorded | None:
    """The call that the client is making in this context."""
    reference: Any = current.get(_CALL)
    return None if reference is None else reference()


def is_span_of(span: Span, operation: str) -> bool:
    """Whether `span`, in which the call is made, is what somebody else has made for this same call.

    Frameworks make theirs current around the client's call (pydantic-ai 2.68, the official
    instrumentations 1.3b0), under the conventions' names.
    """
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    return _same_kind(attributes.get(semconv.OPERATION_NAME), operation) and span.is_recording()


def around(current: Context, span: Span, call: Call | Unrecorded) -> Context:
    """The context in which the client makes `call`: `span` is current, and what is inside knows that it is observed."""
    within = set_value(_CALL, weakref.ref(call), set_span_in_context(span, current))
    official = sys.modules.get(_OFFICIAL)
    if official is None:
        return within
    key, data = _OFFICIAL_EMBEDDINGS if call.operation == semconv.EMBEDDINGS else _OFFICIAL_INFERENCE
    key = getattr(official, key)
    return within if key in within else set_value(key, getattr(official, data)(), within)


def more_of(call: Call | Unrecorded) -> Context:
    """The current context, in which the client goes on with `call`: what is inside knows that it is observed."""
    return set_value(_CALL, weakref.ref(call))


@contextmanager
def unobserved() -> Iterator[None]:
    """A block whose calls nobody observes: they are llmvitals' own, and not the app's."""
    token = attach(set_value(_SUPPRESSED, True))
    try:
        yield
    finally:
        detach(token)


def carry_tracestate(parent: Span, span: Span) -> None:
    """Give `span` the tracestate of `parent` where the sampler has dropped it.

    There is the probability with which the trace was sampled, by which a collector weights its calls
    (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/). Composite samplers
    of opentelemetry-sdk 1.45 lose it: `start_span` gives them no parent to take it from.
    """
    state = parent.get_span_context().trace_state
    if state:
        own = span.get_span_context()
        if not own.trace_state and hasattr(span, "_context"):
            span._context = SpanContext(own.trace_id, own.span_id, own.is_remote, own.trace_flags, state)


def _same_kind(one: Any, other: str) -> bool:
    return one == other or (one in _INFERENCE and other in _INFERENCE)
