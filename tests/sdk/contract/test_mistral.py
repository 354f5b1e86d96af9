"""What only Mistral's client does: retries for a time, conversations, its own tracing, and a client for each cloud."""

import json

import mistralai.azure.client
import mistralai.gcp.client
import pytest
from mistralai.client import Mistral
from mistralai.client.httpclient import httpx
from mistralai.client.utils import BackoffStrategy, RetryConfig
from mistralai.extra.observability import set_tracer_provider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llmvitals import semconv

MESSAGES = [{"role": "user", "content": "Where?"}]
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
COMPLETION = {
    "id": "cmpl-1",
    "object": "chat.completion",
    "model": "mistral-x",
    "created": 1,
    "usage": USAGE,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Here"}, "finish_reason": "stop"}],
}
EVENTS = [
    {"type": "conversation.response.started", "conversation_id": "conv-1"},
    {"type": "message.output.delta", "id": "m", "model": "mistral-x", "content": "Here"},
    {"type": "conversation.response.done", "usage": USAGE},
]


@pytest.fixture
def answering():
    """A Mistral client whose every request is answered by what is given, whole or as a stream of events."""
    made = []

    def make(*answers, kind=Mistral, **options):
        waiting = list(answers)

        def answer(_request):
            body = waiting.pop(0)
            if isinstance(body, int):
                return httpx.Response(body, json={})
            if isinstance(body, dict):
                return httpx.Response(200, json=body)
            stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in body)
            return httpx.Response(200, text=stream, headers={"content-type": "text/event-stream"})

        made.append(httpx.Client(transport=httpx.MockTransport(answer)))
        return kind(client=made[-1], **options)

    yield make
    for connections in made:
        connections.close()


def test_retries_are_one_call(answering, spans):
    again = RetryConfig("backoff", BackoffStrategy(1, 2, 1.0, 10_000, 1), retry_connection_errors=False)
    answering(500, 503, COMPLETION, api_key="any", retry_config=again).chat.complete(model="m", messages=MESSAGES)
    (span,) = spans()
    assert span.attributes[semconv.REQUEST_ATTEMPTS] == 3


def test_what_is_added_to_a_conversation_is_a_call(answering, spans):
    outputs = [{"type": "message.output", "model": "mistral-x", "content": "Here"}]
    client = answering({"conversation_id": "conv-1", "outputs": outputs, "usage": USAGE}, api_key="any")
    client.beta.conversations.start(model="mistral-x", inputs="Where?", instructions="Be kind.")
    (span,) = spans()
    assert span.name == "chat mistral-x"
    assert span.attributes[semconv.CONVERSATION_ID] == "conv-1"
    assert span.attributes[semconv.INPUT_COUNT] == 2
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] == 3


def test_a_conversation_s_stream_is_a_call_that_lasts_to_its_end(answering, spans):
    client = answering(EVENTS, api_key="any")
    with client.beta.conversations.append_stream(conversation_id="conv-1", inputs="When?") as events:
        assert not spans()
        assert len(list(events)) == 3
    (span,) = spans()
    assert span.attributes[semconv.STREAM_ENDING] == semconv.COMPLETE
    assert span.attributes[semconv.RESPONSE_MODEL] == "mistral-x"
    assert span.attributes[semconv.CONVERSATION_ID] == "conv-1"


def test_an_agent_s_completion_is_a_call_that_names_the_agent(answering, spans):
    answering(COMPLETION, api_key="any").agents.complete(agent_id="ag-1", messages=MESSAGES)
    (span,) = spans()
    assert span.name == "chat"
    assert span.attributes[semconv.AGENT_ID] == "ag-1"
    assert span.attributes[semconv.RESPONSE_MODEL] == "mistral-x"


def test_who_asks_for_the_client_s_own_span_gets_that_one_alone(answering, spans):
    own = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(own))
    client = answering(COMPLETION, api_key="any")
    set_tracer_provider(client, provider)
    client.chat.complete(model="mistral-x", messages=MESSAGES)
    assert len(own.get_finished_spans()) == 1
    assert not spans()


def test_the_client_s_own_span_may_be_asked_for_in_the_environment(answering, spans, monkeypatch):
    monkeypatch.setenv("MISTRAL_SDK_TELEMETRY", "global")
    answering(COMPLETION, api_key="any").chat.complete(model="mistral-x", messages=MESSAGES)
    assert not spans()


def test_the_clients_for_azure_and_google_s_cloud_are_watched_too(answering, spans):
    azure = answering(
        COMPLETION, kind=mistralai.azure.client.MistralAzure, api_key="any", server_url="https://h.ai.azure.com"
    )
    azure.chat.complete(model="mistral-x", messages=MESSAGES)
    google = answering(
        COMPLETION, kind=mistralai.gcp.client.MistralGCP, access_token="any", project_id="p", region="europe-west4"
    )
    google.chat.complete(model="mistral-x", messages=MESSAGES)
    assert [(span.attributes[semconv.PROVIDER_NAME], span.attributes[semconv.SERVER_ADDRESS]) for span in spans()] == [
        ("azure.ai.inference", "h.ai.azure.com"),
        ("gcp.vertex_ai", "europe-west4-aiplatform.googleapis.com"),
    ]
