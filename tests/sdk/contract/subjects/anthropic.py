"""Anthropic's client: messages, and their beta namespace."""

from subjects import stainless
from subjects.subject import PROMPT, Subject

_REQUEST = {"model": "claude-x", "max_tokens": 64, "messages": PROMPT}


def _subject(name, resource):
    found = stainless.Resource(lambda c: resource(c.anthropic), lambda c: resource(c.async_anthropic), _REQUEST)
    return Subject(
        name=name,
        provider="anthropic",
        operation="chat",
        model="claude-x",
        errors=stainless.errors("anthropic"),
        timeout="anthropic.APITimeoutError",
        whole=found.whole(),
        awhole=found.acreate,
        streamed=found.streamed(),
        open=found.open,
        aopen=found.aopen,
        helper=found.helper,
        aclose=lambda stream: stream.close(),
        awaits_chunk=stainless.awaits_chunk,
        openers=2,
        seen=stainless.seen,
    )


SUBJECTS = [
    _subject("anthropic messages", lambda c: c.messages),
    _subject("anthropic beta messages", lambda c: c.beta.messages),
]
