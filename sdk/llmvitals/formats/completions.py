"""OpenAI's legacy completions: https://platform.openai.com/docs/api-reference/completions"""

from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, Answer, Body, Operation, get
from llmvitals._content import Content
from llmvitals.formats import chat_completions


def fold(answer: Answer, piece: Any) -> int:
    """Fold a `text_completion`, whole or a chunk of it: the two are of one form."""
    if answer.id is None:
        answer.id = get(piece, "id")
        answer.model = get(piece, "model")
    brings = NOTHING
    for position, choice in enumerate(get(piece, "choices") or ()):
        index = get(choice, "index")
        index = position if index is None else index  # not every host says it
        reason = get(choice, "finish_reason")
        if reason is not None:
            answer.finish_reasons[index] = reason
        text = get(choice, "text")
        if text:
            brings = ANSWER
            if answer.transcript is not None:
                answer.transcript.text(text, index)
    usage = get(piece, "usage")
    if usage is not None:
        chat_completions.fold_usage(answer, usage)
    return brings


def content(body: Body) -> Content:
    """The prompts of a request, each a message of the user."""
    prompts = body.get("prompt")
    texts = [prompts] if isinstance(prompts, str) else [text for text in prompts or () if isinstance(text, str)]
    return Content([{"role": "user", "parts": [_content.text(text)]} for text in texts], [], [])


OPERATION = Operation(
    semconv.TEXT_COMPLETION,
    chat_completions.asked,
    fold,
    input=("prompt",),
    content=content,
    usage_request=chat_completions.USAGE_REQUEST,
)
