"""What only Google's client does: it calls functions by itself, in streams within streams, and over aiohttp."""

import gc

import pytest
from google import genai
from opentelemetry import trace

import llmvitals
from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider


def look_up_order() -> str:
    """Look up the order."""
    return "on its way"


ASKED = {"model": "gemini-x", "contents": "Where?", "config": {"tools": [look_up_order]}}


def gemini(url, vertexai=False, **_):
    return genai.Client(
        api_key="any", vertexai=vertexai, http_options={"base_url": url, "client_args": {"verify": False}}
    )


@pytest.fixture
def client():
    """A client whose first request is answered by a function call, and the second one by text."""
    answers = iter([Behaviour(tool_call=True), Behaviour(output_tokens=20)])
    with Provider(lambda _: next(answers)) as provider, gemini(provider.url) as made:
        yield made


CHAT = {"config": ASKED["config"], "model": "gemini-x"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.models.generate_content(**ASKED),
        lambda client: list(client.models.generate_content_stream(**ASKED)),
        lambda client: client.chats.create(**CHAT).send_message("Where?"),
        lambda client: list(client.chats.create(**CHAT).send_message_stream("Where?")),
    ],
    ids=["generate_content", "generate_content_stream", "send_message", "send_message_stream"],
)
def test_each_request_that_follows_up_a_function_call_is_a_call(ask, client, spans):
    ask(client)
    first, second = spans()
    assert first.attributes[semconv.INPUT_COUNT] < second.attributes[semconv.INPUT_COUNT]
    assert first.attributes[semconv.USAGE_OUTPUT_TOKENS] == 8
    assert second.attributes[semconv.USAGE_OUTPUT_TOKENS] == 20


def test_calls_in_a_stream_belong_to_where_the_app_asked_for_it_and_not_to_where_it_reads(client, spans):
    with llmvitals.prompt("support-answer"), trace.get_tracer("app").start_as_current_span("page") as page:
        stream = client.models.generate_content_stream(**ASKED)
    list(stream)
    assert [span.parent.span_id for span in spans()] == [page.get_span_context().span_id] * 2
    assert [span.attributes[semconv.PROMPT_NAME] for span in spans()] == ["support-answer"] * 2


def test_a_stream_that_is_closed_after_a_function_call_closes_the_call_in_progress(client, spans):
    stream = client.models.generate_content_stream(**ASKED)
    while not spans():  # until the first call is over, and the second one has brought a chunk
        next(stream)
    stream.close()
    first, second = spans()
    assert first.attributes[semconv.STREAM_ENDING] == semconv.COMPLETE
    assert second.attributes[semconv.STREAM_ENDING] == semconv.CLOSED


# ---- aiohttp, which is what the async client takes where it is installed ---------------------------------

over_aiohttp = pytest.mark.filterwarnings("ignore:Inheritance class Aiohttp:DeprecationWarning")


def async_gemini(url, **_):
    return gemini(url).aio


@over_aiohttp
def test_a_stream_over_aiohttp(clients, spans, arun):
    loopback = clients(Behaviour(output_tokens=5))

    async def read():
        stream = await loopback.get(async_gemini).models.generate_content_stream(model="gemini-x", contents="Where?")
        return [chunk async for chunk in stream]

    assert arun(read(), loopback)
    (span,) = spans()
    assert span.attributes[semconv.STREAM_ENDING] == semconv.COMPLETE
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] == 5
    assert span.attributes[semconv.REQUEST_ATTEMPTS] == 1


@over_aiohttp
def test_a_dropped_stream_over_aiohttp_ends_its_call(clients, ended, arun):
    """Its connection, and with it the context in which it was made, may outlive it."""
    loopback = clients(Behaviour(token_seconds=0.02, output_tokens=50))

    async def drop():
        stream = await loopback.get(async_gemini).models.generate_content_stream(model="gemini-x", contents="Where?")
        await anext(stream)

    arun(drop(), loopback)
    gc.collect()
    ended(semconv.ABANDONED)


def test_vertex_ai_is_known_by_the_client_and_not_by_its_host_alone(clients, spans):
    loopback = clients()
    with gemini(loopback.provider.url, vertexai=True) as client:
        client.models.generate_content(model="publishers/google/models/gemini-x", contents="Where?")
    assert spans()[0].attributes[semconv.PROVIDER_NAME] == "gcp.vertex_ai"
    assert spans()[0].attributes[semconv.REQUEST_MODEL] == "gemini-x"
