"""The prompt template reaches every call made inside, and none made outside."""

import asyncio
import concurrent.futures
import contextvars
import inspect
import threading

import pytest

import llmvitals
from llmvitals import semconv
from llmvitals._prompt import current


def template():
    """The template in force here, as (name, version)."""
    found = current.get()
    return None if found is None else (found.name, found.version)


def test_it_is_in_force_inside_its_block_only():
    with llmvitals.prompt("support-answer", version=3):
        assert template() == ("support-answer", "3")
        with llmvitals.prompt("translate"):
            assert template() == ("translate", None)
        assert template() == ("support-answer", "3")
    assert template() is None


def test_it_is_left_when_the_block_raises():
    with pytest.raises(KeyError), llmvitals.prompt("support-answer"):
        raise KeyError
    assert template() is None


def test_it_is_on_the_span_of_a_call(clients, spans):
    with llmvitals.prompt("support-answer", version="3"):
        clients().openai.chat.completions.create(model="gpt-x", messages=[])
    clients().openai.chat.completions.create(model="gpt-x", messages=[])

    inside, outside = spans()
    assert (inside.attributes[semconv.PROMPT_NAME], inside.attributes[semconv.PROMPT_VERSION]) == (
        "support-answer",
        "3",
    )
    assert semconv.PROMPT_NAME not in outside.attributes


@llmvitals.prompt("decorated", version="1")
def function():
    return template()


@llmvitals.prompt("decorated", version="1")
async def coroutine_function():
    await asyncio.sleep(0)
    return template()


@llmvitals.prompt("decorated", version="1")
def generator_function():
    sent = yield template()
    try:
        yield sent, template()
    except LookupError:
        yield "caught", template()
    return template()


@llmvitals.prompt("decorated", version="1")
async def async_generator_function():
    sent = yield template()
    try:
        yield sent, template()
    except LookupError:
        yield "caught", template()


INSIDE = ("decorated", "1")


def test_as_a_decorator_of_a_function():
    assert function() == INSIDE
    assert template() is None


def test_as_a_decorator_of_a_coroutine_function():
    assert asyncio.run(coroutine_function()) == INSIDE


def test_as_a_decorator_of_a_generator_it_is_in_force_while_the_generator_runs():
    generator = generator_function()
    assert next(generator) == INSIDE
    assert template() is None, "between two values the consumer runs"
    assert generator.send("sent") == ("sent", INSIDE)
    assert generator.throw(LookupError()) == ("caught", INSIDE)
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == INSIDE


def test_as_a_decorator_of_an_async_generator_it_is_in_force_while_the_generator_runs():
    async def consume():
        generator = async_generator_function()
        assert await anext(generator) == INSIDE
        assert template() is None
        assert await generator.asend("sent") == ("sent", INSIDE)
        assert await generator.athrow(LookupError()) == ("caught", INSIDE)
        with pytest.raises(StopAsyncIteration):
            await anext(generator)

    asyncio.run(consume())


def test_closing_a_decorated_generator_closes_the_one_inside():
    closed = []

    @llmvitals.prompt("decorated")
    def generate():
        try:
            yield 1
        finally:
            closed.append(template())

    generator = generate()
    next(generator)
    generator.close()
    assert closed == [("decorated", None)]


@pytest.mark.parametrize(
    ("decorated", "kind"),
    [
        (function, inspect.isfunction),
        (coroutine_function, inspect.iscoroutinefunction),
        (generator_function, inspect.isgeneratorfunction),
        (async_generator_function, inspect.isasyncgenfunction),
    ],
    ids=lambda value: value.__name__,
)
def test_a_decorated_function_stays_of_its_kind(decorated, kind):
    """Web frameworks look at it."""
    assert kind(decorated)
    assert decorated.__module__ == __name__


def test_a_task_started_inside_is_inside(instrumented):
    async def main():
        with llmvitals.prompt("support-answer"):
            task = asyncio.create_task(coroutine())
        return template(), await task

    async def coroutine():
        await asyncio.sleep(0)
        return template()

    assert asyncio.run(main()) == (None, ("support-answer", None))


def test_two_tasks_may_share_one_prompt(instrumented):
    shared = llmvitals.prompt("shared")

    async def visit(barrier):
        with shared:
            await barrier.wait()
            inside = template()
            await barrier.wait()
        return inside, template()

    async def main():
        barrier = asyncio.Barrier(2)
        return await asyncio.gather(visit(barrier), visit(barrier))

    assert asyncio.run(main()) == [(("shared", None), None)] * 2


def test_a_thread_started_inside_is_inside(instrumented):
    seen = []

    class Worker(threading.Thread):
        def run(self):
            seen.append(template())

    with llmvitals.prompt("support-answer"):
        threads = [threading.Thread(target=lambda: seen.append(template())), Worker()]
        for thread in threads:
            thread.start()
    outside = threading.Thread(target=lambda: seen.append(template()))
    outside.start()
    for thread in (*threads, outside):
        thread.join()
    assert seen.count(("support-answer", None)) == 2
    assert seen.count(None) == 1


def test_work_given_to_a_pool_inside_is_inside_and_the_pool_s_thread_is_left_as_it_was(instrumented):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        with llmvitals.prompt("support-answer"):
            inside = pool.submit(template)
            mapped = list(pool.map(lambda _: template(), range(2)))
        assert inside.result() == ("support-answer", None)
        assert mapped == [("support-answer", None)] * 2
        assert pool.submit(template).result() is None


def test_leaving_in_another_context_leaves_that_context_alone():
    inside = llmvitals.prompt("support-answer")
    inside.__enter__()
    contextvars.Context().run(inside.__exit__, None, None, None)
    assert template() == ("support-answer", None)
    inside.__exit__(None, None, None)
    assert template() is None
