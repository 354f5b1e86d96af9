"""How LiteLLM tells of calls, beside what the fixtures hold."""

import pytest

from llmvitals import semconv


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        ("acompletion", "chat"),
        ("aresponses", "chat"),
        ("aembedding", "embeddings"),
        ("atext_completion", "text_completion"),
    ],
)
def test_litellm_names_the_function_that_was_called(read, function, operation):
    assert read("litellm", {semconv.OPERATION_NAME: function})["operation"] == operation


@pytest.mark.parametrize("function", ["aimage_generation", "arerank", "execute_tool"])
def test_other_functions_of_litellm_are_no_calls(read, function):
    assert read("litellm", {semconv.OPERATION_NAME: function}) is None


def test_a_call_that_litellm_tells_of_on_the_app_s_span_has_not_its_duration(read):
    told = {semconv.OPERATION_NAME: "chat", "litellm.call_id": "1"}
    assert read("litellm", told)["duration"] == 2
    unknown = read("shop", told)["duration"]
    assert unknown != unknown  # NaN
