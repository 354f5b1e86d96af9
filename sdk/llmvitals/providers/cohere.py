"""Cohere's client: chat and embeddings of both versions of its API.

What the app calls passes the raw client's method of the same name, which is also what `with_raw_response` gives.
Two kinds of method are watched by themselves: streams, because a generator makes its request when it is first
read, and the embeddings of version 1, because `Client.embed` cuts a batch into several requests (cohere 6 and 7).
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from llmvitals import _methods
from llmvitals._adapter import Adapter, Operation
from llmvitals._patch import Patch, wrap
from llmvitals.formats import cohere_chat, cohere_chat_v1, cohere_embed


def _server(client: Any) -> tuple[str | None, int | None]:
    """Who a client, or a raw one, talks to; those for AWS learn it in a hook, just before the request goes out."""
    wrapper = getattr(client, "_client_wrapper", None) or client._raw_client._client_wrapper
    for hook in wrapper.httpx_client.httpx_client.event_hooks["request"]:
        if getattr(hook, "__module__", None) == "cohere.aws_client":
            told = inspect.getclosurevars(hook).nonlocals
            url = hook.__globals__["get_url"](
                platform=told["service"], aws_region=told["aws_region"], model="", stream=False
            )
            return urlsplit(url).hostname, None
    url = urlsplit(wrapper.get_base_url())
    return url.hostname, url.port


def _install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    return _methods.install(adapter, module, omitted=..., server=_server)


def _install_raw(adapter: Adapter, module: ModuleType) -> list[Patch]:
    return _methods.install(adapter, module, omitted=..., server=_server, held_as="_data")


def _install_all(adapter: Adapter, module: ModuleType) -> list[Patch]:
    """With the requests of both versions, which are in a module that this one has imported."""
    http = sys.modules["cohere.core.http_client"]
    return [
        *_install_raw(adapter, module),
        wrap(http, "HttpClient.request", _attempt),
        wrap(http, "AsyncHttpClient.request", _attempt),
    ]


def _attempt(wrapped: Callable[..., Any], _client: Any, args: Any, kwargs: Any) -> Any:
    """See a request: it calls itself for each retry. The first requests of a batch are no retries of each other."""
    call = _methods.current_call()
    if call is not None:
        call.attempts = (call.attempts or 1) + bool(kwargs.get("retries"))
    return wrapped(*args, **kwargs)


def _streamed(operation: Operation) -> Operation:
    return replace(operation, streamed=lambda _: True)


# Each is imported when the app first needs it; none brings the others.
ADAPTERS = (
    Adapter(
        provider="cohere",
        module="cohere.base_client",
        operations={
            "RawBaseCohere.chat": cohere_chat_v1.OPERATION,
            "RawBaseCohere.chat_stream": _streamed(cohere_chat_v1.OPERATION),
            "RawBaseCohere.embed": cohere_embed.OPERATION,
            "AsyncRawBaseCohere.chat": cohere_chat_v1.OPERATION,
            "AsyncRawBaseCohere.chat_stream": _streamed(cohere_chat_v1.OPERATION),
            "AsyncRawBaseCohere.embed": cohere_embed.OPERATION,
            "BaseCohere.chat_stream": _streamed(cohere_chat_v1.OPERATION),
            "AsyncBaseCohere.chat_stream": _streamed(cohere_chat_v1.OPERATION),
        },
        install=_install_all,
    ),
    Adapter(
        provider="cohere",
        module="cohere.v2.client",
        operations={
            "RawV2Client.chat": cohere_chat.OPERATION,
            "RawV2Client.chat_stream": _streamed(cohere_chat.OPERATION),
            "RawV2Client.embed": cohere_embed.OPERATION,
            "AsyncRawV2Client.chat": cohere_chat.OPERATION,
            "AsyncRawV2Client.chat_stream": _streamed(cohere_chat.OPERATION),
            "AsyncRawV2Client.embed": cohere_embed.OPERATION,
            "V2Client.chat_stream": _streamed(cohere_chat.OPERATION),
            "AsyncV2Client.chat_stream": _streamed(cohere_chat.OPERATION),
        },
        install=_install_raw,
    ),
    Adapter(
        provider="cohere",
        module="cohere.client",
        operations={"Client.embed": cohere_embed.OPERATION, "AsyncClient.embed": cohere_embed.OPERATION},
        install=_install,
    ),
)
