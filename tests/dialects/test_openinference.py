"""What OpenInference tells beside what its fixtures hold: other hosts, other kinds of spans."""

from collections.abc import Callable
from typing import Any

import pytest

from llmvitals import semconv


@pytest.fixture
def openinference(read) -> Callable[..., dict[str, Any] | None]:
    """A span of OpenInference's, of kind LLM unless told otherwise."""
    return lambda **attributes: read(
        "openinference.instrumentation.x",
        {"openinference.span.kind": "LLM"} | {name.replace("__", "."): value for name, value in attributes.items()},
    )


@pytest.mark.parametrize(
    ("provider", "system", "canonical"),
    [
        ("azure", "openai", "azure.ai.openai"),
        ("azure", "anthropic", "azure.ai.inference"),
        ("google", "vertexai", "gcp.vertex_ai"),
        ("google", "anthropic", "gcp.gen_ai"),
        ("aws", "anthropic", "aws.bedrock"),
        ("groq", "openai", "groq"),
    ],
)
def test_openinference_tells_who_hosts_a_model_and_whose_api_it_has(openinference, provider, system, canonical):
    assert openinference(llm__provider=provider, llm__system=system)["provider"] == canonical


def test_openinference_without_a_host_has_the_api_s_maker_as_provider(openinference):
    assert openinference(llm__system="mistralai")["provider"] == "mistral_ai"


def test_a_completion_of_openinference_is_no_chat(openinference):
    told = openinference(**{"llm.prompts.0.prompt.text": "Once upon a time"})
    assert told["operation"] == semconv.TEXT_COMPLETION


@pytest.mark.parametrize("kind", ["AGENT", "CHAIN", "TOOL", "RETRIEVER", "GUARDRAIL", "EVALUATOR", "UNKNOWN"])
def test_other_kinds_of_openinference_are_no_calls(openinference, kind):
    assert openinference(openinference__span__kind=kind, llm__token_count__prompt=7) is None


def test_the_model_of_openinference_is_the_one_asked_for(openinference):
    told = openinference(llm__invocation_parameters='{"model": "gpt-5"}', llm__model_name="gpt-5-2025-08-07")
    assert (told["model"], told["response_model"]) == ("gpt-5", "gpt-5-2025-08-07")


def test_parameters_that_are_no_json_leave_the_model_that_answered(openinference):
    told = openinference(llm__invocation_parameters="{'model': 'gpt-5'}", llm__model_name="gpt-5-2025-08-07")
    assert told["model"] == "gpt-5-2025-08-07"
