"""Mistral's chat, agents and fill-in-the-middle completions, of one form of answer: https://docs.mistral.ai/api"""

import json
from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Attribute, Body, Operation, get, parameters
from llmvitals._content import Content, Transcript
from llmvitals.formats import chat_completions

_PARAMETERS = {
    "random_seed": (semconv.REQUEST_SEED, int),
    "top_k": (semconv.REQUEST_TOP_K, float),
    "agent_id": (semconv.AGENT_ID, str),
}


def asked(body: Body) -> dict[str, Attribute]:
    return chat_completions.asked(body) | parameters(body, _PARAMETERS)


def fold(answer: Answer, piece: Any) -> int:
    """Fold a completion, a chunk of one, or the event that the client wraps around the chunk."""
    piece = get(piece, "data") or piece
    if answer.id is None:
        answer.id = get(piece, "id")
        answer.model = get(piece, "model")
    brings = NOTHING
    for choice in get(piece, "choices") or ():
        index = get(choice, "index") or 0
        reason = get(choice, "finish_reason")
        if reason:
            answer.finish_reasons[index] = reason
            if reason == "error":
                answer.error = reason
        delta = get(choice, "delta")
        if delta is not None:
            brings = max(brings, _delta(answer, delta))
        if answer.transcript is not None:
            _transcribe(answer.transcript, delta or get(choice, "message"), index)
    fold_usage(answer, get(piece, "usage"))
    return brings


def _delta(answer: Answer, delta: Any) -> int:
    return ANSWER if get(delta, "tool_calls") else fold_said(answer, get(delta, "content"))


def fold_said(answer: Answer, content: Any) -> int:
    """What a streamed piece of content brings: a text, a typed part, or a list of them."""
    parts = content if isinstance(content, list) else [content]
    brings = NOTHING
    for part in parts:
        if get(part, "type") == "thinking":
            answer.reasoning_seen = True
            brings = max(brings, REASONING)
        elif part:
            brings = ANSWER
    return brings


def fold_usage(answer: Answer, usage: Any) -> None:
    """Take in a usage. Where it does not tell its tokens, the client's model of it (3.7) says 0."""
    if usage and get(usage, "prompt_tokens"):
        chat_completions.fold_usage(answer, usage)


# ---- Content: looked at only where the app opts in ----------------------------------------------------


def content(body: Body) -> Content:
    """The messages and tools of a request. An iterator of them is the client's to read: it can be read only once."""
    named = {name: body.get(name) for name in ("messages", "tools")}
    return chat_completions.content({name: value for name, value in named.items() if isinstance(value, (list, tuple))})


def _fim_content(body: Body) -> Content:
    parts = [_content.text(body[name]) for name in ("prompt", "suffix") if isinstance(body.get(name), str)]
    return Content([{"role": "user", "parts": parts}], [], [])


def _transcribe(transcript: Transcript, said: Any, choice: int) -> None:
    transcribe_said(transcript, get(said, "content"), choice)
    for position, call in enumerate(get(said, "tool_calls") or ()):
        function = get(call, "function")
        transcript.tool_call(position, get(call, "id"), get(function, "name"), arguments_of(function), choice)


def arguments_of(called: Any) -> str:
    """The arguments of a tool call, as JSON; the client takes an object for them, too."""
    arguments = get(called, "arguments")
    return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)


def transcribe_said(transcript: Transcript, content: Any, choice: int = 0) -> None:
    """Write down content, of the forms that `fold_said` takes."""
    for part in content if isinstance(content, list) else [content]:
        if get(part, "type") == "thinking":
            for thought in get(part, "thinking") or ():
                transcript.text(get(thought, "text"), choice, "reasoning")
        else:
            transcript.text(part if isinstance(part, str) else get(part, "text"), choice)


OPERATION = Operation(semconv.CHAT, asked, fold, content=content)
FIM = Operation(semconv.TEXT_COMPLETION, asked, fold, input=("prompt", "suffix"), content=_fim_content)
