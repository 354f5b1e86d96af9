"""The vocabulary of an adapter: what a provider file says of its client, and in which words."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from llmvitals._content import Content, Transcript
from llmvitals._patch import Patch

Attribute = str | bool | int | float | Sequence[str] | Sequence[int]
Body = Mapping[str, Any]
"""A request as it goes on the wire, or the arguments of a client's method: name -> value."""

# What a piece of an answer brings; a piece that brings something is the first token, or a later one.
NOTHING, REASONING, ANSWER = range(3)


@dataclass(slots=True)
class Usage:
    """Tokens of one call, None where the provider does not say.

    input: all input tokens, of which cache_read and cache_write are parts.
    output: all output tokens, of which reasoning is a part.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


@dataclass(slots=True)
class Answer:
    """What is known of an answer so far: the state that a `fold` keeps.

    finish_reasons: choice -> why it ended.
    reasoning_seen: whether reasoning tokens were among the pieces, rather than only billed.
    error: the provider's error code, when the answer itself says that it failed.
    transcript: takes what the answer says, None where content is not captured.
    """

    id: str | None = None
    model: str | None = None
    finish_reasons: dict[int, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    reasoning_seen: bool = False
    error: str | None = None
    transcript: Transcript | None = None


Fold = Callable[[Answer, Any], int]
"""Take one piece of an answer into account and say what it brings: NOTHING, REASONING or ANSWER.

A whole answer is a stream of one piece. A piece is the client's own model or a plain dict: read it with `get`.
"""


def model_of(body: Body) -> str | None:
    """The model that a request names as `model`; None where it names none."""
    model = body.get("model")
    return None if model is None else str(model)


def asks_to_stream(body: Body) -> bool:
    """Whether a request says `stream: true`."""
    return body.get("stream") is True


@dataclass(frozen=True, slots=True, eq=False)
class UsageRequest:
    """How to ask for the usage that a stream does not carry by itself.

    ask: the body that asks for it too; the same object where it asks already, or must not.
    brings_only_usage: whether a chunk came only because we asked; the app is not shown it.
    """

    ask: Callable[[Body], Body]
    brings_only_usage: Callable[[Any], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a provider's API: its name, how to read its request, how to fold its answer.

    name: `gen_ai.operation.name`.
    parameters: the request's parameters under the names of the conventions; looked at only when the span is recorded.
    fold: takes each piece of the answer into account.
    input: the names under which a request holds its input, `a.b` for b in a; for its size.
    content: the request's messages in the conventions' form; looked at only when content is captured.
    model, streamed: what the request asks for.
    template: name and version of the prompt template that the request itself refers to, if it does.
    usage_request: how to ask for a stream's usage, where the API has to be asked.
    """

    name: str
    parameters: Callable[[Body], dict[str, Attribute]]
    fold: Fold
    input: tuple[str, ...] = ("messages",)
    content: Callable[[Body], Content] | None = None
    model: Callable[[Body], str | None] = model_of
    streamed: Callable[[Body], bool] = asks_to_stream
    template: Callable[[Body], tuple[str, str | None] | None] | None = None
    usage_request: UsageRequest | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """All that llmvitals knows of one client library.

    provider: `gen_ai.provider.name`, unless the host says otherwise (see `provider_at`).
    module: the module whose import is the moment to patch.
    operations: path of the request, or of the client's method -> operation; any other is not a call.
    install: puts the watching in place on the imported module, and returns what undoes it.
    traced_by_itself: whether the user has asked this client for its own span; then it gets none of ours.
    """

    provider: str
    module: str
    operations: Mapping[str, Operation]
    install: Callable[["Adapter", ModuleType], Iterable[Patch]]
    traced_by_itself: Callable[[Any], bool] | None = None


def get(node: Any, name: str) -> Any:
    """The field `name` of a client's model or of a plain dict; None where it has none."""
    return node.get(name) if type(node) is dict else getattr(node, name, None)


# Where clients keep the id of a response: in itself, or in what an event, or a framework's message, holds of it.
_ID_FIELDS = ("id", "generation_id", "response_id", "RequestId")
_HOLDERS = ("message", "response", "chunk", "data", "response_metadata", "ResponseMetadata")


def response_ids(piece: Any) -> Iterator[str]:
    """What may be the id of a response, or of the one that a chunk is of; the likeliest first."""
    for name in _ID_FIELDS:
        value = get(piece, name)
        if value and isinstance(value, str):
            yield value
    for holder in _HOLDERS:
        node = get(piece, holder)
        for name in _ID_FIELDS if node is not None else ():
            value = get(node, name)
            if value and isinstance(value, str):
                yield value


def parameters(body: Body, table: Mapping[str, tuple[str, type]]) -> dict[str, Attribute]:
    """The parameters of `body` that `table` (wire name -> attribute, type) knows, under their attribute names.

    A value of another type than the table's is left out: a span must not carry what nobody meant.
    An int is taken where a float is due.
    """
    attributes: dict[str, Attribute] = {}
    for name, (attribute, kind) in table.items():
        value: Any = body.get(name)
        found = type(value)
        if found is kind:
            attributes[attribute] = value
        elif found is int and kind is float:
            attributes[attribute] = float(value)
    return attributes


# Clients of one provider that talk to another: by the end of the host's name.
_PROVIDERS_BY_HOST = {
    ".openai.azure.com": "azure.ai.openai",
    ".services.ai.azure.com": "azure.ai.openai",
    ".cognitiveservices.azure.com": "azure.ai.openai",
    ".amazonaws.com": "aws.bedrock",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.cerebras.ai": "cerebras",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
}


@functools.lru_cache(maxsize=256)
def address(url: str) -> tuple[str | None, int | None]:
    """Host and port of a URL, None where it tells none."""
    parts = urlsplit(url)
    return parts.hostname, parts.port


@functools.lru_cache(maxsize=256)
def provider_at(host: str | None, default: str) -> str:
    """`gen_ai.provider.name` of who answers at `host`, `default` where the host is not known.

    https://github.com/open-telemetry/semantic-conventions-genai (`gen_ai.provider.name`)
    """
    if host:
        for ending, provider in _PROVIDERS_BY_HOST.items():
            if host.endswith(ending):
                return provider
    return default


OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}
"""What a request's response format is called in `gen_ai.output.type`."""
