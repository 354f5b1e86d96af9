"""Cohere's client: chat and embeddings, of both versions of its API."""

from typing import Any

import cohere
import cohere.core.http_client
import httpx

from subjects.subject import PROMPT, Subject

# The loopback's retry-after is no whole second, which the client doesn't understand: it waits so long of itself.
cohere.core.http_client.INITIAL_RETRY_DELAY_SECONDS = 0.01

_ERRORS = {
    401: "cohere.errors.unauthorized_error.UnauthorizedError",
    429: "cohere.errors.too_many_requests_error.TooManyRequestsError",
    500: "cohere.errors.internal_server_error.InternalServerError",
}


def _made(kind: Any, http: Any) -> Any:
    def make(url: str, *, api_key: str, max_retries: int, timeout: float = 60) -> Any:
        connections = http(verify=False, timeout=timeout)
        client = kind(api_key, base_url=url, httpx_client=connections)
        client._client_wrapper.httpx_client.base_max_retries = max_retries  # cohere 6 has no option for it
        client.close = connections.aclose if http is httpx.AsyncClient else connections.close
        return client

    return lambda clients: clients.get(make)


_V1, _AV1 = _made(cohere.Client, httpx.Client), _made(cohere.AsyncClient, httpx.AsyncClient)
_V2, _AV2 = _made(cohere.ClientV2, httpx.Client), _made(cohere.AsyncClientV2, httpx.AsyncClient)


def _seen(chunk: Any) -> Any:
    """A chunk without its id."""
    told = {"event_type", "type", "text", "delta", "index"}
    return type(chunk), {name: value for name, value in chunk.model_dump().items() if name in told}


def _chat(name: str, sync: Any, asynchronous: Any, request: dict[str, Any], **facts: Any) -> Subject:
    async def achat(clients: Any) -> Any:
        return await asynchronous(clients).chat(**request)

    async def araw_chat(clients: Any) -> Any:
        return (await asynchronous(clients).with_raw_response.chat(**request)).data

    def open_(clients: Any) -> Any:
        return sync(clients).chat_stream(**request)

    async def aopen(clients: Any) -> Any:
        return asynchronous(clients).chat_stream(**request)

    async def astream(clients: Any) -> Any:
        return [chunk async for chunk in await aopen(clients)]

    def raw_stream(clients: Any) -> Any:
        with sync(clients).with_raw_response.chat_stream(**request) as response:
            assert isinstance(response, cohere.core.http_response.HttpResponse)
            return list(response.data)

    async def araw_stream(clients: Any) -> Any:
        async with asynchronous(clients).with_raw_response.chat_stream(**request) as response:
            return [chunk async for chunk in response.data]

    return Subject(
        name=name,
        provider="cohere",
        operation="chat",
        model=request["model"],
        errors=_ERRORS,
        timeout="httpx.ReadTimeout",
        whole={
            "chat": lambda clients: sync(clients).chat(**request),
            "async chat": achat,
            "raw response": lambda clients: sync(clients).with_raw_response.chat(**request).data,
            "async raw response": araw_chat,
        },
        awhole=achat,
        streamed={
            "stream": lambda clients: list(open_(clients)),
            "async stream": astream,
            "raw stream": raw_stream,
            "async raw stream": araw_stream,
        },
        open=open_,
        aopen=aopen,
        lazy=True,
        seen=_seen,
        **facts,
    )


def _embeddings(name: str, sync: Any, asynchronous: Any, request: dict[str, Any]) -> Subject:
    async def aembed(clients: Any) -> Any:
        return await asynchronous(clients).embed(**request)

    return Subject(
        name=name,
        provider="cohere",
        operation="embeddings",
        model=request["model"],
        errors=_ERRORS,
        timeout="httpx.ReadTimeout",
        whole={
            "embed": lambda clients: sync(clients).embed(**request),
            "async embed": aembed,
            "raw response": lambda clients: sync(clients).with_raw_response.embed(**request).data,
        },
        awhole=aembed,
        tells=frozenset({"input", "id"}),
    )


_CHAT = {"model": "command-x", "messages": PROMPT}
_CHAT_V1 = {"model": "command-x", "message": PROMPT[0]["content"]}
_EMBED = {"model": "embed-x", "texts": ["Where?", "When?"], "input_type": "search_query"}

SUBJECTS = [
    _chat("cohere chat", _V2, _AV2, _CHAT, openers=2),
    _chat("cohere chat of version 1", _V1, _AV1, _CHAT_V1, reasons=False),
    _embeddings("cohere embed", _V2, _AV2, _EMBED | {"embedding_types": ["float"]}),
    _embeddings("cohere embed of version 1", _V1, _AV1, _EMBED),
]
