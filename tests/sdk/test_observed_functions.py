"""A decorated function is observed until it has its whole answer, and stays what it was."""

import asyncio
import inspect
import pickle

import pytest
from opentelemetry.trace import StatusCode

import llmvitals
from llmvitals import semconv

observe = llmvitals.observe(model="my-llm", provider="acme")


@observe
def function(question, *, fail=False):
    """Ask the model."""
    if fail:
        raise LookupError(question)
    llmvitals.observe.current().usage(input=3, output=5)
    return question.upper()


@observe
async def coroutine_function(question):
    await asyncio.sleep(0)
    llmvitals.observe.current().response(id="r-1", model="my-llm-2", finish_reason="stop")
    return question.upper()


def ending(span):
    return span.attributes.get(semconv.STREAM_ENDING)


def test_a_function_returns_what_it_returns_and_may_tell_of_its_call(span):
    assert function("hello") == "HELLO"
    assert span().attributes[semconv.USAGE_OUTPUT_TOKENS] == 5
    assert ending(span()) is None, "an answer that came whole was no stream"


def test_a_coroutine_function_is_observed_while_it_is_awaited(span):
    assert asyncio.run(coroutine_function("hello")) == "HELLO"
    assert span().attributes[semconv.RESPONSE_ID] == "r-1"


def test_a_cancelled_task_s_call_was_cancelled(span):
    @observe
    async def wait():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ending(span()) == semconv.CANCELLED
    assert span().status.status_code is StatusCode.UNSET


def fail_in_a_coroutine():
    @observe
    async def fail():
        raise LookupError("no model")

    asyncio.run(fail())


def fail_in_a_generator():
    @observe
    def fail():
        yield "one"
        raise LookupError("no model")

    list(fail())


def fail_in_an_async_generator():
    @observe
    async def fail():
        yield "one"
        raise LookupError("no model")

    async def consume():
        async for _ in fail():
            pass

    asyncio.run(consume())


@pytest.mark.parametrize(
    "fail",
    [
        lambda: function("no model", fail=True),
        fail_in_a_coroutine,
        fail_in_a_generator,
        fail_in_an_async_generator,
    ],
    ids=["function", "coroutine", "generator", "async generator"],
)
def test_an_exception_is_the_app_s_and_the_call_s_error(fail, span):
    with pytest.raises(LookupError, match="no model"):
        fail()
    assert ending(span()) == semconv.ERROR
    assert span().attributes[semconv.ERROR_TYPE] == "LookupError"
    assert span().status.description == "no model"


def test_an_iterator_that_a_function_returns_is_its_answer(span):
    stream = observe(lambda: iter(["one", "two"]))()
    assert list(stream) == ["one", "two"]
    assert span().attributes[semconv.STREAM_CHUNKS] == 2


def test_an_async_iterator_that_a_function_returns_is_its_answer(span):
    async def generate():
        yield "one"
        yield "two"

    async def main():
        return [piece async for piece in observe(lambda: generate())()]

    assert asyncio.run(main()) == ["one", "two"]
    assert span().attributes[semconv.STREAM_CHUNKS] == 2


@pytest.mark.parametrize(("error", "wanted"), [(None, None), (LookupError(), semconv.ERROR)])
def test_an_awaitable_that_a_function_returns_is_observed_until_it_has_its_result(error, wanted, span):
    async def answer():
        await asyncio.sleep(0)
        if error:
            raise error
        return "answer"

    async def main():
        return await asyncio.gather(observe(lambda: answer())(), return_exceptions=True)

    assert asyncio.run(main()) == [error or "answer"]
    assert ending(span()) == wanted


def test_feedback_finds_an_observed_call_by_its_stream(span, events):
    @observe
    def generate():
        llmvitals.observe.current().response(id="r-3")
        yield "one"

    stream = generate()
    assert list(stream) == ["one"]
    llmvitals.feedback(stream, "thumb_up")
    (event,) = events()
    assert event.span_id == span().context.span_id


@pytest.mark.parametrize(
    ("decorated", "kind"),
    [
        (function, inspect.isfunction),
        (coroutine_function, inspect.iscoroutinefunction),
    ],
    ids=lambda value: value.__name__,
)
def test_a_decorated_function_stays_what_it_was(decorated, kind):
    assert kind(decorated)
    assert decorated.__module__ == __name__
    assert inspect.signature(decorated) == inspect.signature(inspect.unwrap(decorated))


def test_a_decorated_function_has_its_name_and_documentation():
    assert (function.__name__, function.__doc__) == ("function", "Ask the model.")


def test_a_decorated_function_is_pickled_by_its_name():
    """As process pools do it."""
    assert pickle.loads(pickle.dumps(function)) is function


def test_methods_are_decorated_too(span):
    class Model:
        name = "mine"

        @observe
        def ask(self, question):
            return self.name + question

        @observe
        @staticmethod
        def version():
            return 2

    assert Model().ask("?") == "mine?"
    assert span().name == "chat my-llm"
    assert Model.version() == 2
