"""Threads take along what tasks take by themselves: the prompt template and, in a client's pool, the call."""

import concurrent.futures.thread
import threading
from collections.abc import Callable
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context

from llmvitals._guard import Guard
from llmvitals._nesting import call_in
from llmvitals._patch import Patch, wrap
from llmvitals._prompt import Template, current


def carry_prompts() -> list[Patch]:
    """Have `threading.Thread.start` and `ThreadPoolExecutor.submit` hand on the template in force.

    Only the template: what else is in the context stays where Python leaves it. Except for what a client
    submits while it makes a call, which is a part of that call.
    """
    return [
        wrap(threading, "Thread.start", _start),
        wrap(concurrent.futures.thread, "ThreadPoolExecutor.submit", _submit),
    ]


def _start(wrapped: Callable[[], None], thread: threading.Thread, args: Any, kwargs: Any) -> None:
    template = current.get()
    if template is not None:
        with Guard("thread start"):
            # On the instance, because a subclass may have a `run` of its own.
            thread.run = _Run(template, thread.run)  # type: ignore[method-assign]
    wrapped(*args, **kwargs)


class _Run:
    """A thread's `run`, inside a template."""

    def __init__(self, template: Template, run: Callable[[], None]) -> None:
        self._template = template
        self._run = run

    def __call__(self) -> None:
        run = self._run
        del self._run  # it is bound to the thread, which holds us: no cycle may outlive the run
        current.set(self._template)
        run()


def _submit(wrapped: Callable[..., Any], _executor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    template, calling = current.get(), context.get_current()
    a_client_s = call_in(calling) is not None
    if not args or (template is None and not a_client_s):
        return wrapped(*args, **kwargs)
    function, *rest = args
    return wrapped(_within, template, calling if a_client_s else None, function, *rest, **kwargs)


def _within(
    template: Template | None, calling: Context | None, function: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Any:
    token = current.set(template)
    attached = None if calling is None else context.attach(calling)
    try:
        return function(*args, **kwargs)
    finally:
        if attached is not None:
            context.detach(attached)
        current.reset(token)
