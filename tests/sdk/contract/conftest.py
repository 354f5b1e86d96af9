"""The contract's subjects: every API, and every way of calling it. The next client is a row here."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

PROMPT = [{"role": "user", "content": "Where is my parcel?"}]


@dataclass(frozen=True)
class Api:
    """One API of one client. client: the attribute of `Clients`; resource: from a client to what has `create`."""

    name: str
    provider: str
    operation: str
    client: str
    resource: Callable[[Any], Any]
    request: dict[str, Any]
    streams: bool = True

    def __str__(self) -> str:
        return self.name

    def sync(self, clients: Any) -> Any:
        return self.resource(getattr(clients, self.client))

    def asynchronous(self, clients: Any) -> Any:
        return self.resource(getattr(clients, f"async_{self.client}"))


CHAT = Api(
    "openai chat", "openai", "chat", "openai", lambda c: c.chat.completions, {"model": "gpt-x", "messages": PROMPT}
)
RESPONSES = Api(
    "openai responses", "openai", "chat", "openai", lambda c: c.responses, {"model": "gpt-x", "input": "Where?"}
)
_MESSAGE = {"model": "claude-x", "max_tokens": 64, "messages": PROMPT}
MESSAGES = Api("anthropic messages", "anthropic", "chat", "anthropic", lambda c: c.messages, _MESSAGE)
BETA_MESSAGES = Api("anthropic beta messages", "anthropic", "chat", "anthropic", lambda c: c.beta.messages, _MESSAGE)
EMBEDDINGS = Api(
    "openai embeddings",
    "openai",
    "embeddings",
    "openai",
    lambda c: c.embeddings,
    {"model": "embed-x", "input": "Where?"},
    streams=False,
)
APIS = [CHAT, RESPONSES, MESSAGES, BETA_MESSAGES, EMBEDDINGS]
STREAMING_APIS = [api for api in APIS if api.streams]


# ---- Ways of calling: each makes one call, reads its answer to the end, and returns what the app saw ----


async def _parsed(raw: Any) -> Any:
    parsed = raw.parse()
    return await parsed if inspect.isawaitable(parsed) else parsed


def create(api: Api, clients: Any) -> Any:
    return api.sync(clients).create(**api.request)


async def async_create(api: Api, clients: Any) -> Any:
    return await api.asynchronous(clients).create(**api.request)


def parse(api: Api, clients: Any) -> Any:
    resource = api.sync(clients)
    return resource.parse(**api.request) if hasattr(resource, "parse") else resource.create(**api.request)


def raw_response(api: Api, clients: Any) -> Any:
    return api.sync(clients).with_raw_response.create(**api.request).parse()


async def async_raw_response(api: Api, clients: Any) -> Any:
    return await _parsed(await api.asynchronous(clients).with_raw_response.create(**api.request))


def streaming_response(api: Api, clients: Any) -> Any:
    with api.sync(clients).with_streaming_response.create(**api.request) as raw:
        return raw.parse()


async def async_streaming_response(api: Api, clients: Any) -> Any:
    async with api.asynchronous(clients).with_streaming_response.create(**api.request) as raw:
        return await raw.parse()


def streaming_response_read_by_the_app(api: Api, clients: Any) -> Any:
    with api.sync(clients).with_streaming_response.create(**api.request) as raw:
        return raw.json()


def stream(api: Api, clients: Any) -> Any:
    return list(api.sync(clients).create(**api.request, stream=True))


def stream_in_a_block(api: Api, clients: Any) -> Any:
    with api.sync(clients).create(**api.request, stream=True) as chunks:
        return list(chunks)


def stream_by_next(api: Api, clients: Any) -> Any:
    chunks, seen = api.sync(clients).create(**api.request, stream=True), []
    while (chunk := next(chunks, None)) is not None:
        seen.append(chunk)
    return seen


async def async_stream(api: Api, clients: Any) -> Any:
    return [chunk async for chunk in await api.asynchronous(clients).create(**api.request, stream=True)]


def stream_helper(api: Api, clients: Any) -> Any:
    with api.sync(clients).stream(**api.request) as chunks:
        return [chunk.type for chunk in chunks]


async def async_stream_helper(api: Api, clients: Any) -> Any:
    async with api.asynchronous(clients).stream(**api.request) as chunks:
        return [chunk.type async for chunk in chunks]


def raw_stream(api: Api, clients: Any) -> Any:
    return list(api.sync(clients).with_raw_response.create(**api.request, stream=True).parse())


async def async_raw_stream(api: Api, clients: Any) -> Any:
    raw = await api.asynchronous(clients).with_raw_response.create(**api.request, stream=True)
    return [chunk async for chunk in await _parsed(raw)]


def streaming_response_stream(api: Api, clients: Any) -> Any:
    with api.sync(clients).with_streaming_response.create(**api.request, stream=True) as raw:
        return list(raw.parse())


WHOLE = [
    create,
    async_create,
    parse,
    raw_response,
    async_raw_response,
    streaming_response,
    async_streaming_response,
    streaming_response_read_by_the_app,
]
STREAMED = [
    stream,
    stream_in_a_block,
    stream_by_next,
    async_stream,
    stream_helper,
    async_stream_helper,
    raw_stream,
    async_raw_stream,
    streaming_response_stream,
]


Calling = tuple[Api, Callable[[Any], Any]]


def _calling(parameter: tuple[Api, Callable[[Api, Any], Any]], arun: Callable[..., Any]) -> Calling:
    api, style = parameter

    def call(clients: Any) -> Any:
        result = style(api, clients)
        return arun(result, clients) if inspect.iscoroutine(result) else result

    return api, call


def _ids(value: Any) -> str:
    return value.__name__.replace("_", " ") if callable(value) else str(value)


@pytest.fixture(params=[(api, style) for api in APIS for style in WHOLE], ids=lambda p: " - ".join(map(_ids, p)))
def whole_call(request: pytest.FixtureRequest, arun: Callable[..., Any]) -> Calling:
    """Each API called in each way that gives its answer whole: the API, and what makes the call."""
    return _calling(request.param, arun)


@pytest.fixture(
    params=[(api, style) for api in STREAMING_APIS for style in STREAMED], ids=lambda p: " - ".join(map(_ids, p))
)
def streamed_call(request: pytest.FixtureRequest, arun: Callable[..., Any]) -> Calling:
    """Each API called in each way that streams its answer: the API, and what makes the call."""
    return _calling(request.param, arun)


@pytest.fixture(params=STREAMING_APIS, ids=str)
def streaming_api(request: pytest.FixtureRequest) -> Api:
    return request.param


@pytest.fixture(params=APIS, ids=str)
def api(request: pytest.FixtureRequest) -> Api:
    return request.param
