"""instrument() watches, uninstrument() puts everything back, and neither does anything else."""

import importlib
import subprocess
import sys
import threading

import anthropic
import openai
import pytest
from opentelemetry import context, trace

import llmvitals
from llmvitals import providers

PATCHED = [
    (openai._base_client.SyncAPIClient, "request"),
    (openai._base_client.AsyncAPIClient, "request"),
    (anthropic._base_client.SyncAPIClient, "request"),
    (anthropic._base_client.AsyncAPIClient, "request"),
    (anthropic._base_client.BaseClient, "_tracer"),
    (threading.Thread, "start"),
]

MESSAGE = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}


def run(code, **environment):
    """Run `code` in a Python of its own; what it prints."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, env=environment
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def test_the_public_names():
    assert llmvitals.__all__ == [
        "Instructions",
        "cache",
        "evaluation",
        "feedback",
        "handle",
        "instrument",
        "observe",
        "prompt",
        "task",
        "uninstrument",
    ]


def test_uninstrument_restores_everything():
    originals = [vars(owner)[name] for owner, name in PATCHED]
    llmvitals.instrument()
    assert all(vars(owner)[name] is not original for (owner, name), original in zip(PATCHED, originals, strict=True))
    llmvitals.uninstrument()
    assert [vars(owner)[name] for owner, name in PATCHED] == originals


def test_instrument_twice_is_instrument_once(clients, spans):
    llmvitals.instrument()
    clients().openai.chat.completions.create(model="m", messages=[])
    assert len(spans()) == 1
    llmvitals.uninstrument()
    clients().openai.chat.completions.create(model="m", messages=[])
    assert len(spans()) == 1


def test_a_wrapper_put_over_ours_survives_uninstrument(clients, monkeypatch, spans):
    """Another instrumentation came later: its wrapper stays, and ours passes on."""
    ours = openai.OpenAI.request
    seen = []

    def theirs(*args, **kwargs):
        seen.append(1)
        return ours(*args, **kwargs)

    monkeypatch.setattr(openai._base_client.SyncAPIClient, "request", theirs)
    llmvitals.uninstrument()
    clients().openai.chat.completions.create(model="m", messages=[])
    assert seen == [1]
    assert not spans()


def test_paths_that_are_no_calls_make_no_span(clients, spans):
    with pytest.raises(openai.NotFoundError):
        clients().openai.models.list()
    assert not spans()


def test_the_span_is_current_while_the_client_works_and_never_after(clients, spans):
    during = []
    client = clients().openai
    client._client.event_hooks["request"] = [lambda request: during.append(trace.get_current_span())]
    for _ in client.chat.completions.create(model="m", messages=[], stream=True):
        assert trace.get_current_span() is trace.INVALID_SPAN
    assert [span.get_span_context() for span in during] == [span.context for span in spans()]


def test_suppressed_calls_make_no_span(clients, spans):
    token = context.attach(context.set_value(context._SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        clients().openai.chat.completions.create(model="m", messages=[])
    finally:
        context.detach(token)
    assert not spans()


def test_a_call_inside_the_app_s_span_is_its_child(clients, spans):
    with trace.get_tracer("app").start_as_current_span("request") as parent:
        clients().openai.chat.completions.create(model="m", messages=[])
    assert spans()[0].parent.span_id == parent.get_span_context().span_id


class TestAnthropicTracesItself:
    """anthropic 2 makes a span of each call on its own, once a tracer provider is set."""

    @pytest.fixture
    def every_span(self, monkeypatch):
        made = []
        provider = trace.get_tracer_provider()
        monkeypatch.setattr(
            provider._active_span_processor._span_processors[0], "on_end", lambda span: made.append(span)
        )
        return lambda: sorted(span.instrumentation_scope.name for span in made)

    def test_so_one_call_would_be_two_spans_and_is_one(self, clients, instrumented, every_span):
        clients().anthropic.messages.create(**MESSAGE)
        assert every_span() == ["llmvitals"]

    def test_its_own_span_comes_back_with_uninstrument(self, clients, every_span):
        clients().anthropic.messages.create(**MESSAGE)
        assert every_span() == ["com.anthropic.sdk.python"]

    def test_its_own_span_is_the_one_for_those_who_ask_for_it(self, clients, instrumented, every_span):
        clients(open_telemetry={"tracer_provider": trace.get_tracer_provider()}).anthropic.messages.create(**MESSAGE)
        assert every_span() == ["com.anthropic.sdk.python"]


def test_instrument_imports_no_client_starts_no_thread_and_a_later_import_is_watched():
    assert (
        run(
            "import sys, threading, llmvitals\n"
            "llmvitals.instrument()\n"
            "heavy = {'openai', 'anthropic', 'grpc', 'yaml', 'numpy', 'requests'} & set(sys.modules)\n"
            "print(sorted(heavy), threading.active_count())\n"
            "import openai\n"
            "print(type(openai._base_client.SyncAPIClient.__dict__['request']).__name__)\n"
        )
        == "[] 1\nFunctionWrapper"
    )


def test_uninstrument_before_the_import_leaves_the_client_alone():
    assert (
        run(
            "import llmvitals\n"
            "llmvitals.instrument(); llmvitals.uninstrument()\n"
            "import openai\n"
            "print(type(openai._base_client.SyncAPIClient.__dict__['request']).__name__)\n"
        )
        == "function"
    )


@pytest.mark.parametrize("file", sorted(set(providers.PROVIDERS.values())))
def test_the_table_of_clients_has_each_module_that_a_file_watches(file):
    watched = {adapter.module for adapter in importlib.import_module(f"llmvitals.providers.{file}").ADAPTERS}
    assert watched == {module for module, name in providers.PROVIDERS.items() if name == file}


def test_a_client_that_is_not_imported_costs_no_module_of_ours():
    said = subprocess.run(
        [sys.executable, "-c", "import llmvitals, sys; llmvitals.instrument(); print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not [name for name in said.split() if name.startswith(("llmvitals.providers.", "llmvitals.formats."))]
