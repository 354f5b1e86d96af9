"""OpenAI's client: chat and text completions, Responses, embeddings."""

from subjects import stainless
from subjects.subject import PROMPT, Subject


def _subject(name, resource, request, *, leave_out=(), **facts):
    found = stainless.Resource(lambda c: resource(c.openai), lambda c: resource(c.async_openai), request)
    whole = {style: call for style, call in found.whole().items() if style not in leave_out}
    streamed = {style: call for style, call in found.streamed().items() if style not in leave_out}
    streams = facts.pop("streams", True)
    return Subject(
        name=name,
        provider="openai",
        model=request["model"],
        errors=stainless.errors("openai"),
        timeout="openai.APITimeoutError",
        whole=whole,
        awhole=found.acreate,
        streamed=streamed if streams else {},
        open=found.open if streams else None,
        aopen=found.aopen if streams else None,
        helper=found.helper if streams and "stream helper" in streamed else None,
        aclose=lambda stream: stream.close(),
        awaits_chunk=stainless.awaits_chunk,
        seen=stainless.seen,
        **facts,
    )


SUBJECTS = [
    _subject(
        "openai chat",
        lambda c: c.chat.completions,
        {"model": "gpt-x", "messages": PROMPT},
        operation="chat",
        stream_tells=frozenset({"id", "finish"}),
    ),
    _subject(
        "openai responses",
        lambda c: c.responses,
        {"model": "gpt-x", "input": "Where?"},
        operation="chat",
        openers=4,
    ),
    _subject(
        "openai completions",
        lambda c: c.completions,
        {"model": "gpt-x", "prompt": "Where?"},
        operation="text_completion",
        leave_out=("parse", "stream helper", "async stream helper"),
        stream_tells=frozenset({"id", "finish"}),
        openers=0,
        reasons=False,
    ),
    _subject(
        "openai embeddings",
        lambda c: c.embeddings,
        {"model": "embed-x", "input": "Where?"},
        operation="embeddings",
        leave_out=("parse",),
        streams=False,
        tells=frozenset({"input"}),
    ),
    _subject(
        "openai embeddings of a batch",
        lambda c: c.embeddings,
        {"model": "embed-x", "input": ["Where?", "When?"]},
        operation="embeddings",
        leave_out=("parse",),
        streams=False,
        tells=frozenset({"input"}),
    ),
]
