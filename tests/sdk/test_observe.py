"""A call that no client library shows is the same span as any other, told by the app."""

import asyncio
import inspect
import logging
import pickle
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

import llmvitals
from llmvitals import _export, semconv

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


def test_a_block_is_a_client_span_with_what_the_app_tells(span):
    with llmvitals.observe(model="my-llm", provider="acme", operation="text_completion") as call:
        call.chunk("")
        call.chunk("thinking", reasoning=True)
        call.chunk("Hello")
        call.usage(input=10, output=7, cache_read=4, cache_write=2, reasoning=1)
        call.response(id="r-1", model="my-llm-2", finish_reason="stop")

    attributes = dict(span().attributes)
    times = {
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
        semconv.TIME_TO_FIRST_TOKEN,
        semconv.TIME_TO_FIRST_ANSWER_TOKEN,
        semconv.OUTPUT_TOKENS_PER_SECOND,
        semconv.STREAM_DURATION,
        semconv.STREAM_LARGEST_GAP,
    }
    assert all(attributes.pop(name) > 0 for name in times)
    assert sum(attributes.pop(semconv.STREAM_GAPS)) == 2
    assert attributes == {
        semconv.OPERATION_NAME: "text_completion",
        semconv.PROVIDER_NAME: "acme",
        semconv.REQUEST_MODEL: "my-llm",
        semconv.REQUEST_STREAM: True,
        semconv.RESPONSE_ID: "r-1",
        semconv.RESPONSE_MODEL: "my-llm-2",
        semconv.RESPONSE_FINISH_REASONS: ("stop",),
        semconv.USAGE_INPUT_TOKENS: 10,
        semconv.USAGE_OUTPUT_TOKENS: 7,
        semconv.USAGE_CACHE_READ_INPUT_TOKENS: 4,
        semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: 2,
        semconv.USAGE_REASONING_OUTPUT_TOKENS: 1,
        semconv.STREAM_CHUNKS: 3,
        semconv.STREAM_ENDING: semconv.COMPLETE,
    }
    assert span().name == "text_completion my-llm"
    assert span().kind is SpanKind.CLIENT
    assert span().status.status_code is StatusCode.UNSET


def test_a_block_that_tells_nothing_says_nothing_it_does_not_know(span):
    with observe:
        pass
    assert dict(span().attributes) == {
        semconv.OPERATION_NAME: "chat",
        semconv.PROVIDER_NAME: "acme",
        semconv.REQUEST_MODEL: "my-llm",
    }


def test_the_span_is_current_inside_the_block_only(span):
    before = get_current_span()
    with observe:
        inside = get_current_span().get_span_context().span_id
    assert inside == span().context.span_id
    assert get_current_span() is before


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


def fail_in_a_block():
    with observe:
        raise LookupError("no model")


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
        fail_in_a_block,
        lambda: function("no model", fail=True),
        fail_in_a_coroutine,
        fail_in_a_generator,
        fail_in_an_async_generator,
    ],
    ids=["block", "function", "coroutine", "generator", "async generator"],
)
def test_an_exception_is_the_app_s_and_the_call_s_error(fail, span):
    with pytest.raises(LookupError, match="no model"):
        fail()
    assert ending(span()) == semconv.ERROR
    assert span().attributes[semconv.ERROR_TYPE] == "LookupError"
    assert span().status.description == "no model"


def test_an_answer_may_say_itself_that_it_failed(span):
    with observe as call:
        call.response(error="overloaded")
    assert span().attributes[semconv.ERROR_TYPE] == "overloaded"
    assert span().status.status_code is StatusCode.ERROR


def test_a_block_in_a_generator_that_is_closed_was_closed(span):
    def generate():
        with observe as call:
            call.chunk("one")
            yield "one"

    generator = generate()
    next(generator)
    generator.close()
    assert ending(span()) == semconv.CLOSED


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


def test_a_known_client_s_call_inside_is_the_same_call(clients, span):
    @observe
    def ask():
        return clients().openai.chat.completions.create(model="gpt-x", messages=[])

    answer = ask()
    assert span().attributes[semconv.REQUEST_MODEL] == "my-llm"
    assert span().attributes[semconv.RESPONSE_ID] == answer.id, "so that feedback on the answer finds its call"


