"""What the contract needs to know of one API of one client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PROMPT = [{"role": "user", "content": "Where is my parcel?"}]

Style = Callable[[Any], Any]
"""One way of calling: given the `Clients` of a loopback provider, makes one call, reads its answer to
the end and returns what the app saw of it (of a stream: a list of it); a coroutine function, or not."""


@dataclass(frozen=True)
class Subject:
    """One API of one client.

    provider, operation, model: what the span is to say.
    errors: status of a refused request -> error.type.
    timeout: error.type of a call that takes longer than the client waits.
    impatient: the client's options that make it wait for 0.25 seconds: enough to connect.
    attempts_seen: whether the span says how often the request was sent.
    retrying: the client's options that make it retry twice; None where it never does.
    whole: the ways of calling that give the answer whole, by name; the first is the plain one, sync.
    awhole: the plain one, async; None where the client has no async half.
    streamed: the ways that stream it.
    open, aopen: start a stream, and give the iterator that the app reads.
    close, aclose: close it; None where it can't be closed.
    lazy: the request is made when the first chunk is asked for, not when the stream is opened.
    awaits_chunk: whether somebody waits for a chunk of the stream now; None where it can't be closed meanwhile.
    openers: how many chunks a stream opens with before the first that brings a token.
    reasons: whether its streams tell the model's reasoning.
    helper: start a stream by a helper that is left like a block; None where there is none.
    tells: what the API's answers tell of their usage.
    stream_tells: the same of its streams, as the contract asks for them.
    seen: what the app sees of a chunk, without what differs from one answer to the next.
    """

    name: str
    provider: str
    operation: str
    model: str
    errors: Mapping[int, str]
    whole: Mapping[str, Style]
    timeout: str = ""
    impatient: Mapping[str, Any] = field(default_factory=lambda: {"timeout": 0.25})
    retrying: Mapping[str, Any] | None = field(default_factory=lambda: {"max_retries": 2})
    attempts_seen: bool = True
    awhole: Style | None = None
    streamed: Mapping[str, Style] = field(default_factory=dict)
    open: Style | None = None
    aopen: Style | None = None
    close: Callable[[Any], Any] | None = lambda stream: stream.close()
    aclose: Callable[[Any], Any] | None = lambda stream: stream.aclose()
    lazy: bool = False
    awaits_chunk: Callable[[Any], bool] | None = None
    openers: int = 1
    reasons: bool = True
    helper: Style | None = None
    tells: frozenset[str] = frozenset({"input", "output", "cache_read", "id", "finish"})
    stream_tells: frozenset[str] = frozenset({"input", "output", "cache_read", "id", "finish"})
    seen: Callable[[Any], Any] = repr

    def __str__(self) -> str:
        return self.name
