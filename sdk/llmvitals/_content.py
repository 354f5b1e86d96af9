"""What was said, in the conventions' form: the messages of a request, and an answer's while it comes.

https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-input-messages.json ff.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from llmvitals import semconv

Redact = Callable[[str], str]
Part = dict[str, Any]
Message = dict[str, Any]

MARGIN = 256
"""Characters that are kept beyond a limit until redaction is done: what a cut has halved is not known any more."""


class Excerpt(NamedTuple):
    """The beginning of a text, and how many characters of it are missing."""

    text: str
    missing: int


class Content(NamedTuple):
    """A request's content: messages, system instructions that are sent apart from them, and tool definitions."""

    messages: list[Message]
    system: list[Part]
    tools: list[Part]


# ---- Parts of a message, and tool definitions ---------------------------------------------------------


def text(content: Any) -> Part:
    return {"type": "text", "content": content}


def reasoning(content: Any) -> Part:
    return {"type": "reasoning", "content": content}


def tool_call(id: Any, name: Any, arguments: Any) -> Part:
    """A tool call; arguments: as an object, or as the JSON that some APIs send."""
    return {"type": "tool_call", "id": id, "name": name, "arguments": _object(arguments)}


def server_tool_call(id: Any, name: Any, arguments: Any) -> Part:
    """A call of a tool that the provider runs itself."""
    called = {"type": name, "arguments": _object(arguments)}
    return {"type": "server_tool_call", "id": id, "name": name, "server_tool_call": called}


def tool_response(id: Any, response: Any) -> Part:
    return {"type": "tool_call_response", "id": id, "response": response}


def media(modality: str, *, url: Any = None, mime_type: Any = None, file_id: Any = None) -> Part:
    """An image, a video, sound or a document: where it is, or only that it was there, and never its bytes.

    modality: `image`, `video`, `audio` or `document`. url: of where it is; of a `data:` URL only the type is kept.
    """
    if isinstance(url, str) and url.startswith("data:"):
        mime_type, url = url[5:].partition(",")[0].partition(";")[0] or mime_type, None
    if isinstance(url, str) and "://" in url[:_SCHEME_SIZE]:  # some APIs take the bytes where others take a URL
        return {"type": "uri", "modality": modality, "mime_type": mime_type, "uri": url}
    if isinstance(file_id, str):
        return {"type": "file", "modality": modality, "mime_type": mime_type, "file_id": file_id}
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": ""}


_SCHEME_SIZE = 16


def tool(name: Any, description: Any = None, parameters: Any = None, type: str = "function") -> Part:
    """A tool's definition; parameters: the JSON schema of its arguments."""
    told = {"description": description, "parameters": parameters}
    return {"type": type, "name": name} | {key: value for key, value in told.items() if value is not None}


def _object(arguments: Any) -> Any:
    """The object that a tool call's arguments are, where they are the JSON of one; no arguments are an empty one."""
    if arguments == "":
        return {}
    if isinstance(arguments, str) and arguments.startswith("{"):
        try:
            return json.loads(arguments)
        except (ValueError, RecursionError):  # a model wrote it, and may not have come to its end
            pass
    return arguments


# ---- An answer ------------------------------------------------------------------------------------------


