"""What was said, in the conventions' form: opted into, collected while it comes, and written as JSON."""

import json
import os
from typing import Any, NamedTuple

from llmvitals import semconv

Part = dict[str, Any]
Message = dict[str, Any]


class Content(NamedTuple):
    """A request's content: messages, system instructions that are sent apart from them, and tool definitions.

    https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-input-messages.json ff.
    """

    messages: list[Message]
    system: list[Part]
    tools: list[Part]


class Transcript:
    """What an answer says. Its pieces are kept as they come, and joined once, at the end."""

    __slots__ = ("_choices",)

    def __init__(self) -> None:
        # choice -> what identifies a part of it, in the order of their coming -> the part
        self._choices: dict[int, dict[Any, _Part]] = {}

    def text(self, piece: str, choice: int = 0, kind: str = "text") -> None:
        """A piece of text has come, of a choice; kind: `text` or `reasoning`."""
        self._part(choice, kind, kind).pieces.append(piece)

    def tool_call(
        self, index: Any, id: str | None = None, name: str | None = None, arguments: str = "", choice: int = 0
    ) -> None:
        """A piece of a tool call has come; index: what tells this tool call from others of the choice."""
        part = self._part(choice, ("tool_call", index), "tool_call")
        part.id = id or part.id
        part.name = name or part.name
        part.pieces.append(arguments)

    def messages(self, finish_reasons: dict[int, str]) -> list[Message]:
        """The answer as output messages, one of each choice."""
        return [
            {
                "role": "assistant",
                "parts": [part.written() for part in self._choices[choice].values()],
                "finish_reason": finish_reasons.get(choice, "error"),
            }
            for choice in sorted(self._choices)
        ]

    def _part(self, choice: int, key: Any, kind: str) -> "_Part":
        parts = self._choices.setdefault(choice, {})
        part = parts.get(key)
        if part is None:
            part = parts[key] = _Part(kind)
        return part


class _Part:
    __slots__ = ("id", "kind", "name", "pieces")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.id: str | None = None
        self.name: str | None = None

    def written(self) -> Part:
        said = "".join(self.pieces)
        if self.kind != "tool_call":
            return {"type": self.kind, "content": said}
        return {"type": self.kind, "id": self.id, "name": self.name, "arguments": said}


def mode() -> str:
    """One of semconv.CONTENT_MODES: what is captured of the call that starts now."""
    told = os.environ.get(semconv.CAPTURE_CONTENT, semconv.NO_CONTENT).lower()
    return told if told in semconv.CONTENT_MODES else semconv.NO_CONTENT


def attributes(content: Content, transcript: Transcript, finish_reasons: dict[int, str]) -> dict[str, str]:
    """A call's content as span attributes: JSON, each of them."""
    found = {
        semconv.INPUT_MESSAGES: content.messages,
        semconv.SYSTEM_INSTRUCTIONS: content.system,
        semconv.TOOL_DEFINITIONS: content.tools,
        semconv.OUTPUT_MESSAGES: transcript.messages(finish_reasons),
    }
    return {name: json.dumps(value, default=str) for name, value in found.items() if value}
