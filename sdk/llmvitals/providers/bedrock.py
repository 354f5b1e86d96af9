"""Bedrock by Amazon's own client: Converse, and models invoked with bodies of their own."""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

from llmvitals import _botocore, _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, Adapter, Answer, Attribute, Body, Fold, Operation, get, parameters
from llmvitals._content import Content
from llmvitals._patch import Patch
from llmvitals.formats import chat_completions, cohere_chat_v1, converse, messages


def model(body: Body) -> str | None:
    return body.get("modelId")


def fold_metadata(answer: Answer, piece: Any) -> None:
    """Take in what the response says beside the answer: its id, for answers that have none of their own."""
    answer.id = get(get(piece, "ResponseMetadata"), "RequestId")


def fold_converse(answer: Answer, piece: Any) -> int:
    """Fold what Converse gives: its response, and its answer or the events of one."""
    if "ResponseMetadata" in piece:
        fold_metadata(answer, piece)
    return converse.fold(answer, piece)


_CONVERSE = Operation(
    semconv.CHAT,
    converse.asked,
    fold_converse,
    input=("system", "messages"),
    content=converse.content,
    model=model,
    streamed=lambda _: False,
)


# ---- InvokeModel: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html ----------

_LARGEST = 1 << 20  # bytes of a body that is read; in a larger one is a picture


class Invocation(Mapping[str, Any]):
    """The parameters of InvokeModel and the model's own in its body, which is read when one of these is asked for."""

    def __init__(self, given: Body) -> None:
        self._given = given

    @functools.cached_property
    def _all(self) -> dict[str, Any]:
        body = self._given.get("body")
        if not isinstance(body, (str, bytes, bytearray)) or len(body) > _LARGEST:
            return dict(self._given)  # a file is the client's to read
        try:
            own = json.loads(body)
        except ValueError:
            own = None
        return {**self._given, **own} if isinstance(own, dict) else dict(self._given)

    def __getitem__(self, name: str) -> Any:
        return self._given[name] if name in self._given else self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


_INVOKED = {
    "max_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "max_gen_len": (semconv.REQUEST_MAX_TOKENS, int),  # Llama
    "maxTokenCount": (semconv.REQUEST_MAX_TOKENS, int),  # Titan, from here to topP
    "stopSequences": (semconv.REQUEST_STOP_SEQUENCES, list),
    "topP": (semconv.REQUEST_TOP_P, float),
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "p": (semconv.REQUEST_TOP_P, float),  # Cohere, and k
    "k": (semconv.REQUEST_TOP_K, float),
    "stop": (semconv.REQUEST_STOP_SEQUENCES, list),
    "stop_sequences": (semconv.REQUEST_STOP_SEQUENCES, list),
    "dimensions": (semconv.EMBEDDINGS_DIMENSION_COUNT, int),
    "guardrailIdentifier": (semconv.AWS_BEDROCK_GUARDRAIL_ID, str),
}


def invoked_asked(body: Body) -> dict[str, Attribute]:
    """The parameters of any model, whose names don't collide; Nova and Titan have some of them one level down."""
    return (
        parameters(body, _INVOKED) | parameters(body.get("textGenerationConfig") or {}, _INVOKED) | converse.asked(body)
    )


def fold_invoked(answer: Answer, piece: Any) -> int:
    """Fold what InvokeModel gives: its response, and a model's own answer or the events of one, as their form is.

    The form is told by the answer, not by the model's id: that may be the name of a profile.
    """
    if "ResponseMetadata" in piece:
        fold_metadata(answer, piece)
        headers = piece["ResponseMetadata"].get("HTTPHeaders") or {}
        _fold_counts(
            answer, {kind: headers.get(f"x-amzn-bedrock-{name}-token-count") for kind, name in _COUNTED.items()}
        )
        return NOTHING
    chunk = piece.get("chunk")
    if chunk is not None:
        piece = json.loads(chunk["bytes"])
    request_id, answer.id = answer.id, None
    brings = _form(piece)(answer, piece)
    answer.id = answer.id or request_id
    metrics = piece.get("amazon-bedrock-invocationMetrics")
    if metrics is not None and answer.usage.output is None:
        _fold_counts(answer, {kind: metrics.get(f"{kind}TokenCount") for kind in _COUNTED})
    return brings


