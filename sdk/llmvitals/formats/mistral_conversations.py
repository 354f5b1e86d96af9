"""Mistral's conversations, which the provider keeps: https://docs.mistral.ai/api/endpoint/beta/conversations"""

from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, Answer, Attribute, Body, Operation, get, parameters
from llmvitals._content import Content, Message, Transcript
from llmvitals.formats import chat_completions, mistral_chat

_ARGUMENTS = (
    *("temperature", "top_p", "max_tokens", "frequency_penalty", "presence_penalty"),
    *("stop", "random_seed", "response_format", "reasoning_effort"),
)
_IDS = {"agent_id": (semconv.AGENT_ID, str), "conversation_id": (semconv.CONVERSATION_ID, str)}


def asked(body: Body) -> dict[str, Attribute]:
    arguments = body.get("completion_args")
    return mistral_chat.asked({name: get(arguments, name) for name in _ARGUMENTS}) | parameters(body, _IDS)


def fold(answer: Answer, piece: Any) -> int:
    """Fold the answer to what was added to a conversation, or one event of its stream."""
    event = get(piece, "data") or piece
    kind = get(event, "type")
    conversation = get(event, "conversation_id")
    if conversation:
        answer.attributes[semconv.CONVERSATION_ID] = conversation
    mistral_chat.fold_usage(answer, get(event, "usage"))
    for entry in get(event, "outputs") or ():
        _entry(answer, entry)
    if kind == "conversation.response.error":
        answer.error = str(get(event, "code"))
    elif kind in ("message.output.delta", "function.call.delta"):
        _entry(answer, event)
        return ANSWER if kind == "function.call.delta" else mistral_chat.fold_said(answer, get(event, "content"))
    return NOTHING


def _entry(answer: Answer, entry: Any) -> None:
    """Take in an entry of the conversation, or a piece of one: by which model, and what it says."""
    model = get(entry, "model")
    if model:
        answer.model = model
    if answer.transcript is not None:
        _transcribe(answer.transcript, entry)


# ---- Content: looked at only where the app opts in ----------------------------------------------------


def content(body: Body) -> Content:
    """The instructions and tools of a request, and the entries that it adds."""
    inputs, instructions = body.get("inputs"), body.get("instructions")
    entries = inputs if isinstance(inputs, (list, tuple)) else [{"role": "user", "content": inputs}] if inputs else []
    system = [_content.text(instructions)] if isinstance(instructions, str) else []
    return Content(
        [_message(entry) for entry in entries], system, mistral_chat.content({"tools": body.get("tools")}).tools
    )


def _message(entry: Any) -> Message:
    if get(entry, "type") == "function.result":
        message = {"role": "tool", "tool_call_id": get(entry, "tool_call_id"), "content": get(entry, "result")}
    else:
        message = {"role": get(entry, "role") or "assistant", "content": get(entry, "content")}
    return chat_completions.content({"messages": [message]}).messages[0]


def _transcribe(transcript: Transcript, entry: Any) -> None:
    identity = get(entry, "tool_call_id")
    if identity:
        transcript.tool_call(identity, identity, get(entry, "name"), mistral_chat.arguments_of(entry))
    else:
        mistral_chat.transcribe_said(transcript, get(entry, "content"))


OPERATION = Operation(semconv.CHAT, asked, fold, input=("instructions", "inputs"), content=content)
