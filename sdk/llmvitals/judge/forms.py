"""The forms in which an answer of a given schema can be asked for: endpoints differ in which they take."""

from collections.abc import Callable
from typing import Any, TypeAlias

Form: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""The parameters of a request that ask for an answer of this JSON schema."""

_NAME = "judgement"


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """https://platform.openai.com/docs/guides/structured-outputs"""
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": _NAME, "strict": True, "schema": schema}}
    }


def tool_call(schema: dict[str, Any]) -> dict[str, Any]:
    """https://platform.openai.com/docs/guides/function-calling"""
    return {
        "tools": [{"type": "function", "function": {"name": _NAME, "parameters": schema}}],
        "tool_choice": {"type": "function", "function": {"name": _NAME}},
    }


def text(schema: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - the messages say it, too
    """Nothing but the words of the prompt."""
    return {}


FORMS: tuple[Form, ...] = (json_schema, tool_call, text)
"""The strictest first."""
