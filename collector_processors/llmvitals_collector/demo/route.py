"""Which requests a wire format answers, and whether it streams the answer."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmvitals_collector.demo.wire import Reply, StreamingWire, Wire


def if_asked(request: dict[str, Any]) -> bool:
    return bool(request.get("stream"))


def unless_declined(request: dict[str, Any]) -> bool:
    return request.get("stream") is not False


def always(_request: dict[str, Any]) -> bool:
    return True


def no_headers(_reply: Reply) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Route:
    """The requests to a path, and the wire format that answers them.

    pattern: the whole path, in which `{name}` stands for one or more characters of any kind. What stands for
        `{model}` is told to the wire as the request's `model`, like one that the body names.
    streams: from the request's JSON body to whether the answer is streamed; of no effect on a wire that never does.
    headers: the response's own headers, beside those of its content: name -> value.
    """

    pattern: str
    wire: Wire
    streams: Callable[[dict[str, Any]], bool] = if_asked
    headers: Callable[[Reply], dict[str, str]] = no_headers

    @functools.cached_property
    def _path(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(self.pattern)))

    def match(self, path: str) -> dict[str, str] | None:
        """What the path, percent-decoded, tells of the request: nothing, or its `model`; None where it is another's."""
        match = self._path.fullmatch(path)
        return match and {name: value for name, value in match.groupdict().items() if name == "model"}

    def streamed(self, request: dict[str, Any]) -> StreamingWire | None:
        """The wire, if it is to stream the answer to the request."""
        return self.wire if isinstance(self.wire, StreamingWire) and self.streams(request) else None
