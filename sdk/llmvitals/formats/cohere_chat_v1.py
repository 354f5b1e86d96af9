"""Cohere's Chat, version 1, which Bedrock still has: https://docs.cohere.com/v1/reference/chat"""

import json
from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, Answer, Body, Operation, get
from llmvitals._content import Content, Message, Transcript
from llmvitals.formats import cohere_chat


def fold(answer: Answer, piece: Any) -> int:
    """Fold a chat's answer, or one event of its stream: https://docs.cohere.com/v1/reference/chat-stream"""
    event = get(piece, "event_type")
    if event == "text-generation":
        if answer.transcript is not None:
            answer.transcript.text(get(piece, "text"))
        return ANSWER
    if event == "tool-calls-chunk":
        return ANSWER
    if event == "stream-start":
        answer.id = get(piece, "generation_id")
    elif event == "stream-end":
        response = get(piece, "response")
        cohere_chat.fold_end(answer, piece, get(response, "meta"))
        if answer.transcript is not None:
            _transcribe_calls(answer.transcript, response)
    elif event is None:
        answer.id = get(piece, "generation_id") or get(piece, "response_id")
        cohere_chat.fold_end(answer, piece, get(piece, "meta"))
        if answer.transcript is not None:
            answer.transcript.text(get(piece, "text"))
            _transcribe_calls(answer.transcript, piece)
    return NOTHING


def _transcribe_calls(transcript: Transcript, response: Any) -> None:
    """Write down the tool calls of a whole answer, which a stream repeats at its end."""
    for index, call in enumerate(get(response, "tool_calls") or ()):
        transcript.tool_call(index, name=get(call, "name"), arguments=json.dumps(get(call, "parameters"), default=str))


# ---- Content: looked at only where the app opts in ----------------------------------------------------

_ROLES = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"}


def content(body: Body) -> Content:
    """The history, the message, the preamble and the tools of a request."""
    messages = [_message(message) for message in body.get("chat_history") or ()]
    if body.get("message"):
        messages.append({"role": "user", "parts": [_content.text(body["message"])]})
    results = [_content.tool_response(None, get(result, "outputs")) for result in body.get("tool_results") or ()]
    if results:
        messages.append({"role": "tool", "parts": results})
    preamble = body.get("preamble")
    tools = [
        _content.tool(get(tool, "name"), get(tool, "description"), get(tool, "parameter_definitions"))
        for tool in body.get("tools") or ()
    ]
    return Content(messages, [_content.text(preamble)] if preamble else [], tools)


def _message(message: Any) -> Message:
    role, said = str(get(message, "role")), get(message, "message")
    return {"role": _ROLES.get(role, role), "parts": [_content.text(said)] if said else []}


OPERATION = Operation(
    semconv.CHAT, cohere_chat.asked, fold, input=("preamble", "chat_history", "message"), content=content
)
