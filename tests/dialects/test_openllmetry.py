"""What OpenLLMetry tells beside what its fixtures hold: its old style, its workflows, and what looks like it."""

import pytest

from llmvitals import semconv

SECOND = 10**9  # in nanoseconds


@pytest.mark.parametrize(
    ("request_type", "operation"),
    [("chat", "chat"), ("completion", "text_completion"), ("embedding", "embeddings")],
)
def test_openllmetry_in_its_old_style_tells_the_type_of_request(read, request_type, operation):
    told = read("opentelemetry.instrumentation.cohere", {"llm.request.type": request_type, "gen_ai.system": "Cohere"})
    assert (told["operation"], told["dialect"]) == (operation, "openllmetry")


def test_openllmetry_s_rerank_is_no_call(read):
    assert read("opentelemetry.instrumentation.cohere", {"llm.request.type": "rerank"}) is None


def test_tokens_of_very_old_openllmetry_are_read(read):
    attributes = {"llm.request.type": "chat", "llm.usage.prompt_tokens": 7, "llm.usage.completion_tokens": 5}
    told = read("opentelemetry.instrumentation.openai.v0", attributes)
    assert (told["input_tokens"], told["output_tokens"]) == (7, 5)


@pytest.mark.parametrize("event", ["gen_ai.content.completion.chunk", "llm.content.completion.chunk"])
def test_openllmetry_tells_the_first_chunk_by_an_event(read, event):
    told = read("opentelemetry.instrumentation.openai.v1", {"llm.request.type": "chat"}, {event: SECOND // 2})
    assert told["time_to_first_chunk"] == 0.5


@pytest.mark.parametrize("kind", ["workflow", "agent", "tool", "task"])
def test_openllmetry_s_workflows_and_their_parts_are_no_calls(read, kind):
    assert read("traceloop.tracer", {"traceloop.span.kind": kind}) is None


@pytest.mark.parametrize("scope", ["genai.openai", "google_genai", "openai_v2"])
def test_opentelemetry_s_own_instrumentations_are_not_taken_for_openllmetry(read, scope):
    told = read(f"opentelemetry.instrumentation.{scope}", {semconv.OPERATION_NAME: "chat"})
    assert told["dialect"] == "genai"


def test_an_instrumentation_of_something_else_is_not_taken_for_openllmetry(read):
    assert read("opentelemetry.instrumentation.requests", {"http.request.method": "POST"}) is None
