"""How MLflow tells of calls, beside what the fixtures hold."""

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def mlflow(read) -> Callable[..., dict[str, Any] | None]:
    """A span of MLflow's, of a chat unless told otherwise; its values are put in JSON."""
    return lambda **told: read(
        "mlflow.tracing.provider",
        {
            f"mlflow.{name.replace('__', '.')}": json.dumps(value)
            for name, value in ({"spanType": "CHAT_MODEL"} | told).items()
        },
    )


@pytest.mark.parametrize("kind", ["AGENT", "CHAIN", "TOOL", "RETRIEVER", "RERANKER", "PARSER", "UNKNOWN"])
def test_other_spans_of_mlflow_are_no_calls(mlflow, kind):
    assert mlflow(spanType=kind, chat__tokenUsage={"input_tokens": 7}) is None


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ({"llm__provider": "groq", "message__format": "langchain"}, "groq"),
        ({"message__format": "bedrock", "llm__model": "claude-haiku-4-5"}, "bedrock"),
        ({"message__format": "langchain", "llm__model": "claude-haiku-4-5"}, "anthropic"),
        ({"message__format": "langchain"}, ""),
    ],
)
def test_mlflow_s_provider_is_told_or_that_of_the_messages_form_or_of_the_model(mlflow, told, provider):
    assert mlflow(**told)["provider"] == provider


def test_mlflow_s_cost_is_that_of_all_tokens(mlflow):
    assert mlflow(llm__cost={"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3})["cost"] == 0.3


@pytest.mark.parametrize(
    ("prompts", "template", "version"),
    [
        ('[{"name": "order-status", "version": "3"}]', "order-status", "3"),
        ('[{"name": "order-status", "version": "3"}, {"name": "tone", "version": "1"}]', "", ""),
        ("[]", "", ""),
        ("{}", "", ""),
        ("[", "", ""),
    ],
)
def test_of_several_prompts_mlflow_does_not_tell_which_one_a_call_is_made_with(mlflow, prompts, template, version):
    told = mlflow(linkedPrompts=prompts)
    assert (told["template"], told["template_version"]) == (template, version)
