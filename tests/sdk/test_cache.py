"""A lookup in the app's own cache is one span: hit or miss, how long it took, and what a hit saved."""

import asyncio
import inspect

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

import llmvitals
from llmvitals import _export, _recent, semconv


def saved(span):
    names = (semconv.CACHE_SAVED_DURATION, semconv.CACHE_SAVED_INPUT_TOKENS, semconv.CACHE_SAVED_OUTPUT_TOKENS)
    return tuple(span.attributes.get(name) for name in names)


def test_a_hit_is_an_internal_span_named_after_the_cache(span):
    with llmvitals.prompt("support-answer"), llmvitals.cache("answers") as lookup:
        lookup.hit("the answer")
    assert span().name == "cache answers"
    assert span().kind is SpanKind.INTERNAL
    assert dict(span().attributes) == {
        semconv.CACHE_NAME: "answers",
        semconv.CACHE_OUTCOME: semconv.HIT,
        semconv.PROMPT_NAME: "support-answer",
    }


def test_a_call_after_a_miss_is_in_its_trace_and_not_in_its_time(clients, spans):
    with llmvitals.cache("answers") as lookup:
        lookup.miss()
        clients().openai.chat.completions.create(model="gpt-x", messages=[])
    found, call = spans()
    assert found.attributes[semconv.CACHE_OUTCOME] == semconv.MISS
    assert call.parent.span_id == found.context.span_id
    assert found.end_time <= call.start_time


def test_a_hit_saves_what_the_call_took_that_gave_the_response(clients, spans):
    response = clients().openai.chat.completions.create(model="gpt-x", messages=[])
    for found in (response, response.id, {"id": response.id}):
        with llmvitals.cache("answers") as lookup:
            lookup.hit(found)
    call, *lookups = spans()
    took = (call.end_time - call.start_time) / 1e9
    tokens = call.attributes[semconv.USAGE_INPUT_TOKENS], call.attributes[semconv.USAGE_OUTPUT_TOKENS]
    for found in lookups:
        assert saved(found) == (pytest.approx(took), *tokens)
        assert [link.context.span_id for link in found.links] == [call.context.span_id]


def test_a_hit_saves_what_is_told_of_any_other_response(span):
    with llmvitals.cache("answers") as lookup:
        lookup.hit("the answer", seconds=2.5, input=812, output=64)
    assert saved(span()) == (2.5, 812, 64)


def test_what_is_told_counts_more_than_what_is_remembered(clients, spans):
    response = clients().openai.chat.completions.create(model="gpt-x", messages=[])
    with llmvitals.cache("answers") as lookup:
        lookup.hit(response, seconds=60)
    call, found = spans()
    assert saved(found)[:2] == (60, call.attributes[semconv.USAGE_INPUT_TOKENS])


def test_the_app_s_own_calls_are_remembered_too(spans):
    with llmvitals.observe(model="my-llm", provider="acme") as call:
        call.usage(input=3, output=5)
        call.response(id="mine")
    with llmvitals.cache("answers") as lookup:
        lookup.hit("mine")
    assert saved(spans()[1])[1:] == (3, 5)


def test_the_most_recent_calls_are_remembered(monkeypatch, spans):
    monkeypatch.setattr(_recent, "KEPT", 2)
    monkeypatch.setattr(_recent, "_calls", type(_recent._calls)())
    for response_id in ("first", "second", "third"):
        with llmvitals.observe(model="my-llm", provider="acme") as call:
            call.response(id=response_id)
    assert list(_recent._calls) == ["second", "third"]


def test_no_value_of_the_cache_is_on_the_span(span):
    with llmvitals.cache("answers") as lookup:
        lookup.hit("Jane Doe lives in Springfield")
    assert "Jane" not in span().to_json()


def test_a_block_left_without_a_word_has_no_outcome(span):
    with llmvitals.cache("answers"):
        pass
    assert semconv.CACHE_OUTCOME not in span().attributes
    assert span().status.status_code is StatusCode.UNSET


def test_a_lookup_that_raises_has_the_exception_s_type_and_no_outcome(span):
    with pytest.raises(ConnectionError), llmvitals.cache("answers"):
        raise ConnectionError("redis is down")
    assert span().attributes[semconv.ERROR_TYPE] == "ConnectionError"
    assert span().status.status_code is StatusCode.ERROR
    assert semconv.CACHE_OUTCOME not in span().attributes


def test_what_fails_after_a_miss_is_no_failure_of_the_lookup(span):
    def ask():
        with llmvitals.cache("answers") as lookup:
            lookup.miss()
            raise ConnectionError("the model is down")

    with pytest.raises(ConnectionError):
        ask()
    assert span().attributes[semconv.CACHE_OUTCOME] == semconv.MISS
    assert span().status.status_code is StatusCode.UNSET


def test_a_cancelled_lookup_is_no_failure(span):
    with pytest.raises(asyncio.CancelledError), llmvitals.cache("answers"):
        raise asyncio.CancelledError
    assert span().status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(("found", "wanted"), [("answer", semconv.HIT), ("", semconv.HIT), (None, semconv.MISS)])
def test_what_a_decorated_function_finds_is_a_hit_and_none_a_miss(found, wanted, span):
    @llmvitals.cache("answers")
    def look_up(question):
        assert get_current_span().is_recording()
        return found

    assert look_up("where?") == found
    assert span().attributes[semconv.CACHE_OUTCOME] == wanted


def test_a_coroutine_function_may_be_decorated_too(span):
    @llmvitals.cache("answers")
    async def look_up(question):
        await asyncio.sleep(0)
        return "answer"

    assert inspect.iscoroutinefunction(look_up)
    assert asyncio.run(look_up("where?")) == "answer"
    assert span().attributes[semconv.CACHE_OUTCOME] == semconv.HIT


def test_a_lookup_is_told_once(span, monkeypatch):
    with llmvitals.cache("answers") as lookup:
        lookup.hit("answer")
        with pytest.raises(ValueError, match="cache 'answers': a lookup is told once, 'miss' came second"):
            lookup.miss()
        monkeypatch.delenv("LLMVITALS_STRICT")
        lookup.miss()
    assert span().attributes[semconv.CACHE_OUTCOME] == semconv.HIT


@pytest.mark.parametrize("saving", [{"seconds": -1}, {"input": "many"}, {"output": -5}])
def test_what_cannot_have_been_saved_is_refused_and_the_hit_counts(saving, span, monkeypatch):
    with llmvitals.cache("answers") as lookup:
        with pytest.raises(ValueError, match="is no number from 0"):
            lookup.hit("answer", **saving)
        monkeypatch.delenv("LLMVITALS_STRICT")
        lookup.hit("answer", **saving)
    assert span().attributes[semconv.CACHE_OUTCOME] == semconv.HIT
    assert saved(span()) == (None, None, None)


@pytest.mark.parametrize("name", ["my answers", "", None])
def test_a_name_that_cannot_be_a_label_is_told_and_the_app_left_alone(name, spans, monkeypatch):
    with pytest.raises(ValueError, match=r"cache .* is no name: up to 64 letters"):
        llmvitals.cache(name)

    monkeypatch.delenv("LLMVITALS_STRICT")
    with llmvitals.cache(name) as lookup:
        lookup.miss()
    assert llmvitals.cache(name)(str.upper)("a") == "A"
    assert spans() == []


def test_a_lookup_that_is_not_sampled_is_the_same_to_the_app(spans, monkeypatch):
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("llmvitals")
    monkeypatch.setattr(_export, "tracer", lambda: tracer)
    with llmvitals.cache("answers") as lookup:
        lookup.hit("answer")
    assert spans() == []
