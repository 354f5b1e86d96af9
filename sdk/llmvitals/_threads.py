"""Threads take the prompt template along from where they are started, as tasks do by themselves."""

import concurrent.futures.thread
import threading
from collections.abc import Callable
from typing import Any

from llmvitals._guard import Guard
from llmvitals._patch import Patch, wrap
from llmvitals._prompt import Template, current


def carry_prompts() -> list[Patch]:
    """Have `threading.Thread.start` and `ThreadPoolExecutor.submit` hand on the template in force.

    Only the template: what else is in the context stays where Python leaves it.
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
    template = current.get()
    if template is None or not args:
        return wrapped(*args, **kwargs)
    function, *rest = args
    return wrapped(_in_template, template, function, *rest, **kwargs)


def _in_template(template: Template, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = current.set(template)
    try:
        return function(*args, **kwargs)
    finally:
        current.reset(token)
