"""Groq's client: chat completions and embeddings."""

from dataclasses import replace
from typing import Any

from llmvitals import _stainless, semconv
from llmvitals._adapter import Adapter, Answer, get
from llmvitals.formats import chat_completions, embeddings


def fold_chat(answer: Answer, piece: Any) -> int:
    """Fold a chat completion, or a chunk, whose `x_groq` has the usage unasked: https://console.groq.com/docs/api-reference"""
    brings = chat_completions.fold(answer, piece)
    own = get(piece, "x_groq")
    if own is not None:
        usage = get(own, "usage")
        if usage is not None:
            chat_completions.fold_usage(answer, usage)
        if get(own, "error"):
            answer.error = semconv.ERROR  # the answer has a sentence, which tells no kind of error from another
    return brings


ADAPTERS = (
    Adapter(
        provider="groq",
        module="groq._base_client",
        operations={
            "/openai/v1/chat/completions": replace(chat_completions.OPERATION, fold=fold_chat),
            "/openai/v1/embeddings": embeddings.OPERATION,
        },
        install=_stainless.install,
    ),
)
