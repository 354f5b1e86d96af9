"""The OpenAI clients that a judge is given, or makes of the environment."""

from typing import Any


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
            raise TypeError(f"judge: client {client!r} is no OpenAI, no AsyncOpenAI, and no tuple of both")
        found[kind] = client.with_options(max_retries=0)
    return found.get(openai.OpenAI), found.get(openai.AsyncOpenAI)
