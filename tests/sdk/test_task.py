"""A task is one span around the user's work, with the outcome that the app tells."""

import asyncio
import contextvars
import logging
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

import llmvitals
from llmvitals import _export, semconv


def outcome(span):
    return span.attributes[semconv.TASK_OUTCOME], span.attributes.get(semconv.TASK_FAILURE_MODE)


@pytest.mark.parametrize(
    ("tell", "told"),
    [
        (lambda task: task.completed(), (semconv.COMPLETED, None)),
        (lambda task: task.failed("wrong_tool"), (semconv.FAILED, "wrong_tool")),
        (lambda task: task.abandoned(), (semconv.ABANDONED, None)),
        (lambda task: None, (semconv.UNKNOWN, None)),
    ],
    ids=["completed", "failed", "abandoned", "without a word"],
)
def test_the_outcome_is_what_the_app_tells(tell, told, span):
    with llmvitals.task("refund-request") as task:
        tell(task)
    assert outcome(span()) == told
    assert span().status.status_code is (StatusCode.ERROR if told[0] == semconv.FAILED else StatusCode.UNSET)
    assert told[0] in semconv.TASK_OUTCOMES


def test_it_is_an_internal_span_named_after_the_task(span):
    with llmvitals.prompt("support-answer", version=3), llmvitals.task("refund-request") as task:
        task.completed()
    assert span().name == "task refund-request"
    assert span().kind is SpanKind.INTERNAL
    assert dict(span().attributes) == {
        semconv.TASK_NAME: "refund-request",
        semconv.TASK_OUTCOME: semconv.COMPLETED,
        semconv.PROMPT_NAME: "support-answer",
        semconv.PROMPT_VERSION: "3",
    }


def test_calls_inside_are_its_children_and_calls_outside_are_not(clients, spans):
    client = clients().openai
    with llmvitals.task("refund-request"):
        client.chat.completions.create(model="gpt-x", messages=[])
    client.chat.completions.create(model="gpt-x", messages=[])
    inside, task, outside = spans()
    assert inside.parent.span_id == task.context.span_id
    assert outside.parent is None


def test_the_last_word_counts(span):
    with llmvitals.task("refund-request") as task:
        task.failed("wrong_tool")
        task.completed()
    assert outcome(span()) == (semconv.COMPLETED, None)


def test_an_exception_is_a_failure_and_its_type_the_mode(span):
    with pytest.raises(LookupError), llmvitals.task("refund-request"):
        raise LookupError("the customer's name")
    assert outcome(span()) == (semconv.FAILED, "LookupError")
    assert span().attributes[semconv.ERROR_TYPE] == "LookupError"
    assert span().status.description is None, "its message may be about a person"
    assert not span().events


def test_what_the_app_has_told_stands_whatever_leaves_the_block(span):
    def refund():
        with llmvitals.task("refund-request") as task:
            task.completed()
            raise LookupError

    with pytest.raises(LookupError):
        refund()
    assert outcome(span()) == (semconv.COMPLETED, None)


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt, GeneratorExit])
def test_a_cancelled_task_is_abandoned(error, span):
    with pytest.raises(error), llmvitals.task("refund-request"):
        raise error
    assert outcome(span()) == (semconv.ABANDONED, None)
    assert span().status.status_code is StatusCode.UNSET


def test_tasks_nest(spans):
    with llmvitals.task("outer") as outer:
        with llmvitals.task("inner") as inner:
            assert llmvitals.task.current() is inner
        assert llmvitals.task.current() is outer
    inner_span, outer_span = spans()
    assert inner_span.parent.span_id == outer_span.context.span_id


@llmvitals.task("decorated")
def function(question):
    llmvitals.task.current().completed()
    return question


@llmvitals.task("decorated")
async def coroutine_function(question):
    await asyncio.sleep(0)
    llmvitals.task.current().completed()
    return question


@llmvitals.task("decorated")
def generator_function():
    yield get_current_span().get_span_context().span_id
    llmvitals.task.current().completed()
    yield "last"


@llmvitals.task("decorated")
async def async_generator_function():
    yield get_current_span().get_span_context().span_id
    llmvitals.task.current().completed()
    yield "last"


def test_as_a_decorator_of_a_function(span):
    assert function("question") == "question"
    assert outcome(span()) == (semconv.COMPLETED, None)


