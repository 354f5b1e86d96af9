"""One call is one span, though somebody else observes it too; theirs gets what only we know."""

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import TraceState

import llmvitals
from llmvitals import _nesting, semconv
from llmvitals_collector.demo.behaviour import Behaviour

OFFICIAL = {
    "openai": ("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
    "anthropic": ("opentelemetry.instrumentation.genai.anthropic", "AnthropicInstrumentor"),
}


@pytest.fixture(params=OFFICIAL)
def official(request, spans):
    """OpenTelemetry's own instrumentation of a client, whose name it is."""
    module, name = OFFICIAL[request.param]
    instrumentor = getattr(pytest.importorskip(module), name)()
    instrumentor.instrument()
    yield request.param
    instrumentor.uninstrument()


def chat(client, name, **more):
    prompt = [{"role": "user", "content": "Where?"}]
    if name == "openai":
        return client.openai.chat.completions.create(model="m", messages=prompt, **more)
    return client.anthropic.messages.create(model="m", max_tokens=9, messages=prompt, **more)


def test_a_call_that_the_official_instrumentation_observes_is_its_span_with_what_we_add(
    official, clients, every_span, spans
):
    with llmvitals.prompt("support-answer"):
        chat(clients(), official)
    (span,) = every_span()
    assert not spans(), "it is not ours"
    assert span.attributes[semconv.PROMPT_NAME] == "support-answer"
    assert span.attributes[semconv.INPUT_COUNT] == 1


def test_a_stream_that_the_official_instrumentation_observes_tells_its_first_token_too(official, clients, every_span):
    with chat(clients(Behaviour(output_tokens=5)), official, stream=True) as stream:
        list(stream)
    (span,) = every_span()
    assert span.attributes[semconv.TIME_TO_FIRST_TOKEN] > 0
    assert span.attributes[semconv.STREAM_CHUNKS] >= 5


def test_a_call_closed_early_that_the_official_instrumentation_observes_is_one_span(official, clients, every_span):
    with chat(clients(Behaviour(output_tokens=50, token_seconds=0.01)), official, stream=True) as stream:
        next(iter(stream))
    assert len(every_span()) == 1


def test_feedback_on_a_call_that_somebody_else_observes_stands_on_their_span(clients, every_span, events, spans):
    tracer = trace.get_tracer("a framework")
    with tracer.start_as_current_span("chat m", attributes={semconv.OPERATION_NAME: "chat"}) as theirs:
        response = clients().openai.chat.completions.create(model="m", messages=[])
    assert llmvitals.feedback(response, "thumb_up")
    assert events()[0].span_id == theirs.get_span_context().span_id
    assert not spans()


def test_an_agent_s_span_is_no_call_s(clients, spans):
    with trace.get_tracer("a framework").start_as_current_span(
        "invoke_agent", attributes={semconv.OPERATION_NAME: "invoke_agent"}
    ):
        clients().openai.chat.completions.create(model="m", messages=[])
    assert len(spans()) == 1


def test_an_embeddings_call_within_a_chat_is_a_call_of_its_own(clients, spans):
    with trace.get_tracer("a framework").start_as_current_span("chat m", attributes={semconv.OPERATION_NAME: "chat"}):
        clients().openai.embeddings.create(model="m", input="x")
    assert [span.attributes[semconv.OPERATION_NAME] for span in spans()] == ["embeddings"]


def test_calls_whose_observation_is_suppressed_are_not_observed(clients, spans):
    token = context.attach(context.set_value(_nesting._SUPPRESSED, True))
    try:
        clients().openai.chat.completions.create(model="m", messages=[])
    finally:
        context.detach(token)
    assert not spans()


def test_the_probability_with_which_a_trace_was_sampled_is_on_the_span(clients, spans, monkeypatch):
    from opentelemetry.sdk.trace._sampling_experimental import (
        composable_parent_threshold,
        composable_traceid_ratio_based,
        composite_sampler,
    )

    from llmvitals import _export

    sampler = composite_sampler(composable_parent_threshold(composable_traceid_ratio_based(0.5)))
    provider = TracerProvider(sampler=sampler)
    monkeypatch.setattr(_export, "tracer", lambda: provider.get_tracer("llmvitals"))
    ended = []
    monkeypatch.setattr("opentelemetry.sdk.trace.Span.end", lambda span, *_: ended.append(span))
    state = TraceState([("ot", "th:8")])
    parent = trace.SpanContext(
        0xF << 52 | 1 << 100, 1, is_remote=True, trace_flags=trace.TraceFlags(1), trace_state=state
    )
    with trace.use_span(trace.NonRecordingSpan(parent)):
        clients().openai.chat.completions.create(model="m", messages=[])
    (span,) = ended
    assert span.get_span_context().trace_state.get("ot") == "th:8"
    assert span.get_span_context().trace_id == parent.trace_id
