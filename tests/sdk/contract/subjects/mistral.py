"""Mistral's client: chat, agents, fill in the middle and embeddings."""

import inspect
from typing import Any

import pydantic
from mistralai.client import Mistral
from mistralai.client.httpclient import httpx  # of version 3 it is httpx2

from subjects.subject import PROMPT, Subject

_ERROR = "mistralai.client.errors.sdkerror.SDKError"


class _Parcel(pydantic.BaseModel):
    place: str


def _sync(clients: Any) -> Any:
    return clients.get(_make)


def _async(clients: Any) -> Any:
    return clients.get(_amake)


def _make(url: str, *, api_key: str, timeout_ms: int = 60_000, **_: Any) -> Any:
    connections = httpx.Client(verify=False)
    client = Mistral(api_key, server_url=f"{url}/mistral", client=connections, timeout_ms=timeout_ms)
    client.close = connections.close
    return client


def _amake(url: str, *, api_key: str, timeout_ms: int = 60_000, **_: Any) -> Any:
    connections = httpx.AsyncClient(verify=False)
    client = Mistral(api_key, server_url=f"{url}/mistral", async_client=connections, timeout_ms=timeout_ms)
    client.aclose = connections.aclose
    return client


def _awaits_chunk(stream: Any) -> bool:
    """Whether somebody waits for a chunk of an `EventStream`, or of its asynchronous twin."""
    chunks = stream.generator
    return chunks.gi_running if inspect.isgenerator(chunks) else chunks.ag_running


def _seen(chunk: Any) -> Any:
    """A chunk without its id."""
    return type(chunk), chunk.data.choices


def _subject(name: str, resource: str, request: dict[str, Any], **facts: Any) -> Subject:
    def complete(clients: Any) -> Any:
        return getattr(_sync(clients), resource).complete(**request)

    async def acomplete(clients: Any) -> Any:
        return await getattr(_async(clients), resource).complete_async(**request)

    def open_(clients: Any) -> Any:
        return getattr(_sync(clients), resource).stream(**request)

    async def aopen(clients: Any) -> Any:
        return await getattr(_async(clients), resource).stream_async(**request)

    async def astream(clients: Any) -> Any:
        return [chunk async for chunk in await aopen(clients)]

    def in_a_block(clients: Any) -> Any:
        with open_(clients) as chunks:
            return list(chunks)

    async def in_an_async_block(clients: Any) -> Any:
        async with await aopen(clients) as chunks:
            return [chunk async for chunk in chunks]

    more, more_streamed = facts.pop("more", {}), facts.pop("more_streamed", {})
    return Subject(
        name=name,
        provider="mistral_ai",
        errors=dict.fromkeys((401, 429, 500), _ERROR),
        timeout=f"{httpx.__name__}.ReadTimeout",
        impatient={"timeout_ms": 250},
        retrying=None,  # it retries for a time, not so many times
        whole={"complete": complete, "async complete": acomplete, **more},
        awhole=acomplete,
        streamed={
            "stream": lambda clients: list(open_(clients)),
            "stream in a block": in_a_block,
            "async stream": astream,
            "async stream in a block": in_an_async_block,
            **more_streamed,
        },
        open=open_,
        aopen=aopen,
        aclose=lambda stream: stream.close(),
        awaits_chunk=_awaits_chunk,
        seen=_seen,
        **facts,
    )


_CHAT = {"model": "mistral-x", "messages": PROMPT}


async def _aparse_stream(clients: Any) -> Any:
    return [chunk async for chunk in await _async(clients).chat.parse_stream_async(_Parcel, **_CHAT)]


_EMBED = {"model": "embed-x", "inputs": ["Where?", "When?"]}


async def _aembed(clients: Any) -> Any:
    return await _async(clients).embeddings.create_async(**_EMBED)


SUBJECTS = [
    _subject(
        "mistral chat",
        "chat",
        _CHAT,
        operation="chat",
        model="mistral-x",
        more_streamed={
            "parsed stream": lambda clients: list(_sync(clients).chat.parse_stream(_Parcel, **_CHAT)),
            "async parsed stream": _aparse_stream,
        },
    ),
    _subject(
        "mistral fill in the middle",
        "fim",
        {"model": "codestral-x", "prompt": "def where(", "suffix": "return"},
        operation="text_completion",
        model="codestral-x",
    ),
    Subject(
        name="mistral embeddings",
        provider="mistral_ai",
        operation="embeddings",
        model="embed-x",
        errors=dict.fromkeys((401, 429, 500), _ERROR),
        timeout=f"{httpx.__name__}.ReadTimeout",
        impatient={"timeout_ms": 250},
        retrying=None,
        whole={
            "create": lambda clients: _sync(clients).embeddings.create(**_EMBED),
            "async create": _aembed,
        },
        awhole=_aembed,
        tells=frozenset({"input", "id"}),
    ),
]