def test_as_a_decorator_of_a_coroutine_function(span):
    assert asyncio.run(coroutine_function("question")) == "question"
    assert outcome(span()) == (semconv.COMPLETED, None)


def test_as_a_decorator_of_a_generator_it_is_current_while_the_generator_runs(span):
    before = get_current_span()
    generator = generator_function()
    inside = next(generator)
    assert get_current_span() is before, "between two values the consumer runs"
    assert list(generator) == ["last"]
    assert span().context.span_id == inside
    assert outcome(span()) == (semconv.COMPLETED, None)


def test_as_a_decorator_of_an_async_generator(span):
    async def consume():
        return [value async for value in async_generator_function()]

    inside, last = asyncio.run(consume())
    assert (span().context.span_id, last) == (inside, "last")
    assert outcome(span()) == (semconv.COMPLETED, None)


def test_a_generator_that_is_closed_early_was_abandoned(span):
    generator = generator_function()
    next(generator)
    generator.close()
    assert outcome(span()) == (semconv.ABANDONED, None)


def test_each_run_of_a_decorated_function_is_a_task(spans):
    function("one")
    function("two")
    assert len(spans()) == 2


def test_one_task_may_be_entered_by_many_threads_at_once(spans):
    shared, barrier = llmvitals.task("shared"), threading.Barrier(4)

    def enter(number):
        with shared as task:
            barrier.wait()
            task.failed(f"mode-{number}")
            barrier.wait()

    threads = [threading.Thread(target=enter, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome(span)[1] for span in spans()) == ["mode-0", "mode-1", "mode-2", "mode-3"]


def test_one_task_may_be_entered_by_tasks_that_take_turns(spans):
    shared = llmvitals.task("shared")

    async def enter(mode, turns):
        with shared as task:
            for _ in range(turns):
                await asyncio.sleep(0)
            assert llmvitals.task.current() is task
            task.failed(mode)

    async def main():
        await asyncio.gather(enter("late", 4), enter("early", 1))

    asyncio.run(main())
    assert [outcome(span)[1] for span in spans()] == ["early", "late"]


def test_a_block_may_be_left_in_another_context_than_it_was_entered_in(span, caplog):
    """As FastAPI does with a dependency that yields."""
    task = llmvitals.task("refund-request")
    entered = contextvars.copy_context().run(task.__enter__)
    entered.completed()
    contextvars.copy_context().run(task.__exit__, None, None, None)
    assert outcome(span()) == (semconv.COMPLETED, None)
    assert not caplog.records


@pytest.mark.parametrize("name", ["refund request", "", "7up", "x" * 65, None, "straße"])
def test_a_name_that_cannot_be_a_label_is_told_and_the_app_left_alone(name, spans, monkeypatch, caplog):
    with pytest.raises(ValueError, match=r"task .* is no name: up to 64 letters"):
        llmvitals.task(name)

    monkeypatch.delenv("LLMVITALS_STRICT")
    with caplog.at_level(logging.WARNING), llmvitals.task(name) as task:
        task.completed()
    assert spans() == []


def test_a_mode_that_cannot_be_a_label_is_other(span, monkeypatch):
    monkeypatch.delenv("LLMVITALS_STRICT")
    with llmvitals.task("refund-request") as task:
        task.failed("the customer Jane Doe was not found")
    assert outcome(span()) == (semconv.FAILED, semconv.OTHER)


def test_a_word_after_the_end_is_refused(span, monkeypatch):
    with llmvitals.task("refund-request") as task:
        pass
    with pytest.raises(ValueError, match="a task that has ended was told to be completed"):
        task.completed()
    monkeypatch.delenv("LLMVITALS_STRICT")
    task.completed()
    assert outcome(span()) == (semconv.UNKNOWN, None)


def test_outside_of_any_task_every_word_is_taken_and_none_is_kept(spans):
    llmvitals.task.current().completed()
    assert spans() == []


def test_a_fault_of_ours_does_not_reach_the_app(spans, monkeypatch):
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_export, "tracer", lambda: None)
    with llmvitals.task("refund-request") as task:
        task.completed()
    assert function("question") == "question"
    assert spans() == []


def test_a_task_that_is_not_sampled_is_the_same_to_the_app(spans, monkeypatch):
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("llmvitals")
    monkeypatch.setattr(_export, "tracer", lambda: tracer)
    assert function("question") == "question"
    assert spans() == []
