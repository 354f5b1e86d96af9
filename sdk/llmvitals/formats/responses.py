"""OpenAI's Responses, as others offer them too: https://platform.openai.com/docs/api-reference/responses"""

from typing import Any

from llmvitals import _content, semconv
from llmvitals._adapter import (
    ANSWER,
    NOTHING,
    OUTPUT_TYPES,
    REASONING,
    Answer,
    Attribute,
    Body,
    Operation,
    get,
    parameters,
)
from llmvitals._content import Content, Message, Part, Transcript
from llmvitals.formats import chat_completions

_PARAMETERS = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "service_tier": (semconv.OPENAI_REQUEST_SERVICE_TIER, str),
    "max_output_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "previous_response_id": (semconv.REQUEST_PREVIOUS_RESPONSE_ID, str),
}


def asked(body: Body) -> dict[str, Attribute]:
    attributes = parameters(body, _PARAMETERS)
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


def fold(answer: Answer, piece: Any) -> int:
    """Fold a `response`, or one event of its stream."""
    event = get(piece, "type")
    if event is None:
        _response(answer, piece)
        return NOTHING
    if answer.transcript is not None:
        _transcribe_event(answer.transcript, event, piece)
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
    if answer.transcript is not None and not answer.transcript.begun:  # a stream's last event repeats what has come
        for index, item in enumerate(get(response, "output") or ()):
            _transcribe(answer.transcript, index, item)


# ---- Content: looked at only where the app opts in ----------------------------------------------------


def content(body: Body) -> Content:
    """The input, instructions and tools of a request."""
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given or ()
    instructions = body.get("instructions")
    return Content(
        [_message(item) for item in items],
        [_content.text(instructions)] if isinstance(instructions, str) else [],
        [_tool(tool) for tool in body.get("tools") or ()],
    )


def _tool(tool: Any) -> Part:
    kind = str(get(tool, "type"))
    return _content.tool(get(tool, "name") or kind, get(tool, "description"), get(tool, "parameters"), kind)


def _message(item: Any) -> Message:
    if str(get(item, "type")).endswith("_call_output"):
        said = get(item, "output")
        response = [_part(part) for part in said] if isinstance(said, list) else said
        return {"role": "tool", "parts": [_content.tool_response(get(item, "call_id"), response)]}
    role = get(item, "role")
    if role is not None:
        said = get(item, "content")
        parts = [_content.text(said)] if isinstance(said, str) else [_part(part) for part in said or ()]
        return {"role": "system" if role == "developer" else role, "parts": parts}
    return {"role": "assistant", "parts": _parts_of(item)}


def _parts_of(item: Any) -> list[Part]:
    """The parts that an item is which is no message: the model's own words and deeds."""
    kind = str(get(item, "type"))
    if kind in _CALLS:
        return [_content.tool_call(get(item, "call_id"), get(item, "name"), get(item, _CALLS[kind]))]
    if kind == "reasoning":
        texts = [get(text, "text") for name in ("content", "summary") for text in get(item, name) or ()]
        return [_content.reasoning(text) for text in texts if text]
    if kind == "compaction":
        return [{"type": kind}]
    if kind.endswith("_call"):  # of a tool of OpenAI's own; what it was given differs from one to the other
        return [_content.server_tool_call(get(item, "id"), kind.removesuffix("_call"), get(item, "action"))]
    return [{"type": kind}]


_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}


def _part(part: Any) -> Part:
    kind, file_id = str(get(part, "type")), get(part, "file_id")
    if kind in ("input_text", "output_text", "refusal"):
        return _content.text(get(part, "refusal" if kind == "refusal" else "text"))
    if kind == "input_image":
        return _content.media("image", url=get(part, "image_url"), file_id=file_id)
    if kind == "input_file":
        return _content.media("document", url=get(part, "file_url") or get(part, "file_data"), file_id=file_id)
    return {"type": kind}


def _transcribe(transcript: Transcript, index: int, item: Any) -> None:
    """Write down an item of the output, whole."""
    kind = get(item, "type")
    if kind == "message":
        for part in get(item, "content") or ():
            transcript.text(get(part, "text") or get(part, "refusal"))
    elif kind in _CALLS:
        transcript.tool_call(index, get(item, "call_id"), get(item, "name"), get(item, _CALLS[kind]))
    else:
        for told in _parts_of(item):
            if told["type"] == "reasoning":
                transcript.text(told["content"], kind="reasoning")
            else:
                transcript.part(told)


def _transcribe_event(transcript: Transcript, event: str, piece: Any) -> None:
    """Write down what an event of a stream tells; an item's call is known when it begins, the rest when it is done."""
    index, delta = get(piece, "output_index"), get(piece, "delta")
    if event in ("response.output_text.delta", "response.refusal.delta"):
        transcript.text(delta)
    elif event in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"):
        transcript.text(delta, kind="reasoning")
    elif event in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
        transcript.tool_call(index, arguments=delta)
    elif event == "response.output_item.added":
        item = get(piece, "item")
        if get(item, "type") in _CALLS:
            transcript.tool_call(index, get(item, "call_id"), get(item, "name"))
    elif event == "response.output_item.done":
        item = get(piece, "item")
        if get(item, "type") not in ("message", "reasoning", *_CALLS):
            _transcribe(transcript, index, item)


OPERATION = Operation(
    semconv.CHAT,
    asked,
    fold,
    input=("instructions", "input"),
    content=content,
    template=template,
)
