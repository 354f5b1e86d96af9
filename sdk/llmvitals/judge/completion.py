"""A chat completion as it came, from an endpoint that may send anything."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from llmvitals import semconv
from llmvitals.judge.failures import NoJudgement

# https://platform.openai.com/docs/api-reference/chat/object
_USAGE = {
    "input": ("prompt_tokens",),
    "output": ("completion_tokens",),
    "cache_read": ("prompt_tokens_details", "cached_tokens"),
    "reasoning": ("completion_tokens_details", "reasoning_tokens"),
}


class Completion(NamedTuple):
    """What the first choice says; "" is what it does not say. usage: token type -> tokens; {} where it tells none."""

    text: str
    arguments: str
    refusal: str
    finish_reason: str
    usage: Mapping[str, int]

    def said(self) -> str:
        """The arguments of the tool call, else the text. Raises NoJudgement where there is none, or not all of it."""
        if self.refusal or self.finish_reason == semconv.CONTENT_FILTER:
            raise NoJudgement(semconv.JUDGE_INVALID, semconv.REFUSED)
        if self.finish_reason == "length":
            raise NoJudgement(semconv.JUDGE_INVALID, semconv.CUT_OFF)
        said = self.arguments or self.text
        if not said.strip():
            raise NoJudgement(semconv.JUDGE_INVALID, semconv.EMPTY_ANSWER)
        return said


def read(body: bytes) -> Completion:
    """Read a response's body. Raises NoJudgement where it is no JSON."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise NoJudgement(semconv.JUDGE_INVALID, semconv.NOT_JSON) from None
    choice = _at(document, "choices", 0)
    message = _at(choice, "message")
    usage = {name: _at(document, "usage", *path) for name, path in _USAGE.items()}
    return Completion(
        _text(_at(message, "content")),
        _text(_at(message, "tool_calls", 0, "function", "arguments")),
        _text(_at(message, "refusal")),
        _text(_at(choice, "finish_reason")),
        {name: tokens for name, tokens in usage.items() if type(tokens) is int and tokens >= 0},
    )


def _at(node: Any, *path: str | int) -> Any:
    """What is at the end of a path, None where the path does not lead there."""
    for step in path:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and node and step == 0:
            node = node[0]
        else:
            return None
    return node


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
