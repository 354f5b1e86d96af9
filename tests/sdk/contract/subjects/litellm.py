"""LiteLLM: chat by another client and by its own connections, text completions, Responses, embeddings."""

import asyncio
import inspect
import os
from typing import Any

from subjects.subject import PROMPT, Subject

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import asks the network for it
import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

asyncio.set_event_loop(None)  # else it makes one, where it finds that nobody has, and leaves it open

_ERRORS = {
    401: "litellm.exceptions.BadRequestError",  # by what the loopback's error says, as of all of OpenAI's form
    429: "litellm.exceptions.RateLimitError",
    500: "litellm.exceptions.InternalServerError",
}
litellm.disable_aiohttp_transport = True  # which leaves connections open; httpx is its other one
litellm.suppress_debug_info = True  # else it prints a request for feedback with each exception


class _Provider:
    """Where LiteLLM's functions are to find the provider; LiteLLM itself keeps the connections."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.options = options

    async def aclose(self) -> None:
        await GLOBAL_LOGGING_WORKER.flush()
        await GLOBAL_LOGGING_WORKER.stop()
        await litellm.close_litellm_async_clients()
        for client in litellm.in_memory_llm_clients_cache.cache_dict.values():
            if not inspect.iscoroutinefunction(client.close):
                client.close()
        litellm.in_memory_llm_clients_cache.flush_cache()


def _seen(chunk: Any) -> Any:
    """A chunk without its id."""
    return type(chunk), getattr(chunk, "choices", None), getattr(chunk, "type", None), getattr(chunk, "delta", None)


def _subject(
    name: str, function: str, request: dict[str, Any], *, path: str = "/v1", streams: bool = True, **facts: Any
):
    own_client = facts.pop("own_client", False)  # else it makes one for each call, and leaves it open

    def asked(clients: Any, client: str) -> dict[str, Any]:
        provider = clients.get(_Provider)
        own = {"client": getattr(clients, client)} if own_client else {}
        return {**request, **provider.options, **own, "api_base": provider.url + path}

    def call(clients: Any, **more: Any) -> Any:
        return getattr(litellm, function)(**asked(clients, "openai"), **more)

    async def acall(clients: Any, **more: Any) -> Any:
        return await getattr(litellm, f"a{function}")(**asked(clients, "async_openai"), **more)

    def open_(clients: Any) -> Any:
        return call(clients, stream=True)

    async def aopen(clients: Any) -> Any:
        return await acall(clients, stream=True)

    async def astream(clients: Any) -> Any:
        return [chunk async for chunk in await aopen(clients)]

    streamed = {
        "streamed": {"stream": lambda clients: list(open_(clients)), "async stream": astream},
        "open": open_,
        "aopen": aopen,
    }
    return Subject(
        name=name,
        errors=_ERRORS | facts.pop("own_errors", {}),
        timeout="litellm.exceptions.Timeout",
        whole={"call": call, "async call": acall, **facts.pop("more", {})},
        awhole=acall,
        close=None,
        seen=_seen,
        **(streamed if streams else {}),
        **facts,
    )


SUBJECTS = [
    _subject(
        "litellm completion by openai",
        "completion",
        {"model": "openai/gpt-x", "messages": PROMPT},
        provider="openai",
        operation="chat",
        model="gpt-x",
        stream_tells=frozenset({"id", "finish"}),
    ),
    _subject(
        "litellm completion by anthropic",
        "completion",
        {"model": "anthropic/claude-x", "messages": PROMPT},
        path="",
        provider="anthropic",
        operation="chat",
        model="claude-x",
        own_errors={401: "litellm.exceptions.AuthenticationError"},
        retrying={"num_retries": 2},
        attempts_seen=False,
        openers=0,
    ),
    _subject(
        "litellm text completion",
        "text_completion",
        {"model": "text-completion-openai/gpt-x", "prompt": "Where?"},
        provider="openai",
        operation="text_completion",
        model="gpt-x",
        own_client=True,
        aclose=None,
        reasons=False,
        openers=0,
        stream_tells=frozenset({"id", "finish"}),
    ),
    _subject(
        "litellm responses",
        "responses",
        {"model": "openai/gpt-4o", "input": "Where?"},  # of a model that it does not know it fakes the stream
        provider="openai",
        operation="chat",
        model="gpt-4o",
        retrying=None,
        attempts_seen=False,
        aclose=None,
        openers=4,
    ),
    _subject(
        "litellm embedding of a batch",
        "embedding",
        {"model": "openai/embed-x", "input": ["Where?", "When?"]},
        streams=False,
        provider="openai",
        operation="embeddings",
        model="embed-x",
        tells=frozenset({"input"}),
    ),
]
