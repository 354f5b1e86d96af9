"""Groq's client: chat completions and embeddings."""

from typing import Any

import groq

from subjects import stainless
from subjects.subject import PROMPT, Subject


def _made(kind: Any, http: Any) -> Any:
    def make(url: str, **options: Any) -> Any:
        return kind(base_url=url, http_client=http(verify=False), **options)

    return lambda clients: clients.get(make)


_SYNC = _made(groq.Groq, groq.DefaultHttpxClient)
_ASYNC = _made(groq.AsyncGroq, groq.DefaultAsyncHttpxClient)
_NOT_IN_THIS_CLIENT = {"parse", "stream helper", "async stream helper"}


def _subject(name: str, resource: Any, request: dict[str, Any], *, streams: bool, **facts: Any) -> Subject:
    found = stainless.Resource(lambda c: resource(_SYNC(c)), lambda c: resource(_ASYNC(c)), request)
    streamed = {
        "streamed": {style: call for style, call in found.streamed().items() if style not in _NOT_IN_THIS_CLIENT},
        "open": found.open,
        "aopen": found.aopen,
    }
    return Subject(
        name=name,
        provider="groq",
        model=request["model"],
        errors=stainless.errors("groq"),
        timeout="groq.APITimeoutError",
        whole={style: call for style, call in found.whole().items() if style not in _NOT_IN_THIS_CLIENT},
        awhole=found.acreate,
        aclose=lambda stream: stream.close(),
        awaits_chunk=stainless.awaits_chunk,
        seen=stainless.seen,
        **(streamed if streams else {}),
        **facts,
    )


SUBJECTS = [
    _subject(
        "groq chat",
        lambda c: c.chat.completions,
        {"model": "llama-x", "messages": PROMPT},
        streams=True,
        operation="chat",
    ),
    _subject(
        "groq embeddings",
        lambda c: c.embeddings,
        {"model": "embed-x", "input": ["Where?", "When?"]},
        streams=False,
        operation="embeddings",
        tells=frozenset({"input"}),
    ),
]
