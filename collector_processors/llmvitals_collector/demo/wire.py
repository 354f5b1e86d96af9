"""What the wire formats have in common: the reply to put on the wire, its words, and server-sent events."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from llmvitals_collector.demo.behaviour import Behaviour

SPEECH = "Thank you for asking. Here is what we found, and what you can do about it today."
THOUGHT = "The customer wants an answer that is short, right and kind. Let us see."
REFUSAL = "I am sorry, I cannot help with that."
FAILURE = "The server had an error while it wrote the answer."


@dataclass(frozen=True)
class Reply:
    """One request and how it is answered.

    request: the request's JSON body.
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
    def reasoning(self) -> list[str]:
        """The reasoning as it is told, one string per token."""
        return _words(THOUGHT, self.behaviour.reasoning_tokens) if self.behaviour.reasoning_streamed else []

    @property
    def text(self) -> list[str]:
        """The text, one string per token; of a refusal, its words."""
        if self.behaviour.refusal:
            return _words(REFUSAL, REFUSAL.count(" ") + 1)
        return _words(SPEECH, self._visible_tokens)

    @property
    def tool_name(self) -> str:
        tool: dict[str, Any] = next(iter(self.request.get("tools") or []), {})
        return str(tool.get("function", tool).get("name", "look_up_order"))

    @property
    def tool_arguments(self) -> list[str]:
        """The arguments of the tool call, a JSON object in pieces, one per token after the tool's name."""
        return ['{"query": "', *_words(SPEECH, self._visible_tokens - 3), '"}']

    @property
    def _visible_tokens(self) -> int:
        return self.behaviour.output_tokens - self.behaviour.reasoning_tokens


class Event(NamedTuple):
    """One server-sent event. is_token: it holds something that the model said."""

    data: bytes
    is_token: bool = False


class Wire(Protocol):
    """A wire format; each is a module of its own, with these functions."""

    def whole(self, reply: Reply) -> dict[str, Any]:
        """The body of an answer that is sent whole; its `id`, if it has one, is the response's."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """The body of an error response."""


class StreamingWire(Wire, Protocol):
    """A wire format whose answers can be streamed."""

    def events(self, reply: Reply) -> Iterator[Event]:
        """The events of an answer."""

    def broken(self, reply: Reply, sent: int, /) -> Iterator[Event]:
        """The events with which an answer fails, after `sent` others."""


def event(data: dict[str, Any], name: str = "", *, is_token: bool = False) -> Event:
    """An event, named if a name is given, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it."""
    prefix = f"event: {name}\n" if name else ""
    return Event(f"{prefix}data: {json.dumps(data)}\n\n".encode(), is_token)


def _words(speech: str, count: int) -> list[str]:
    spoken = list(itertools.islice(itertools.cycle(speech.split()), max(count, 0)))
    return [f"{word} " for word in spoken[:-1]] + spoken[-1:]
