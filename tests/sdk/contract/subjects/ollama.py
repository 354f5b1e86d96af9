"""Ollama's client: chat, text generation, embeddings."""

import ollama

from subjects.subject import PROMPT, Subject

_ERROR = "ollama._types.ResponseError"


def _client(url, *, timeout=None, **_):
    return ollama.Client(url, timeout=timeout, verify=False)


def _async_client(url, *, timeout=None, **_):
    return ollama.AsyncClient(url, timeout=timeout, verify=False)


def _subject(name, method, request, *, streams=True, **facts):
    def sync(clients, **more):
        return getattr(clients.get(_client), method)(**request, **more)

    async def asynchronous(clients, **more):
        return await getattr(clients.get(_async_client), method)(**request, **more)

    def by_position(clients):
        return getattr(clients.get(_client), method)(*request.values())

    def opened(clients):
        return sync(clients, stream=True)

    async def aopen(clients):
        return await asynchronous(clients, stream=True)

    async def astream(clients):
        return [chunk async for chunk in await aopen(clients)]

    return Subject(
        name=name,
        provider="ollama",
        model=request["model"],
        errors=dict.fromkeys((401, 429, 500), _ERROR),
        timeout="httpx.ReadTimeout",
        retrying=None,
        whole={"call": sync, "call by position": by_position, "async call": asynchronous},
        awhole=asynchronous,
        streamed={"stream": lambda clients: list(opened(clients)), "async stream": astream} if streams else {},
        open=opened if streams else None,
        aopen=aopen if streams else None,
        lazy=True,
        openers=0,
        seen=lambda chunk: (type(chunk).__qualname__, chunk.get("message"), chunk.get("response"), chunk.get("done")),
        stream_tells=frozenset({"input", "output", "finish"}),
        **facts,
    )


_TOLD = frozenset({"input", "output", "finish"})

SUBJECTS = [
    _subject("ollama chat", "chat", {"model": "llama-x", "messages": PROMPT}, operation="chat", tells=_TOLD),
    _subject(
        "ollama generate",
        "generate",
        {"model": "llama-x", "prompt": "Where?"},
        operation="text_completion",
        tells=_TOLD,
    ),
    _subject(
        "ollama embed of a batch",
        "embed",
        {"model": "embed-x", "input": ["Where?", "When?"]},
        operation="embeddings",
        streams=False,
        tells=frozenset({"input"}),
    ),
]
