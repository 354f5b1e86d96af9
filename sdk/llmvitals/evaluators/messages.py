"""A call's messages, in the conventions' form, to what evaluators look at."""

import json
from collections.abc import Iterator, Sequence

from llmvitals._content import Excerpt, Message, Part, finish_reason
from llmvitals.evaluators.evaluator import Exchange

_TOOL_CALLS = ("tool_call", "server_tool_call")
_MEDIA = ("blob", "file", "uri")
_EARLIER = 8  # turns: what is older tells nothing of the answer


def exchange(asked: Sequence[Message], system: Sequence[Part], answered: Sequence[Message]) -> Exchange:
    """What a request and its answer say; of several choices the first is the answer.

    asked, answered: the messages of the request and of the answer. system: instructions that were sent apart from them.
    What tools have responded since the user last spoke is the context; an Excerpt in the answer makes it `partial`.
    https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-input-messages.json ff.
    """
    spoken = [
        (place, said) for place, each in enumerate(asked) if each["role"] == "user" and (said := _text(each["parts"]))
    ]
    since, query = spoken[-1] if spoken else (0, "")
    rules = [_text(system), *(_text(each["parts"]) for each in asked if each["role"] == "system")]
    parts = answered[0]["parts"] if answered else []
    return Exchange(
        answer=_text(parts),
        # Others' instrumentations leave it as the provider calls it.
        finish_reason=finish_reason(answered[0]["finish_reason"]) if answered else "",
        query=query,
        earlier=tuple(said for _, said in spoken[-1 - _EARLIER : -1]),
        system="\n".join(filter(None, rules)),
        context="\n".join(response for each in asked[since:] for response in _responses(each["parts"])),
        tool_calls=any(part["type"] in _TOOL_CALLS for part in parts),
        media=any(part["type"] in _MEDIA for part in parts),
        partial=any(isinstance(part.get("content"), Excerpt) for part in parts if part["type"] == "text"),
    )


def _text(parts: Sequence[Part]) -> str:
    """What is said to the reader, which reasoning, calls of tools and images are not."""
    contents = [part.get("content") for part in parts if part["type"] == "text"]
    return "\n".join(
        each.text if isinstance(each, Excerpt) else each for each in contents if isinstance(each, str | Excerpt)
    )


def _responses(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        if part["type"] == "tool_call_response":
            response = part.get("response")
            yield response if isinstance(response, str) else json.dumps(response, default=str, ensure_ascii=False)
