"""How Langfuse tells of calls, beside what the fixtures hold."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def langfuse(read) -> Callable[..., dict[str, Any] | None]:
    """An observation of Langfuse's, a generation unless told otherwise."""
    return lambda **told: read(
        "langfuse-sdk",
        {
            f"langfuse.observation.{name.replace('__', '.')}": value
            for name, value in ({"type": "generation"} | told).items()
        },
    )


@pytest.mark.parametrize("kind", ["span", "agent", "tool", "chain", "retriever", "evaluator", "guardrail", "event"])
def test_other_observations_of_langfuse_are_no_calls(langfuse, kind):
    assert langfuse(type=kind) is None


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        pytest.param(
            '{"prompt_tokens": 1200, "completion_tokens": 40, "total_tokens": 1240,'
            ' "prompt_tokens_details": {"cached_tokens": 1024}, "completion_tokens_details": {"reasoning_tokens": 16}}',
            (1200, 40, 1024, None, 16),
            id="OpenAI's chat, whose totals include their parts",
        ),
        pytest.param(
            '{"input_tokens": 1200, "input_tokens_details": {"cached_tokens": 1024}, "output_tokens": 40,'
            ' "output_tokens_details": {"reasoning_tokens": 16}, "total_tokens": 1240}',
            (1200, 40, 1024, None, 16),
            id="OpenAI's responses",
        ),
        pytest.param(
            '{"input": 50, "output": 24, "total": 2240, "input_cache_read": 1900, "input_cache_creation": 250,'
            ' "output_reasoning": 16}',
            (2200, 40, 1900, 250, 16),
            id="LangChain's, without the parts",
        ),
        pytest.param(
            '{"input": 2200, "output": 40, "input_priority": 300, "input_priority_cache_read": 1900}',
            (2200, 40, 1900, None, None),
            id="LangChain's of a priority tier, with the parts",
        ),
        pytest.param(
            '{"input": 50, "output": 35, "cache_read_input_tokens": 1900, "cache_creation_input_tokens": 250}',
            (2200, 35, 1900, 250, None),
            id="Anthropic's by hand, as Langfuse's documentation has it",
        ),
        pytest.param('{"input": 7}', (7, None, None, None, None), id="of embeddings"),
        pytest.param('{"input": "7"}', (None,) * 5, id="no numbers"),
        pytest.param("[7]", (None,) * 5, id="no object"),
        pytest.param("{", (None,) * 5, id="no JSON"),
    ],
)
def test_langfuse_s_usage_is_told_with_its_parts_or_without(langfuse, usage, counts):
    told = langfuse(usage_details=usage)
    kinds = ("input", "output", "cache_read", "cache_write", "reasoning")
    found = [told[f"{kind}_tokens"] for kind in kinds]
    assert tuple(None if count != count else count for count in found) == counts


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-5-mini", "openai"),
        ("ft:gpt-4o:shop::1", "openai"),
        ("o3", "openai"),
        ("text-embedding-3-small", "openai"),
        ("claude-haiku-4-5", "anthropic"),
        ("gemini-3-pro", "gcp.gemini"),
        ("mistral-large-latest", "mistral_ai"),
        ("gpt-oss-120b", ""),
        ("olmo-3", ""),
        ("our-own", ""),
    ],
)
def test_langfuse_s_provider_is_the_one_whose_models_have_such_names(langfuse, model, provider):
    assert langfuse(model__name=model)["provider"] == provider


def test_langchain_s_provider_is_told(langfuse):
    assert langfuse(model__name="gpt-5", metadata__ls_provider='"azure"')["provider"] == "azure"


@pytest.mark.parametrize(
    ("message", "error_type"),
    [("Error code: 503 - Service Unavailable", "503"), ("Connection error.", ""), ("See Error code: 503", "")],
)
def test_why_a_call_failed_langfuse_tells_in_the_client_s_words(langfuse, message, error_type):
    assert langfuse(level="ERROR", status_message=message)["error_type"] == error_type
