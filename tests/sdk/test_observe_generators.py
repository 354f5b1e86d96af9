"""A generator that asks a model: what it yields are the chunks, and however it ends, its call does."""

import asyncio
import gc
import inspect

import pytest
from opentelemetry.trace import StatusCode

import llmvitals
from llmvitals import _call, semconv

observe = llmvitals.observe(model="my-llm", provider="acme")


@observe
def generator_function(*pieces):
    try:
        yield from pieces
    finally:
        llmvitals.observe.current().usage(output=len(pieces))
    return "returned"


@observe
async def async_generator_function(*pieces):
    try:
        for piece in pieces:
            await asyncio.sleep(0)
            yield piece
    finally:
        llmvitals.observe.current().usage(output=len(pieces))


def ending(span):
    return span.attributes.get(semconv.STREAM_ENDING)


def test_what_a_generator_yields_is_its_answer_s_chunks(span):
    generator = generator_function("", "one", "two")
    assert list(generator) == ["", "one", "two"]
    attributes = span().attributes
    assert attributes[semconv.STREAM_CHUNKS] == 3
    assert attributes[semconv.REQUEST_STREAM] is True
    assert attributes[semconv.TIME_TO_FIRST_TOKEN] > attributes[semconv.RESPONSE_TIME_TO_FIRST_CHUNK]
    assert attributes[semconv.USAGE_OUTPUT_TOKENS] == 3
    assert ending(span()) == semconv.COMPLETE


def test_an_async_generator_is_observed_alike(span):
    async def consume():
        return [piece async for piece in async_generator_function("one", "two", "three")]

    assert asyncio.run(consume()) == ["one", "two", "three"]
    assert span().attributes[semconv.STREAM_CHUNKS] == 3
    assert span().attributes[semconv.OUTPUT_TOKENS_PER_SECOND] > 0
    assert ending(span()) == semconv.COMPLETE


def test_a_generator_can_still_be_sent_to_and_thrown_into_and_returns(span):
    @observe
    def converse():
        sent = yield "first"
        try:
            yield sent
        except LookupError:
            yield "caught"
        return "returned"

    def delegate():
        return (yield from converse())

    generator = delegate()
    assert next(generator) == "first"
    assert generator.send("sent") == "sent"
    assert generator.throw(LookupError()) == "caught"
    with pytest.raises(StopIteration, match="returned"):
        next(generator)
    assert span().attributes[semconv.STREAM_CHUNKS] == 3
    assert ending(span()) == semconv.COMPLETE


def test_an_async_generator_can_still_be_sent_to_and_thrown_into(span):
    @observe
    async def converse():
        sent = yield "first"
        try:
            yield sent
        except LookupError:
            yield "caught"

    async def main():
        generator = converse()
        assert await anext(generator) == "first"
        assert await generator.asend("sent") == "sent"
        assert await generator.athrow(LookupError()) == "caught"
        with pytest.raises(StopAsyncIteration):
            await anext(generator)

    asyncio.run(main())
    assert span().attributes[semconv.STREAM_CHUNKS] == 3


def test_the_consumer_of_a_generator_is_not_inside_of_its_call(spans):
    for _ in generator_function("one"):
        observe(str.upper)("meanwhile")
    assert [span.parent for span in spans()] == [None, None]


def test_a_generator_s_call_starts_when_it_is_first_read_inside_of_where_it_was_asked_for(span):
    with llmvitals.prompt("template"):
        generator = generator_function("one")
    assert list(generator) == ["one"]
    assert span().attributes[semconv.PROMPT_NAME] == "template"


def test_a_generator_that_is_closed_early_was_closed_and_can_tell_to_the_last(span):
    generator = generator_function("one", "two")
    next(generator)
    generator.close()
    assert ending(span()) == semconv.CLOSED
    assert span().attributes[semconv.USAGE_OUTPUT_TOKENS] == 2
    assert span().status.status_code is StatusCode.UNSET


def test_an_async_generator_that_is_closed_early_was_closed(span):
    async def main():
        generator = async_generator_function("one", "two")
        await anext(generator)
        await generator.aclose()

    asyncio.run(main())
    assert ending(span()) == semconv.CLOSED
    assert span().attributes[semconv.USAGE_OUTPUT_TOKENS] == 2


def test_a_generator_that_is_dropped_was_abandoned(span, monkeypatch):
    dropped = []
    monkeypatch.setattr(_call.Call.__del__, "__defaults__", (dropped.append, lambda turn: None))
    generator = generator_function("one", "two")
    next(generator)
    del generator
    gc.collect()
    dropped.pop().abandoned()
    assert ending(span()) == semconv.ABANDONED


def test_a_generator_that_is_never_read_is_no_call(spans):
    generator_function("one").close()
    assert spans() == []


def test_what_a_decorated_generator_function_gives_is_a_generator():
    generator = generator_function("one")
    assert inspect.isgenerator(generator)
    assert inspect.isasyncgen(async_generator_function("one"))
    assert iter(generator) is generator


@pytest.mark.parametrize(
    ("decorated", "kind"),
    [
        (generator_function, inspect.isgeneratorfunction),
        (async_generator_function, inspect.isasyncgenfunction),
    ],
    ids=lambda value: value.__name__,
)
def test_a_decorated_generator_function_stays_what_it_was(decorated, kind):
    assert kind(decorated)
    assert decorated.__module__ == __name__
    assert inspect.signature(decorated) == inspect.signature(inspect.unwrap(decorated))
