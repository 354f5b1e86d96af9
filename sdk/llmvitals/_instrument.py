"""instrument() and uninstrument(): find the installed clients, and watch them now or when they are imported."""

import functools
import sys
import threading
from types import ModuleType

import wrapt

from llmvitals import _threads
from llmvitals._adapter import Adapter
from llmvitals._guard import Guard
from llmvitals._patch import Patch
from llmvitals.providers import ADAPTERS

_lock = threading.RLock()
_active = False
_patches: list[Patch] = []
_awaited: set[str] = set()  # modules whose import we have asked to be told of; that can't be taken back


def instrument() -> None:
    """Observe every LLM call of this process from now on; calling it again changes nothing.

    Clients that are imported already are watched at once, others when they are imported; none is
    imported for this. Spans go to the app's tracer provider, or, where it sets none, to where the
    standard OTEL_* variables say. Starts no thread and makes no network call.
    """
    global _active
    with _lock:
        if _active:
            return
        _active = True
        with Guard("instrument"):
            _patches.extend(_threads.carry_prompts())
        for adapter in ADAPTERS:
            if adapter.module in sys.modules:
                _install(adapter, sys.modules[adapter.module])
            elif adapter.module not in _awaited:
                _awaited.add(adapter.module)
                wrapt.register_post_import_hook(functools.partial(_install, adapter), adapter.module)


def uninstrument() -> None:
    """Put back everything that `instrument()` replaced. Calls that run are still observed to their end."""
    global _active
    with _lock:
        _active = False
        while _patches:
            with Guard("uninstrument"):
                _patches.pop().restore()


def _install(adapter: Adapter, module: ModuleType) -> None:
    with _lock, Guard(f"watching {adapter.module}"):
        if _active:
            _patches.extend(adapter.install(adapter, module))
