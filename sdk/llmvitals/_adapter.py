"""The vocabulary of an adapter: what a provider file says of its client, and in which words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from llmvitals._patch import Patch

Attribute = str | bool | int | float | list[str]

# What a piece of an answer brings; a piece that brings something is the first token, or a later one.
NOTHING, REASONING, ANSWER = range(3)


@dataclass(frozen=True, slots=True)
class Request:
    """What a call asks for.

    model: as requested, None where the request names none.
    streamed: whether the answer is to come in chunks.
    attributes: the request's parameters under the names of the conventions.
    """

    model: str | None
    streamed: bool
    attributes: dict[str, Attribute]


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

    reasoning_seen: whether reasoning tokens were among the pieces, rather than only billed.
    error: the provider's error code, when the answer itself says that it failed.
    """

    id: str | None = None
    model: str | None = None
    finish_reasons: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    reasoning_seen: bool = False
    error: str | None = None


Fold = Callable[[Answer, Any], int]
"""Take one piece of an answer into account and say what it brings: NOTHING, REASONING or ANSWER.

A whole answer is a stream of one piece. A piece is the client's own model or a plain dict: read it with `get`.
"""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a provider's API: its name, how to read its request, how to fold its answer."""

    name: str
    request: Callable[[Mapping[str, Any]], Request]
    fold: Fold


@dataclass(frozen=True, slots=True)
class Adapter:
    """All that llmvitals knows of one client library.

    provider: `gen_ai.provider.name`, unless the host says otherwise (see `provider_at`).
    module: the module whose import is the moment to patch.
    operations: path of the request -> operation; any other path is not a call.
    install: puts the watching in place on the imported module, and returns what undoes it.
    """

    provider: str
    module: str
    operations: Mapping[str, Operation]
    install: Callable[["Adapter", ModuleType], Iterable[Patch]]


def get(node: Any, name: str) -> Any:
    """The field `name` of a client's model or of a plain dict; None where it has none."""
    return node.get(name) if isinstance(node, dict) else getattr(node, name, None)


def parameters(body: Mapping[str, Any], table: Mapping[str, tuple[str, type]]) -> dict[str, Attribute]:
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
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
}


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
