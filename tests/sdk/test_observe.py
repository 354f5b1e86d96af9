"""A call that no client library shows is the same span as any other, told by the app."""

import logging
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

import llmvitals
from llmvitals import _export, semconv

observe = llmvitals.observe(model="my-llm", provider="acme")


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


def test_an_exception_in_a_block_is_the_app_s_and_the_call_s_error(span):
    with pytest.raises(LookupError), observe:
        raise LookupError("no model")
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


def test_a_known_client_s_call_inside_is_the_same_call(clients, span):
    @observe
    def ask():
        return clients().openai.chat.completions.create(model="gpt-x", messages=[])

    answer = ask()
    assert span().attributes[semconv.REQUEST_MODEL] == "my-llm"
    assert span().attributes[semconv.RESPONSE_ID] == answer.id, "so that feedback on the answer finds its call"


def test_an_observed_call_inside_of_another_is_the_same_call_and_can_be_told_of(span):
    with observe:
        with observe as call:
            call.usage(input=3, output=5)
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
    with observe as call:
        call.response(id="r-1")
    llmvitals.feedback("r-1", "thumb_up")
    (event,) = events()
    assert event.span_id == span().context.span_id
    assert event.attributes[semconv.REQUEST_MODEL] == "my-llm"


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
