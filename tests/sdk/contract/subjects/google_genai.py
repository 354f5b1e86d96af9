"""Google's client: generateContent and embeddings, of the Gemini API and of Vertex AI, and its chats."""

import httpx
from google import genai
from google.genai import types

from subjects.subject import Subject

_ERRORS = {
    401: "google.genai.errors.ClientError",
    429: "google.genai.errors.ClientError",
    500: "google.genai.errors.ServerError",
}

# Whether the client passes on the tokens that the Gemini API counts of embeddings: 3 does, 2 does not.
_COUNTED = "usage_metadata" in types.EmbedContentResponse.model_fields


def _gemini(url, *, vertexai=False, timeout=None, max_retries=0, **_):
    options = types.HttpOptions(
        base_url=url,
        timeout=round(timeout * 1000) if timeout else None,
        client_args={"verify": False},
        async_client_args={"transport": httpx.AsyncHTTPTransport(verify=False)},  # else aiohttp, where it is installed
        retry_options=types.HttpRetryOptions(attempts=max_retries + 1, initial_delay=0.01, jitter=0.0),
    )
    return genai.Client(api_key="any", vertexai=vertexai, http_options=options)


def _vertex(url, **options):
    return _gemini(url, vertexai=True, **options)


def _async_gemini(url, **options):
    return _gemini(url, **options).aio


def _async_vertex(url, **options):
    return _vertex(url, **options).aio


def _subject(name, provider, clients, model, *, operation, call, acall, open=None, aopen=None, more=None, **facts):
    """call, acall, open, aopen: take the client, sync or async; more: other ways of calling that do not stream."""
    sync, asynchronous = clients

    async def awhole(found):
        return await acall(found.get(asynchronous))

    async def aopened(found):
        return await aopen(found.get(asynchronous))

    async def astream(found):
        return [chunk async for chunk in await aopened(found)]

    def opened(found):
        return open(found.get(sync))

    def whole(call):
        return lambda found: call(found.get(sync))

    return Subject(
        name=name,
        provider=provider,
        operation=operation,
        model=model,
        errors=_ERRORS,
        timeout="httpx.ReadTimeout",
        whole={name: whole(call) for name, call in {"call": call, **(more or {})}.items()} | {"async call": awhole},
        awhole=awhole,
        streamed={"stream": lambda found: list(opened(found)), "async stream": astream} if open else {},
        open=opened if open else None,
        aopen=aopened if aopen else None,
        lazy=True,
        openers=0,
        seen=lambda chunk: (type(chunk).__qualname__, chunk.candidates),
        **facts,
    )


def _generate(name, provider, clients):
    asked = {"model": "gemini-x", "contents": "Where is my parcel?"}
    raw = types.GenerateContentConfig(should_return_http_response=True)
    return _subject(
        name,
        provider,
        clients,
        "gemini-x",
        operation="generate_content",
        call=lambda client: client.models.generate_content(**asked),
        acall=lambda client: client.models.generate_content(**asked),
        open=lambda client: client.models.generate_content_stream(**asked),
        aopen=lambda client: client.models.generate_content_stream(**asked),
        more={"raw response": lambda client: client.models.generate_content(**asked, config=raw)},
    )


def _embed(name, provider, clients):
    asked = {"model": "text-embedding-005", "contents": ["Where?", "When?"]}
    return _subject(
        name,
        provider,
        clients,
        "text-embedding-005",
        operation="embeddings",
        call=lambda client: client.models.embed_content(**asked),
        acall=lambda client: client.models.embed_content(**asked),
        tells=frozenset() if provider == "gcp.gemini" and not _COUNTED else frozenset({"input"}),
    )


_GEMINI = "gcp.gemini", (_gemini, _async_gemini)
_VERTEX = "gcp.vertex_ai", (_vertex, _async_vertex)

SUBJECTS = [
    _generate("gemini generate_content", *_GEMINI),
    _generate("vertex ai generate_content", *_VERTEX),
    _subject(
        "gemini chat",
        *_GEMINI,
        "gemini-x",
        operation="generate_content",
        call=lambda client: client.chats.create(model="gemini-x").send_message("Where?"),
        acall=lambda client: client.chats.create(model="gemini-x").send_message("Where?"),
        open=lambda client: client.chats.create(model="gemini-x").send_message_stream("Where?"),
        aopen=lambda client: client.chats.create(model="gemini-x").send_message_stream("Where?"),
    ),
    _embed("gemini embed_content", *_GEMINI),
    _embed("vertex ai embed_content", *_VERTEX),
]