_COUNTED = {
    "input": "input",
    "output": "output",
    "cacheReadInput": "cache-read-input",
    "cacheWriteInput": "cache-write-input",
}
"""How Bedrock calls what it counts itself of any model: in a stream's last event, and in the headers."""


def _fold_counts(answer: Answer, counts: Mapping[str, Any]) -> None:
    told = {kind: int(count) for kind, count in counts.items() if count is not None}
    read, write, tokens = told.get("cacheReadInput"), told.get("cacheWriteInput"), answer.usage
    if "input" in told:
        tokens.input = told["input"] + (read or 0) + (write or 0)
        tokens.cache_read, tokens.cache_write = read, write
    tokens.output = told.get("output")


def _form(piece: Mapping[str, Any]) -> Fold:
    """The fold of the form in which a model answers."""
    if "choices" in piece:
        return chat_completions.fold
    if "event_type" in piece or "generation_id" in piece:
        return cohere_chat_v1.fold
    return messages.fold if "type" in piece else fold_completion if _COMPLETION & piece.keys() else converse.fold


_COMPLETION = {"generation", "outputs", "results", "outputText"}


def fold_completion(answer: Answer, piece: Mapping[str, Any]) -> int:
    """Fold a completion of Llama (`generation`), Mistral (`outputs`) or Titan (`results`, in a stream `outputText`)."""
    said = next(iter(piece.get("outputs") or piece.get("results") or ()), piece)
    reason = said.get("stop_reason") or said.get("completionReason")
    if reason is not None:
        answer.finish_reasons = {0: reason}
    asked = piece.get("prompt_token_count", piece.get("inputTextTokenCount"))
    counted = piece.get("generation_token_count", said.get("tokenCount", said.get("totalOutputTextTokenCount")))
    tokens = answer.usage
    tokens.input = tokens.input if asked is None else asked
    tokens.output = tokens.output if counted is None else counted
    text = said.get("generation") or said.get("text") or said.get("outputText")
    if answer.transcript is not None:
        answer.transcript.text(text)
    return ANSWER if text else NOTHING


def invoked_content(body: Body) -> Content:
    """The messages of a request, in the form that its parameters tell."""
    if "anthropic_version" in body:
        return messages.content(body)
    if "message" in body:
        return cohere_chat_v1.content(body)
    prompt = body.get("prompt") or body.get("inputText")
    if isinstance(prompt, str):
        return Content([{"role": "user", "parts": [_content.text(prompt)]}], [], [])
    return converse.content(body) if _is_converse(body) else chat_completions.content(body)


def _is_converse(body: Body) -> bool:
    """Whether a content is a list of blocks that name no type: Nova's, as Converse has them."""
    said = [get(message, "content") for message in body.get("messages") or ()]
    return any(isinstance(blocks, list) and any("type" not in block for block in blocks) for blocks in said)


_INVOKE = Operation(
    semconv.CHAT,
    invoked_asked,
    fold_invoked,
    input=("system", "preamble", "chat_history", "messages", "message", "prompt", "inputText"),
    content=invoked_content,
    model=model,
    streamed=lambda _: False,
)
_EMBED = Operation(
    semconv.EMBEDDINGS,
    invoked_asked,
    fold_invoked,
    input=("inputText", "texts", "inputs"),
    model=model,
    streamed=lambda _: False,
)


def read(operation: Operation, given: Body) -> tuple[Operation, Body]:
    """What is really asked for: an invocation may be of an embedding model."""
    if operation.parameters is not invoked_asked:
        return operation, given
    return (_EMBED if "embed" in str(given.get("modelId")) else operation), Invocation(given)


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    return _botocore.install(adapter, module, service="bedrock-runtime", read=read)


ADAPTERS = (
    Adapter(
        provider="aws.bedrock",
        module="botocore.client",
        operations={
            "Converse": _CONVERSE,
            "ConverseStream": replace(_CONVERSE, streamed=lambda _: True),
            "InvokeModel": _INVOKE,
            "InvokeModelWithResponseStream": replace(_INVOKE, streamed=lambda _: True),
        },
        install=install,
    ),
)