def test_an_observed_call_inside_of_another_is_the_same_call_and_can_be_told_of(span):
    with observe:
        function("hello")
        with llmvitals.observe(model="inner", provider="acme") as call:
            call.usage(output=7)
    assert span().attributes[semconv.REQUEST_MODEL] == "my-llm"
    assert span().attributes[semconv.USAGE_INPUT_TOKENS] == 3
    assert span().attributes[semconv.USAGE_OUTPUT_TOKENS] == 7


def test_a_call_of_another_kind_inside_is_a_call_of_its_own(spans):
    with observe, llmvitals.observe(model="my-vectors", provider="acme", operation="embeddings"):
        pass
    assert [span.name for span in spans()] == ["embeddings my-vectors", "chat my-llm"]
    assert spans()[0].parent.span_id == spans()[1].context.span_id


def test_feedback_finds_an_observed_call_by_the_id_that_was_told(span, events):
    asyncio.run(coroutine_function("hello"))
    llmvitals.feedback("r-1", "thumb_up")
    (event,) = events()
    assert event.span_id == span().context.span_id
    assert event.attributes[semconv.REQUEST_MODEL] == "my-llm"


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


def test_outside_of_any_call_every_word_is_taken_and_none_is_kept(spans):
    call = llmvitals.observe.current()
    call.chunk("one")
    call.usage(input=1)
    call.response(id="r-2")
    assert spans() == []


def test_one_observe_may_be_entered_by_many_at_once(spans):
    barrier = threading.Barrier(4)

    def enter(number):
        with observe as call:
            barrier.wait()
            call.usage(input=number)
            barrier.wait()

    threads = [threading.Thread(target=enter, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(span.attributes[semconv.USAGE_INPUT_TOKENS] for span in spans()) == [0, 1, 2, 3]


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operation": "chatt"}, "observe: operation 'chatt' is unknown; did you mean 'chat'?"),
        ({"model": None}, "observe: model None is no name"),
        ({"provider": ""}, "observe: provider '' is no name"),
    ],
)
def test_bad_arguments_are_told_and_leave_the_app_alone(arguments, message, spans, monkeypatch, caplog):
    arguments = {"model": "my-llm", "provider": "acme", **arguments}
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        llmvitals.observe(**arguments)

    monkeypatch.delenv("LLMVITALS_STRICT")
    with caplog.at_level(logging.WARNING):
        unobserved = llmvitals.observe(**arguments)
    with unobserved as call:
        call.chunk("one")
    assert unobserved(str.upper)("one") == "ONE"
    assert spans() == []


@pytest.mark.parametrize("count", [-1, 1.5, "many"])
def test_what_is_no_number_of_tokens_is_refused_with_what_came_with_it(count, span, monkeypatch):
    with observe as call:
        with pytest.raises(ValueError, match=r"usage: output .* is no number of tokens"):
            call.usage(input=1, output=count)
        monkeypatch.delenv("LLMVITALS_STRICT")
        call.usage(input=1, output=count)
    assert semconv.USAGE_INPUT_TOKENS not in span().attributes


class Failing:
    """A call that fails at whatever it is told."""

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_a_fault_of_ours_does_not_reach_the_app(spans, monkeypatch):
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr("llmvitals._emit._identity", lambda *_: Failing().identity)
    asked = []

    @observe
    def ask(question):
        asked.append(question)
        return question

    assert ask("once") == "once"
    assert asked == ["once"]
    with observe as call:
        call.usage(input=1)
    assert spans() == []


@pytest.fixture
def unsampled(monkeypatch):
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("llmvitals")
    monkeypatch.setattr(_export, "tracer", lambda: tracer)


def test_feedback_finds_an_unsampled_call_too(spans, events, unsampled):
    with observe as call:
        call.chunk("one")
        call.usage(input=1)
        call.response(id="unsampled-1")

    @observe
    def generate():
        yield "one"
        llmvitals.observe.current().response(id="unsampled-2")

    assert list(generate()) == ["one"]
    for response_id in ("unsampled-1", "unsampled-2"):
        assert llmvitals.feedback(response_id, "thumb_up")
    assert [event.attributes[semconv.REQUEST_MODEL] for event in events()] == ["my-llm"] * 2
    assert spans() == []
