"""OpenAI's Responses on the wire (https://platform.openai.com/docs/api-reference/responses-streaming)."""

from collections.abc import Iterator
from typing import Any

from llmvitals_collector.demo.wire import EVENT_STREAM, FAILURE, Event, Reply, Step, sse
from llmvitals_collector.demo.wires.chat import error as error  # OpenAI's APIs share their error bodies

MEDIA_TYPE = EVENT_STREAM


def whole(reply: Reply) -> dict[str, Any]:
    return _response(reply, "completed")


def events(reply: Reply) -> Iterator[Event]:
    for number, step in enumerate(_steps(reply)):
        yield _event(step, number)


def broken(reply: Reply, sent: int) -> Iterator[Event]:
    failure = {"code": "server_error", "message": FAILURE}
    yield _event(Step("error", {**failure, "param": None}), sent)
    yield _event(Step("response.failed", {"response": _response(reply, "failed") | {"error": failure}}), sent + 1)


def _event(step: Step, number: int) -> Event:
    body = {"type": step.name, "sequence_number": number, **step.fields}
    return sse(body, step.name, is_token=step.is_token)


def _steps(reply: Reply) -> Iterator[Step]:
    begun = _response(reply, "in_progress")
    yield Step("response.created", {"response": begun})
    yield Step("response.in_progress", {"response": begun})
    tell = {"reasoning": _tell_reasoning, "function_call": _tell_function_call, "message": _tell_message}
    for index, item in enumerate(_output(reply)):
        yield from tell[item["type"]](reply, item, index)
        yield Step("response.output_item.done", {"output_index": index, "item": item})
    yield Step("response.completed", {"response": _response(reply, "completed")})


def _tell_reasoning(reply: Reply, item: dict[str, Any], index: int) -> Iterator[Step]:
    yield Step("response.output_item.added", {"output_index": index, "item": item | {"summary": []}})
    place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    for part in item["summary"]:
        yield Step("response.reasoning_summary_part.added", {**place, "part": part | {"text": ""}})
        for thought in reply.reasoning:
            yield Step("response.reasoning_summary_text.delta", {**place, "delta": thought}, is_token=True)
        yield Step("response.reasoning_summary_text.done", {**place, "text": part["text"]})
        yield Step("response.reasoning_summary_part.done", {**place, "part": part})


def _tell_function_call(reply: Reply, item: dict[str, Any], index: int) -> Iterator[Step]:
    begun = item | {"status": "in_progress", "arguments": ""}
    yield Step("response.output_item.added", {"output_index": index, "item": begun}, is_token=True)
    place = {"item_id": item["id"], "output_index": index}
    for piece in reply.tool_arguments:
        yield Step("response.function_call_arguments.delta", {**place, "delta": piece}, is_token=True)
    done = {"name": item["name"], "arguments": item["arguments"]}
    yield Step("response.function_call_arguments.done", {**place, **done})


def _tell_message(reply: Reply, item: dict[str, Any], index: int) -> Iterator[Step]:
    begun = item | {"status": "in_progress", "content": []}
    yield Step("response.output_item.added", {"output_index": index, "item": begun})
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    [part] = item["content"]
    kind = part["type"]
    key = "refusal" if reply.behaviour.refusal else "text"
    extra: dict[str, Any] = {} if reply.behaviour.refusal else {"logprobs": []}
    yield Step("response.content_part.added", {**place, "part": part | {key: ""}})
    for word in reply.text:
        yield Step(f"response.{kind}.delta", {**place, "delta": word, **extra}, is_token=True)
    yield Step(f"response.{kind}.done", {**place, key: part[key], **extra})
    yield Step("response.content_part.done", {**place, "part": part})


def _response(reply: Reply, status: str) -> dict[str, Any]:
    done = status == "completed"
    return {
        "id": f"resp_{reply.key}",
        "object": "response",
        "created_at": reply.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": reply.request.get("instructions"),
        "metadata": reply.request.get("metadata") or {},
        "model": reply.model,
        "output": list(_output(reply)) if done else [],
        "parallel_tool_calls": True,
        "service_tier": "default",
        "tool_choice": "auto",
        "tools": reply.request.get("tools") or [],
        "usage": _usage(reply) if done and not reply.behaviour.usage_missing else None,
    }


def _output(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.behaviour.reasoning_tokens:
        told = "".join(reply.reasoning)
        summary = [{"type": "summary_text", "text": told}] if told else []
        yield {"type": "reasoning", "id": f"rs_{reply.key}", "summary": summary}
    if reply.behaviour.tool_call:
        yield {
            "type": "function_call",
            "id": f"fc_{reply.key}",
            "call_id": f"call_{reply.key}",
            "name": reply.tool_name,
            "arguments": "".join(reply.tool_arguments),
            "status": "completed",
        }
        return
    text = "".join(reply.text)
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if reply.behaviour.refusal:
        part = {"type": "refusal", "refusal": text}
    yield {
        "type": "message",
        "id": f"msg_{reply.key}",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def _usage(reply: Reply) -> dict[str, Any]:
    told = reply.behaviour
    return {
        "input_tokens": told.input_tokens,
        "input_tokens_details": {
            "cached_tokens": told.cache_read_tokens,
            "cache_write_tokens": told.cache_write_tokens,
        },
        "output_tokens": told.output_tokens,
        "output_tokens_details": {"reasoning_tokens": told.reasoning_tokens},
        "total_tokens": told.input_tokens + told.output_tokens,
    }
