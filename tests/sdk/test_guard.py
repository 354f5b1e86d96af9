"""Whatever fails of ours, the app gets what it would have got: the answer, or its own exception."""

import logging
from dataclasses import replace

import openai
import pytest

import llmvitals
from llmvitals import _call, _emit, _export, _guard, _measure, _recent, _stainless
from llmvitals.providers.openai import ADAPTERS
from llmvitals_collector.demo.behaviour import Behaviour

REQUEST = {"model": "m", "messages": []}


class FaultError(Exception):
    pass


def fail(*args, **kwargs):
    raise FaultError


# What may fail, where, and in which kinds of call it is reached.
EVERY = {"whole", "streamed", "refused"}
FAULTS = {
    "reading a request": (_stainless._Funnel, "request", EVERY),
    "naming a call": (_emit, "_identity", EVERY),
    "making a span": (_export, "tracer", EVERY),
    "starting a span": (_emit, "start", EVERY),
    "measuring a request": (_measure, "input_size", EVERY),
    "observing an answer": (_call.Call, "answered", {"whole"}),
    "watching a stream": (_stainless._Funnel, "_watch", {"streamed"}),
    "counting a chunk": (_call.Call, "chunk", {"streamed"}),
    "ending a call": (_emit._Record, "end", EVERY),
    "telling of an answer": (_measure, "answered", EVERY),
    "remembering a call": (_recent, "remember", {"whole", "streamed"}),
}


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def fault(request, monkeypatch, instrumented):
    """One of our hooks, which from here on does nothing but fail: told the kind of call, it says whether it failed."""
    owner, name, reached = request.param
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    monkeypatch.setattr(owner, name, fail)

    def as_expected(kind):
        return bool(_guard.faults.total()) is (kind in reached)

    return as_expected


def test_an_answer_comes_through(fault, clients):
    assert clients().openai.chat.completions.create(**REQUEST).choices[0].message.content
    assert fault("whole")


def test_a_stream_comes_through(fault, clients):
    chunks = list(clients().openai.chat.completions.create(**REQUEST, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert fault("streamed")


def test_an_async_stream_comes_through(fault, clients, arun):
    loopback = clients()

    async def read():
        return [chunk async for chunk in await loopback.async_openai.chat.completions.create(**REQUEST, stream=True)]

    assert len(arun(read(), loopback)) > 1
    assert fault("streamed")


def test_an_error_of_the_provider_comes_through(fault, clients):
    with pytest.raises(openai.RateLimitError):
        clients(Behaviour(status=429)).openai.chat.completions.create(**REQUEST)
    assert fault("refused")


def test_the_span_ends_whatever_fails_in_telling_of_the_call(monkeypatch, clients, spans):
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_measure, "answered", fail)
    clients().openai.chat.completions.create(**REQUEST)
    list(clients().openai.chat.completions.create(**REQUEST, stream=True))
    assert len(spans()) == 2


def test_feedback_never_raises(monkeypatch):
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_export, "event_logger", fail)
    llmvitals.feedback("id", "thumb_up")


def test_a_client_that_no_longer_looks_as_expected_is_left_alone(monkeypatch, clients, caplog):
    """A new release without the funnel: telemetry is lost and said so, the client works."""
    monkeypatch.delenv("LLMVITALS_STRICT")
    broken = replace(ADAPTERS[0], install=fail)
    monkeypatch.setattr("llmvitals.providers.adapters", lambda module: [broken])
    with caplog.at_level(logging.WARNING, "llmvitals"):
        llmvitals.instrument()
        clients().openai.chat.completions.create(**REQUEST)
    llmvitals.uninstrument()
    assert "watching openai._base_client failed; the app is not affected" in caplog.text


def test_a_fault_is_counted_each_time_and_logged_once(monkeypatch, caplog):
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    with caplog.at_level(logging.WARNING, "llmvitals"):
        for _ in range(3):
            with _guard.Guard("a hook"):
                fail()
    assert _guard.faults == {("a hook", "FaultError"): 3}
    assert len(caplog.records) == 1


def test_what_is_the_app_s_passes(monkeypatch):
    monkeypatch.delenv("LLMVITALS_STRICT")
    with pytest.raises(KeyboardInterrupt), _guard.Guard("a hook"):
        raise KeyboardInterrupt


def test_strict_mode_raises(monkeypatch):
    monkeypatch.setenv("LLMVITALS_STRICT", "1")
    with pytest.raises(FaultError), _guard.Guard("a hook"):
        fail()
