"""The last calls of this process, by the ids of their responses: for what is said of a response afterwards."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from opentelemetry.trace import SpanContext

from llmvitals._adapter import Attribute, Usage

KEPT = 4096  # calls, the most recent ones: about 1 kB each


class Recent(NamedTuple):
    """A call that has ended.

    span: its own, or the one in which it was observed. identity: the attributes that tell its kind from others.
    seconds, usage: what it took; None of a call whose span is not recorded.
    """

    span: SpanContext
    identity: Mapping[str, Attribute]
    seconds: float | None = None
    usage: Usage | None = None


_calls: OrderedDict[str, Recent] = OrderedDict()


def remember(
    response_id: str,
    span: SpanContext,
    identity: Mapping[str, Attribute],
    seconds: float | None = None,
    usage: Usage | None = None,
) -> None:
    """Keep the call that has given this response, for a while; the arguments are those of a `Recent`."""
    # Without a lock, which a fork could leave locked for ever: each of the two steps is atomic.
    _calls[response_id] = Recent(span, identity, seconds, usage)
    if len(_calls) > KEPT:
        _calls.popitem(last=False)


def find(response_id: str) -> Recent | None:
    """The call that has given this response, if it is one of the last."""
    return _calls.get(response_id)