class Transcript:
    """What an answer says, kept as it comes, and written once, at the end.

    limit: characters of the answer that are to be told in the end. Some twice as many are kept at most: each
    part may have as much as it leaves for all others, so that an answer after long reasoning has room.
    """

    __slots__ = ("_choices", "_last", "_room", "_tools")

    def __init__(self, limit: int = semconv.CONTENT_LIMIT) -> None:
        self._choices: dict[int, list[_Part | Part]] = {}
        self._tools: dict[tuple[int, Any], _Part] = {}
        self._last: _Part | None = None  # where the latest piece went
        self._room = 2 * (limit + MARGIN)

    def text(self, piece: Any, choice: int = 0, kind: str = "text") -> None:
        """A piece of text has come, of a choice; kind: `text` or `reasoning`. It goes on where its kind was last."""
        if piece and isinstance(piece, str):
            part = self._last
            if part is None or part.kind != kind or part.choice != choice:
                parts = self._choices.get(choice)
                last = parts[-1] if parts else None
                part = last if isinstance(last, _Part) and last.kind == kind else self._begin(choice, kind)
            self._write(part, piece)

    def tool_call(
        self,
        index: Any,
        id: str | None = None,
        name: str | None = None,
        arguments: str = "",
        choice: int = 0,
        kind: str = "tool_call",
    ) -> None:
        """A piece of a tool call has come.

        index: what tells this tool call from others of the choice; a new id tells it too, because some hosts
        number all calls 0. kind: `server_tool_call` where the provider runs the tool itself.
        """
        part = self._tools.get((choice, index))
        if part is None or (id and part.id and id != part.id):
            part = self._tools[choice, index] = self._begin(choice, kind)
        part.id = part.id or id
        part.name = part.name or name
        if arguments and isinstance(arguments, str):
            self._write(part, arguments)

    def part(self, part: Part, choice: int = 0) -> None:
        """A part has come that is neither text nor a tool call, such as an image."""
        self._append(part, choice)

    @property
    def begun(self) -> bool:
        """Whether anything has come."""
        return bool(self._choices)

    def messages(self, finish_reasons: dict[int, str]) -> list[Message]:
        """The answer as output messages, one of each choice; finish_reasons: as the provider calls them."""
        return [
            {
                "role": "assistant",
                "parts": [part.written() if isinstance(part, _Part) else part for part in self._choices[choice]],
                "finish_reason": finish_reason(finish_reasons.get(choice)),
            }
            for choice in sorted(self._choices)
        ]

    def _begin(self, choice: int, kind: str) -> "_Part":
        part = _Part(choice, kind)
        self._append(part, choice)
        return part

    def _append(self, part: "_Part | Part", choice: int) -> None:
        self._last = None
        if self._room > 0:
            self._room -= _PART_SIZE
            self._choices.setdefault(choice, []).append(part)

    def _write(self, part: "_Part", piece: str) -> None:
        self._last = part
        size = len(piece)
        room = (self._room - part.size) // 2
        if size > room:
            piece = piece[: max(0, room)]
            part.missing += size - len(piece)
            if not piece:
                return
            size = len(piece)
        part.size += size
        self._room -= size
        part.said += piece.encode("utf-8", "surrogatepass")


_PART_SIZE = 256  # characters that a part counts as besides what it says


class _Part:
    """A part of an answer of which more may come."""

    __slots__ = ("choice", "id", "kind", "missing", "name", "said", "size")

    def __init__(self, choice: int, kind: str) -> None:
        self.choice = choice
        self.kind = kind
        self.id: str | None = None
        self.name: str | None = None
        self.said = bytearray()  # a list of pieces, or a StringIO, would take ten times as much memory as they say
        self.size = self.missing = 0

    def written(self) -> Part:
        text = self.said.decode("utf-8", "surrogatepass")
        said = Excerpt(text, self.missing) if self.missing else text
        if self.kind == "tool_call":
            return tool_call(self.id, self.name, said)
        if self.kind == "server_tool_call":
            return server_tool_call(self.id, self.name, said)
        return {"type": self.kind, "content": said}


_FINISH_REASONS = {
    **dict.fromkeys(("end_turn", "stop_sequence", "complete", "completed", "finish"), "stop"),
    **dict.fromkeys(("max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"), "length"),
    **dict.fromkeys(("tool_calls", "tool_use", "function_call"), "tool_call"),
    **dict.fromkeys(
        ("refusal", "safety", "guardrail_intervened", "content_filtered", "recitation", "prohibited_content"),
        "content_filter",
    ),
}


def finish_reason(told: str | None) -> str:
    """The conventions' word for why an answer ended, where they have one; `error` where nobody has said."""
    reason = "error" if told is None else str(told).lower()
    return _FINISH_REASONS.get(reason, reason)


# ---- The four values of OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT --------------------------------


def mode_named(told: Any) -> str:
    """The one of semconv.CONTENT_MODES that is called so, in any case; ValueError with all of them where none is."""
    mode = str(told).lower()
    if mode not in semconv.CONTENT_MODES:
        raise ValueError(f"content {told!r} is no capture mode; valid are {', '.join(semconv.CONTENT_MODES)}")
    return mode
