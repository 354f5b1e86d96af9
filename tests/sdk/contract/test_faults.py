"""Whatever fails, of ours or of OpenTelemetry's, at every call style the app gets what it would have got without us."""

import contextlib
import pkgutil

import pytest
from opentelemetry import trace

import llmvitals
from llmvitals import _call, _emit, _export, _guard, _measure, _nesting, _recent, _streams
from llmvitals_collector.demo.behaviour import Behaviour


class FaultError(Exception):
    pass


def fail(*args, **kwargs):
    raise FaultError


PROCESSOR = "opentelemetry.sdk.trace.SynchronousMultiSpanProcessor"
FAULTS = {
    "starting a call": (_emit, "start"),
    "naming a call": (_emit, "_identity"),
    "measuring a request": (_measure, "input_size"),
    "making the context": (_nesting, "around"),
    "observing an answer": (_call.Call, "told"),
    "counting a chunk": (_call.Call, "chunk"),
    "watching a stream": (_streams, "watch_inside"),
    "telling of an answer": (_measure, "answered"),
    "ending a call": (_emit._Record, "end"),
    "remembering a call": (_recent, "remember"),
    "the tracer": (_export, "tracer"),
    "the sampler": ("opentelemetry.sdk.trace.sampling.ParentBased", "should_sample"),
    "a span processor, at the start": (PROCESSOR, "on_start"),
    "a span processor, at the end": (PROCESSOR, "on_end"),
    "the exporter": ("opentelemetry.sdk.trace.export.in_memory_span_exporter.InMemorySpanExporter", "export"),
    "setting attributes": ("opentelemetry.sdk.trace.Span", "set_attributes"),
}


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def fault(request, monkeypatch, instrumented):
    """One hook that does nothing but fail from here on."""
    owner, name = request.param
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    monkeypatch.setattr(pkgutil.resolve_name(owner) if isinstance(owner, str) else owner, name, fail)


def seen(subject, result):
    return [subject.seen(chunk) for chunk in result] if isinstance(result, list) else type(result)


@pytest.fixture(scope="session")
def bare():
    """What the app sees without llmvitals, of each way of calling."""
    return {}


def test_the_app_sees_what_it_would_have_seen(any_call, fault, bare, clients, request):
    subject, call = any_call
    name = subject.name, request.node.callspec.params["any_call"][1]
    loopback = clients(Behaviour(output_tokens=3))
    if name not in bare:
        llmvitals.uninstrument()
        bare[name] = seen(subject, call(loopback))
        llmvitals.instrument()
    assert seen(subject, call(loopback)) == bare[name]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_the_app_gets_the_client_s_own_exception(subject, call, fault, clients):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each client has its own
        call(subject, clients(Behaviour(status=429)))
    assert raised.type is not FaultError
    assert subject.errors[429].endswith(raised.type.__name__)


def test_a_stream_can_be_closed(closable, fault, clients):
    stream = closable.open(clients(Behaviour(output_tokens=50, token_seconds=0.01)))
    next(iter(stream))
    with contextlib.suppress(StopIteration):
        closable.close(stream)
