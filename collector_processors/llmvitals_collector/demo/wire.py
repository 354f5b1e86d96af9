"""What the wire formats have in common: the reply to put on the wire, its words, and how events are framed."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from llmvitals_collector.demo.behaviour import Behaviour

# Media types of streamed answers.
EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON_LINES = "application/x-ndjson"

SPEECH = "Thank you for asking. Here is what we found, and what you can do about it today."
THOUGHT = "The customer wants an answer that is short, right and kind. Let us see."
REFUSAL = "I am sorry, I cannot help with that."
FAILURE = "The server had an error while it wrote the answer."
TOOL_NAME = "look_up_order"  # what is called when the request has no tools


@dataclass(frozen=True)
class Reply:
    """One request and how it is answered.

    request: the request's JSON body, with the `model` that the path names, where the API has it there.
    key: what makes the reply's identifiers unique.
    created: seconds since the epoch.
    """

    request: dict[str, Any]
    behaviour: Behaviour
    key: str
    created: int

    @property
    def model(self) -> str:
        return str(self.request.get("model", ""))

    @property
    def choices(self) -> range:
        """The numbers of the choices, `n` of them; they say all the same, at the same time."""
        return range(self.request.get("n") or 1)

    @property
    def output_tokens(self) -> int:
        """The tokens of all choices."""
        return self.behaviour.output_tokens * len(self.choices)

    @property
    def reasoning_tokens(self) -> int:
        """The tokens of reasoning in all choices."""
        return self.behaviour.reasoning_tokens * len(self.choices)

    @property
    def reasoning(self) -> list[str]:
        """The reasoning as it is told, one string per token."""
        return _words(THOUGHT, self.behaviour.reasoning_tokens) if self.behaviour.reasoning_streamed else []

    @property
    def text(self) -> list[str]:
        """The text, one string per token; of a refusal, its words."""
        if self.behaviour.refusal:
            return _words(REFUSAL, REFUSAL.count(" ") + 1)
        if self.behaviour.text:
            return words_of(self.behaviour.text)
        return _words(SPEECH, self._visible_tokens)

    @property
    def tool_name(self) -> str:
        tool: dict[str, Any] = next(iter(self.request.get("tools") or []), {})
        return str(tool.get("function", tool).get("name", TOOL_NAME))

    @property
    def tool_arguments(self) -> list[str]:
        """The arguments of the tool call, a JSON object in pieces, one per token after the tool's name."""
        return ['{"query": "', *_words(SPEECH, self._visible_tokens - 3), '"}']

    @property
    def _visible_tokens(self) -> int:
        return self.behaviour.output_tokens - self.behaviour.reasoning_tokens


class Step(NamedTuple):
    """An event before it is framed. is_token: it holds something that the model said."""

    name: str
    fields: dict[str, Any]
    is_token: bool = False


class Event(NamedTuple):
    """One event of a stream, framed as its media type has it.

    is_token: the model said what it holds, and it is sent when one more token is due. Of the events that are sent
        together, for one token of several choices, the first one.
    """

    data: bytes
    is_token: bool = False


class Wire(Protocol):
    """A wire format; each is a module of its own, with these functions."""

    def whole(self, reply: Reply) -> Any:
        """The JSON body of an answer that is sent whole; its `id`, if it has one, is the response's."""

    def error(self, status: int, message: str) -> Any:
        """The JSON body of an error response."""


@runtime_checkable
class StreamingWire(Wire, Protocol):
    """A wire format whose answers can be streamed. MEDIA_TYPE: of the stream."""

    MEDIA_TYPE: str

    def events(self, reply: Reply) -> Iterator[Event]:
        """The events of an answer."""

    def broken(self, reply: Reply, sent: int, /) -> Iterator[Event]:
        """The events with which an answer fails, after `sent` others."""


def sse(data: dict[str, Any], name: str = "", *, is_token: bool = False) -> Event:
    """A server-sent event, named if a name is given (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    prefix = f"event: {name}\n" if name else ""
    return Event(f"{prefix}data: {json.dumps(data)}\n\n".encode(), is_token)


def json_line(data: dict[str, Any], *, is_token: bool = False) -> Event:
    """A line of JSON (https://github.com/ndjson/ndjson-spec)."""
    return Event(f"{json.dumps(data)}\n".encode(), is_token)


def words_of(text: str) -> list[str]:
    """The words of a text, each with the space after it."""
    return re.findall(r"\S+\s*", text)


def _words(speech: str, count: int) -> list[str]:
    spoken = list(itertools.islice(itertools.cycle(speech.split()), max(count, 0)))
    return [f"{word} " for word in spoken[:-1]] + spoken[-1:]
