"""The OpenAI clients that a judge is given, or makes of the environment, and what their requests may have."""

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

# What the judge says of a request itself, and where the caller says it.
_OWN = {
    "model": "model",
    "messages": "rubric",
    "timeout": "request_timeout",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
}
_UNREADABLE = ("stream", "stream_options", "n")  # a judgement is one whole answer


def clients(given: Any) -> tuple[Any | None, Any | None]:
    """An `openai.OpenAI` and an `openai.AsyncOpenAI` that don't retry by themselves; None for what is not given.

    Raises TypeError for anything else, ValueError where the environment has no key, ImportError without `openai`.
    """
    try:
        import openai
    except ImportError as error:
        raise ImportError("a judge needs the `openai` package: pip install 'llmvitals[judge]'") from error
    if given is None:
        try:
            given = openai.OpenAI(), openai.AsyncOpenAI()
        except openai.OpenAIError as error:
            raise ValueError(f"judge: no client was given, and the environment makes none: {error}") from error
    found: dict[type, Any] = {}
    for client in given if isinstance(given, tuple) and given else (given,):
        kind = next((kind for kind in (openai.OpenAI, openai.AsyncOpenAI) if isinstance(client, kind)), None)
        if kind is None or kind in found:
            given = type(client).__name__  # not its value, which may be a key
            raise TypeError(f"judge: a client is of type {given}: it is no OpenAI, no AsyncOpenAI, no tuple of both")
        found[kind] = client.with_options(max_retries=0)
    return found.get(openai.OpenAI), found.get(openai.AsyncOpenAI)


def check_parameters(names: Iterable[str]) -> None:
    """Raise ValueError for a parameter that no request of a judge can have."""
    from openai.resources.chat.completions import Completions

    known = inspect.signature(Completions.create).parameters.keys()
    if "messages" not in known:  # somebody has replaced it, and does not say what it takes
        return
    taken = known - {"self", *_OWN, *_UNREADABLE}
    for name in names:
        if name in _OWN:
            raise ValueError(f"judge: parameters: {name!r} is not for them; it is said by {_OWN[name]}=...")
        if name not in taken:
            near = difflib.get_close_matches(str(name), taken, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "one that only your endpoint has goes into extra_body"
            raise ValueError(f"judge: parameters: {name!r} is none that the client takes; {hint}")
