"""Ollama's client: chat, text generation and embeddings, of its classes and of the module's own functions."""

import json
from types import ModuleType
from typing import Any

from llmvitals import _lazy, semconv
from llmvitals._adapter import (
    ANSWER,
    NOTHING,
    REASONING,
    Adapter,
    Answer,
    Attribute,
    Body,
    Operation,
    get,
    parameters,
)
from llmvitals._content import Content, Transcript, media, text
from llmvitals._patch import Patch
from llmvitals.formats import chat_completions


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    # `ollama.chat` and the like are methods bound when ollama is imported, so those can't be replaced for
    # everybody who has one; all of them look up `_request` when they are called (0.6).
    return _lazy.install(adapter, module, "Client._request", "AsyncClient._request", _request)


def _request(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Body, str | None, int | None]:
    _kind, _method, path = args
    url = client._client.base_url
    return path, kwargs.get("json") or {}, url.host, url.port


# ---- Requests: https://docs.ollama.com/api -------------------------------------------------------------------

_OPTIONS = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "num_predict": (semconv.REQUEST_MAX_TOKENS, int),
    "frequency_penalty": (semconv.REQUEST_FREQUENCY_PENALTY, float),
    "presence_penalty": (semconv.REQUEST_PRESENCE_PENALTY, float),
    "seed": (semconv.REQUEST_SEED, int),
    "stop": (semconv.REQUEST_STOP_SEQUENCES, list),
}


def asked(body: Body) -> dict[str, Attribute]:
    options = body.get("options") or {}
    attributes = parameters(options, _OPTIONS)
    limit = options.get("num_predict")
    if type(limit) is int and limit < 0:  # no limit
        del attributes[semconv.REQUEST_MAX_TOKENS]
    effort = body.get("think")
    if isinstance(effort, str):
        attributes[semconv.REQUEST_REASONING_LEVEL] = effort
    if body.get("format"):  # `json`, or a schema
        attributes[semconv.OUTPUT_TYPE] = "json"
    return attributes


def embeddings_asked(body: Body) -> dict[str, Attribute]:
    return parameters(body, {"dimensions": (semconv.EMBEDDINGS_DIMENSION_COUNT, int)})


# ---- Answers, whole or a chunk of them: the two are of one form ------------------------------------------------


def fold_chat(answer: Answer, piece: Any) -> int:
    message = get(piece, "message")
    return _fold(answer, piece, get(message, "content"), get(message, "thinking"), get(message, "tool_calls"))


def fold_generate(answer: Answer, piece: Any) -> int:
    return _fold(answer, piece, get(piece, "response"), get(piece, "thinking"), None)


def fold_embeddings(answer: Answer, piece: Any) -> int:
    """Fold a list of embeddings; the vectors are never looked at."""
    answer.model = get(piece, "model")
    answer.usage.input = get(piece, "prompt_eval_count")
    return NOTHING


def _fold(answer: Answer, piece: Any, said: Any, thinking: Any, tool_calls: Any) -> int:
    if answer.model is None:
        answer.model = get(piece, "model")
    if get(piece, "done"):
        reason = get(piece, "done_reason")
        if reason is not None:
            answer.finish_reasons = {0: reason}
        answer.usage.input = get(piece, "prompt_eval_count")
        answer.usage.output = get(piece, "eval_count")  # of thinking, too
    if answer.transcript is not None:
        _transcribe(answer.transcript, said, thinking, tool_calls)
    if said or tool_calls or get(piece, "image"):
        return ANSWER
    if thinking:
        answer.reasoning_seen = True
        return REASONING
    return NOTHING


# ---- Content: looked at only where the app opts in -------------------------------------------------------------


def generate_content(body: Body) -> Content:
    """The prompt of a request, and its system prompt."""
    system, parts = body.get("system"), [text(body.get("prompt") or "")]
    parts += [media("image") for _ in body.get("images") or ()]
    return Content([{"role": "user", "parts": parts}], [text(system)] if system else [], [])


def _transcribe(transcript: Transcript, said: Any, thinking: Any, tool_calls: Any) -> None:
    if thinking:
        transcript.text(thinking, kind="reasoning")
    if said:
        transcript.text(said)
    for call in tool_calls or ():  # whole, and without an id
        function = get(call, "function")
        arguments = json.dumps(get(function, "arguments"), default=str)
        transcript.tool_call(object(), name=get(function, "name"), arguments=arguments)


_EMBED = Operation(semconv.EMBEDDINGS, embeddings_asked, fold_embeddings, input=("input", "prompt"))

ADAPTERS = (
    Adapter(
        provider="ollama",
        module="ollama._client",
        operations={
            "/api/chat": Operation(semconv.CHAT, asked, fold_chat, content=chat_completions.content),
            "/api/generate": Operation(
                semconv.TEXT_COMPLETION, asked, fold_generate, input=("system", "prompt"), content=generate_content
            ),
            "/api/embed": _EMBED,
            "/api/embeddings": _EMBED,
        },
        install=install,
    ),
)
