"""Cerebras' client: chat completions and legacy completions."""

from typing import Any

from cerebras.cloud import sdk

from subjects import stainless
from subjects.subject import PROMPT, Subject


def _made(kind: Any, http: Any) -> Any:
    def make(url: str, **options: Any) -> Any:
        return kind(base_url=f"{url}/cerebras", http_client=http(verify=False), warm_tcp_connection=False, **options)

    return lambda clients: clients.get(make)


_SYNC = _made(sdk.Cerebras, sdk.DefaultHttpxClient)
_ASYNC = _made(sdk.AsyncCerebras, sdk.DefaultAsyncHttpxClient)
_NOT_IN_THIS_CLIENT = {"parse", "stream helper", "async stream helper"}


def _subject(name: str, resource: Any, request: dict[str, Any], **facts: Any) -> Subject:
    found = stainless.Resource(lambda c: resource(_SYNC(c)), lambda c: resource(_ASYNC(c)), request)
    return Subject(
        name=name,
        provider="cerebras",
        model=request["model"],
        errors=stainless.errors("cerebras.cloud.sdk"),
        timeout="cerebras.cloud.sdk.APITimeoutError",
        whole={style: call for style, call in found.whole().items() if style not in _NOT_IN_THIS_CLIENT},
        awhole=found.acreate,
        streamed={style: call for style, call in found.streamed().items() if style not in _NOT_IN_THIS_CLIENT},
        open=found.open,
        aopen=found.aopen,
        aclose=lambda stream: stream.close(),
        awaits_chunk=stainless.awaits_chunk,
        seen=stainless.seen,
        **facts,
    )


SUBJECTS = [
    _subject("cerebras chat", lambda c: c.chat.completions, {"model": "llama-x", "messages": PROMPT}, operation="chat"),
    _subject(
        "cerebras completions",
        lambda c: c.completions,
        {"model": "llama-x", "prompt": "Where?"},
        operation="text_completion",
        openers=0,
        reasons=False,
    ),
]
