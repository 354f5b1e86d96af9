"""Captured content, as attributes of spans have it, to what evaluators look at."""

import re
from typing import Any

import msgspec

from llmvitals._content import Excerpt, Message, Part
from llmvitals.evaluators.evaluator import Exchange, Instructions
from llmvitals.evaluators.messages import exchange

# How the SDK marks a text that was too long for an attribute.
_CUT = re.compile(r"… \[cut: (\d+) characters\]\Z")


class UnreadableError(Exception):
    """Content that is no JSON of messages: a limit on attributes may have cut it."""


def read(asked: str, answered: str, system: str, instructions: Instructions) -> Exchange:
    """What one call asked, and got.

    asked, answered, system: the values of semconv.INPUT_MESSAGES, OUTPUT_MESSAGES and SYSTEM_INSTRUCTIONS; "" is none.
    https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-input-messages.json ff.

    Raises:
        UnreadableError: one of them is no JSON of messages or parts.
    """
    return exchange(_messages(asked), _parts(_items(system)), _messages(answered))._replace(instructions=instructions)


def _items(text: str) -> list[Any]:
    """The elements of a JSON array; none of no text."""
    try:
        return msgspec.json.decode(text.encode("utf-8", "surrogatepass"), type=list[Any]) if text else []
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnreadableError from error


def _messages(text: str) -> list[Message]:
    """Messages with all that the conventions require of them; older ones have `content` in place of `parts`."""
    return [
        {
            "role": _text(each.get("role")),
            "parts": _parts(each.get("parts", each.get("content"))),
            "finish_reason": _text(each.get("finish_reason")),
        }
        for each in _items(text)
        if isinstance(each, dict)
    ]


def _parts(told: Any) -> list[Part]:
    return [part for each in (told if isinstance(told, list) else [told]) if (part := _part(each)) is not None]


def _part(told: Any) -> Part | None:
    if isinstance(told, str):
        told = {"type": "text", "content": told}
    if not isinstance(told, dict):
        return None
    part = {**told, "type": _text(told.get("type"))}
    content = part.get("content", part.get("text"))
    if isinstance(content, str) and (cut := _CUT.search(content)):
        content = Excerpt(content[: cut.start()], int(cut[1]))
    return {**part, "content": content}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
