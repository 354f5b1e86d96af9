"""Hugging Face's client: chat completions, text generation and feature extraction, of whoever answers them."""

import re
import sys
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeGuard

from llmvitals import _content, _methods, semconv
from llmvitals._adapter import ANSWER, NOTHING, Adapter, Answer, Attribute, Body, Operation, address, get, parameters
from llmvitals._content import Content
from llmvitals._patch import Patch, wrap
from llmvitals.formats import chat_completions, embeddings


def install(adapter: Adapter, module: ModuleType) -> list[Patch]:
    client = next(iter(adapter.operations)).partition(".")[0]
    return [
        *_methods.install(adapter, module, defaults=_defaults, server=_server),
        wrap(module, f"{client}._inner_post", _methods.attempt),
    ]


# ---- Whom the client talks to ---------------------------------------------------------------------------

_OWN = (None, "auto", "hf-inference")


def _defaults(client: Any) -> Body:
    return {"model": client.model}


def _server(client: Any) -> tuple[str | None, int | None, str]:
    """The host of the client's URL, or the router that passes the request on; not known with a provider's own key."""
    if _is_url(client.model):
        return *address(client.model), "huggingface"
    provider = "huggingface" if client.provider in _OWN else client.provider
    if client.token and not client.token.startswith("hf_"):
        return None, None, provider
    return *address(sys.modules["huggingface_hub.constants"].INFERENCE_PROXY_TEMPLATE), provider


def _is_url(model: Any) -> TypeGuard[str]:
    return isinstance(model, str) and model.startswith(("http://", "https://"))


_MODEL_OF_URL = re.compile(r"/models/(.+?)(/v1\b.*|/pipeline/.*)?/?$")


def model(body: Body) -> str | None:
    """The model, or that of the URL that may stand for it; None where the URL tells none."""
    named = body.get("model")
    if not _is_url(named):
        return named if isinstance(named, str) else None
    found = _MODEL_OF_URL.search(named)
    return found[1] if found else None


# ---- Chat completions: https://huggingface.co/docs/inference-providers/tasks/chat-completion -----------------


def fold_chat(answer: Answer, piece: Any) -> int:
    """Fold a chat completion or a chunk of it.

    The client's models are dicts, too, but those hold of their parts only what the client knows by name: neither
    cached tokens nor `reasoning_content` (1.33). The parts themselves hold everything.
    """
    if type(piece) is not dict:
        piece = {**vars(piece), "choices": [vars(choice) for choice in piece.choices or ()]}
    brings = chat_completions.fold(answer, piece)
    answer.id = answer.id or None  # of a server that gives its answers none (text-generation-inference 3)
    return brings


# ---- Text generation: https://huggingface.co/docs/text-generation-inference/reference/api_reference ----------

_TEXT_GENERATION = {
    "max_new_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "frequency_penalty": (semconv.REQUEST_FREQUENCY_PENALTY, float),
    "seed": (semconv.REQUEST_SEED, int),
    "stop": (semconv.REQUEST_STOP_SEQUENCES, list),
}


def text_asked(body: Body) -> dict[str, Attribute]:
    return parameters(body, _TEXT_GENERATION)


def fold_text(answer: Answer, piece: Any) -> int:
    """Fold a generated text or a token of it; without `details` either is a mere string, which tells no usage."""
    token = get(piece, "token")
    text = piece if isinstance(piece, str) else get(piece, "generated_text") if token is None else get(token, "text")
    details = get(piece, "details")
    if details is not None:
        _ended(answer, details)
    if not text or get(token, "special"):  # such as the token that ends the text
        return NOTHING
    if answer.transcript is not None:
        answer.transcript.text(text)
    return ANSWER


def _ended(answer: Answer, details: Any) -> None:
    reason = get(details, "finish_reason")
    if reason is not None:
        answer.finish_reasons = {0: str(reason)}
    answer.usage.output = get(details, "generated_tokens")
    prefill = get(details, "prefill")  # the prompt's tokens themselves, if they were asked for; streams count them
    answer.usage.input = len(prefill) if prefill else get(details, "input_length")


def text_content(body: Body) -> Content:
    """The prompt, as a message of the user."""
    return Content([{"role": "user", "parts": [_content.text(body.get("prompt"))]}], [], [])


def fold_vectors(_answer: Answer, _piece: Any) -> int:
    """Fold an array of features: it says nothing but the features, which are never looked at."""
    return NOTHING


def features_content(body: Body) -> Content:
    """The texts, each a message of the user."""
    return embeddings.content({"input": body.get("text")})


_OPERATIONS = {
    "chat_completion": replace(chat_completions.OPERATION, fold=fold_chat, model=model),
    "text_generation": Operation(
        semconv.TEXT_COMPLETION, text_asked, fold_text, input=("prompt",), content=text_content, model=model
    ),
    "feature_extraction": Operation(
        semconv.EMBEDDINGS,
        embeddings.asked,
        fold_vectors,
        input=("text",),
        content=features_content,
        model=model,
    ),
}


def _adapter(client: str, module: str) -> Adapter:
    operations = {f"{client}.{method}": operation for method, operation in _OPERATIONS.items()}
    return Adapter(provider="huggingface", module=module, operations=operations, install=install)


ADAPTERS = (
    _adapter("InferenceClient", "huggingface_hub.inference._client"),
    _adapter("AsyncInferenceClient", "huggingface_hub.inference._generated._async_client"),
)
