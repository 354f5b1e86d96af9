"""OpenAI's client: chat and text completions, Responses, embeddings; of OpenAI itself and of compatible hosts."""

from dataclasses import replace
from typing import Any

from llmvitals import _stainless, semconv
from llmvitals._adapter import (
    ANSWER,
    NOTHING,
    OUTPUT_TYPES,
    REASONING,
    Adapter,
    Answer,
    Attribute,
    Body,
    Operation,
    get,
    parameters,
)
from llmvitals._content import Content, Message, Part
from llmvitals.formats import chat_completions, completions, embeddings

# ---- Chat completions: OpenAI's own have something more to say than those of compatible hosts -----------


def chat_asked(body: Body) -> dict[str, Attribute]:
    return chat_completions.asked(body) | {semconv.OPENAI_API_TYPE: "chat_completions"}


_CHAT = replace(chat_completions.OPERATION, parameters=chat_asked, usage_request=chat_completions.USAGE_REQUEST)


# ---- Responses: https://platform.openai.com/docs/api-reference/responses --------------------------

_RESPONSES = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "service_tier": (semconv.OPENAI_REQUEST_SERVICE_TIER, str),
    "max_output_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "previous_response_id": (semconv.REQUEST_PREVIOUS_RESPONSE_ID, str),
}


def responses_asked(body: Body) -> dict[str, Attribute]:
    attributes = parameters(body, _RESPONSES)
    attributes[semconv.OPENAI_API_TYPE] = "responses"
    effort = get(body.get("reasoning"), "effort")
    if isinstance(effort, str):
        attributes[semconv.REQUEST_REASONING_LEVEL] = effort
    conversation = body.get("conversation")
    conversation = conversation if isinstance(conversation, str) else get(conversation, "id")
    if isinstance(conversation, str):
        attributes[semconv.CONVERSATION_ID] = conversation
    output_type = OUTPUT_TYPES.get(str(get(get(body.get("text"), "format"), "type")))
    if output_type:
        attributes[semconv.OUTPUT_TYPE] = output_type
    return attributes


def template(body: Body) -> tuple[str, str | None] | None:
    """The prompt template that the request refers to: https://platform.openai.com/docs/guides/prompting"""
    prompt = body.get("prompt")
    name, version = get(prompt, "id"), get(prompt, "version")
    return (name, version if isinstance(version, str) else None) if isinstance(name, str) else None


def fold_responses(answer: Answer, piece: Any) -> int:
    """Fold a `response`, or one event of its stream."""
    event = get(piece, "type")
    if event is None:
        _response(answer, piece)
        return NOTHING
    if event.endswith(".delta"):
        if "reasoning" in event:
            answer.reasoning_seen = True
            return REASONING
        return ANSWER
    if event == "error":
        answer.error = get(piece, "code") or event
    response = get(piece, "response")
    if response is not None:
        _response(answer, response)
    return NOTHING


def _response(answer: Answer, response: Any) -> None:
    answer.id = get(response, "id")
    answer.model = get(response, "model")
    status = get(response, "status")
    if status == "failed":
        answer.error = get(get(response, "error"), "code") or status
    elif status in ("completed", "incomplete"):
        answer.finish_reasons = {0: get(get(response, "incomplete_details"), "reason") or "stop"}
    usage = get(response, "usage")
    if usage is not None:
        chat_completions.fold_usage(answer, usage, asked="input", said="output")
        chat_completions.fold_service_tier(answer, response)
    if answer.transcript is not None:
        for index, item in enumerate(get(response, "output") or ()):
            _transcribe(answer, index, item)


def _transcribe(answer: Answer, index: int, item: Any) -> None:
    """Write down an item of the output; its stream's last event has them all."""
    transcript, kind = answer.transcript, get(item, "type")
    if transcript is None:
        return
    if kind == "message":
        for part in get(item, "content") or ():
            transcript.text(get(part, "text") or get(part, "refusal") or "")
    elif kind == "reasoning":
        for part in get(item, "summary") or ():
            transcript.text(get(part, "text") or "", kind="reasoning")
    elif kind == "function_call":
        transcript.tool_call(index, get(item, "call_id"), get(item, "name"), get(item, "arguments") or "")


def responses_content(body: Body) -> Content:
    """The input, instructions and tools of a request."""
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given or ()
    instructions = body.get("instructions")
    system = [{"type": "text", "content": instructions}] if isinstance(instructions, str) else []
    tools = [
        {"type": "function", **{name: get(tool, name) for name in ("name", "description", "parameters")}}
        for tool in body.get("tools") or ()
        if get(tool, "type") == "function"
    ]
    return Content([_message(item) for item in items], system, tools)


def _message(item: Any) -> Message:
    kind, said = get(item, "type"), get(item, "content")
    if kind == "function_call":
        arguments = get(item, "arguments")
        call = {"type": "tool_call", "id": get(item, "call_id"), "name": get(item, "name"), "arguments": arguments}
        return {"role": "assistant", "parts": [call]}
    if kind == "function_call_output":
        response = {"type": "tool_call_response", "id": get(item, "call_id"), "response": get(item, "output")}
        return {"role": "tool", "parts": [response]}
    parts: list[Part] = [{"type": "text", "content": said}] if isinstance(said, str) else []
    for part in () if isinstance(said, str) else said or ():
        text = get(part, "text")
        parts.append({"type": "text", "content": text} if text is not None else {"type": str(get(part, "type"))})
    return {"role": get(item, "role") or "user", "parts": parts}


ADAPTER = Adapter(
    provider="openai",
    module="openai._base_client",
    operations={
        "/chat/completions": _CHAT,
        "/completions": completions.OPERATION,
        "/responses": Operation(
            semconv.CHAT,
            responses_asked,
            fold_responses,
            input=("instructions", "input"),
            content=responses_content,
            template=template,
        ),
        "/embeddings": embeddings.OPERATION,
    },
    install=_stainless.install,
)
