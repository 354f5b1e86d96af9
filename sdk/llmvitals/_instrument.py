"""instrument() and uninstrument(): find the installed clients, and watch them now or when they are imported."""

import sys
import threading
from collections.abc import Iterable
from types import ModuleType

import wrapt

from llmvitals import _capture, _checks, _metrics, _threads, _usage, providers
from llmvitals._content import Redact
from llmvitals._guard import Guard
from llmvitals._patch import Patch

_lock = threading.RLock()
_active = False
_patches: list[Patch] = []
_awaited: set[str] = set()  # modules whose import we have asked to be told of; that can't be taken back


def instrument(
    *,
    content: str | None = None,
    redact: Redact | None = None,
    checks: bool | Iterable[str] = False,
    metrics: bool = False,
    include_usage: bool = False,
) -> None:
    """Observe every LLM call of this process from now on; calling it again changes nothing.

    Clients that are imported already are watched at once, others when they are imported; none is
    imported for this. Spans go to the app's tracer provider, or, where it sets none, to where the
    standard OTEL_* variables say. Starts no thread and makes no network call.

    content: whether calls' content is captured: "no_content", "span_only", "event_only" (as the log record
        `gen_ai.client.inference.operation.details`) or "span_and_event". None is what
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says, and no content where it is not set; a
        `prompt` may say otherwise of its calls. Each attribute has at most LLMVITALS_CONTENT_LIMIT characters.
    redact: a function from text to text that every captured text passes, when its call has ended and after
        e-mail addresses, phone and card numbers, IBANs and keys have been replaced; where it raises, nothing of
        the call's content goes out.
    checks: evaluators that look at every answer when its call has ended, in the app, also where no content is captured:
        only their verdicts go on the span, as `llmvitals.checks`, and the answer's language. True is all of
        `llmvitals.evaluators.EVALUATORS` that can do their work with what is installed, else the names of some. All
        take 0.6 ms for an answer of 200 words on a slow CPU, and 0.1 ms without `language_match`. A `prompt` may
        declare more. Embeddings, and calls whose spans are not sampled, are not checked.
    metrics: record the conventions' histograms (duration, time to first chunk, tokens) by the app's meter
        provider too, of every call, also of those whose spans are not sampled.
    include_usage: ask for the usage of streams where the API tells it on request only, as OpenAI's chat
        completions do; the chunk that brings it is kept from an app that has not asked for it.

    Raises ValueError for another `content` and for a check that there is not, TypeError for a `redact` that is no
    function, ImportError for a check that needs a package which is not installed.
    """
    global _active
    with _lock:
        if _active:
            return
        _capture.configure(content, redact)
        _checks.configure(checks)
        _metrics.enable(metrics)
        _usage.ask(include_usage)
        _active = True
        with Guard("instrument"):
            _patches.extend(_threads.carry_prompts())
        for name in providers.PROVIDERS:
            if name in sys.modules:
                _install(sys.modules[name])
            elif name not in _awaited:
                _awaited.add(name)
                wrapt.register_post_import_hook(_install, name)


def uninstrument() -> None:
    """Put back everything that `instrument()` replaced. Calls that run are still observed to their end."""
    global _active
    with _lock:
        _active = False
        while _patches:
            with Guard("uninstrument"):
                _patches.pop().restore()


def _install(module: ModuleType) -> None:
    with _lock, Guard(f"watching {module.__name__}"):
        if _active:
            for adapter in providers.adapters(module.__name__):
                _patches.extend(adapter.install(adapter, module))
