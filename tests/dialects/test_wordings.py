"""What dialects understand beside what the fixtures hold: other words, other clients, other versions."""

import pytest

from llmvitals import semconv

# ---- OpenLIT -----------------------------------------------------------------------------------------

OPENLIT = {"telemetry.sdk.name": "openlit", semconv.OPERATION_NAME: "chat"}


def test_of_an_answer_that_comes_whole_openlit_tells_no_first_chunk(read):
    told = read("openlit.instrumentation.groq", {**OPENLIT, "gen_ai.server.time_to_first_token": 2.0})
    assert told["time_to_first_chunk"] != told["time_to_first_chunk"]  # NaN


@pytest.mark.parametrize(("client", "total"), [("anthropic", 2100), ("bedrock", 2100), ("langchain", 100)])
def test_openlit_leaves_out_cached_tokens_where_the_api_does(read, client, total):
    tokens = {
        semconv.USAGE_INPUT_TOKENS: 100,
        semconv.USAGE_CACHE_READ_INPUT_TOKENS: 1800,
        semconv.USAGE_CACHE_CREATION_INPUT_TOKENS: 200,
    }
    assert read(f"openlit.instrumentation.{client}", {**OPENLIT, **tokens})["input_tokens"] == total


def test_a_cost_of_nothing_is_a_price_that_openlit_does_not_know(read):
    told = read("openlit.instrumentation.groq", {**OPENLIT, "gen_ai.usage.cost": 0})
    assert told["cost"] != told["cost"]  # NaN


# ---- Pydantic AI -------------------------------------------------------------------------------------


def test_an_agent_of_pydantic_ai_that_repeats_the_tokens_is_no_call(read):
    told = {semconv.OPERATION_NAME: "invoke_agent", semconv.USAGE_INPUT_TOKENS: 7}
    assert read("pydantic-ai", told) is None


# ---- OpenTelemetry -----------------------------------------------------------------------------------


def test_the_names_before_1_37_are_read(read):
    told = read(
        "some.instrumentation",
        {
            "gen_ai.system": "openai",
            semconv.OPERATION_NAME: "chat",
            "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.usage.completion_tokens": 5,
        },
    )
    assert (told["provider"], told["input_tokens"], told["output_tokens"]) == ("openai", 7, 5)


def test_of_two_names_for_written_cache_tokens_one_counts(read):
    both = {semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: 200, semconv.USAGE_CACHE_CREATION_INPUT_TOKENS: 200}
    assert read("some.instrumentation", {semconv.OPERATION_NAME: "chat", **both})["cache_write_tokens"] == 200


# ---- Anthropic, vLLM ---------------------------------------------------------------------------------


def test_counting_tokens_is_no_call_of_a_model(read):
    told = {semconv.PROVIDER_NAME: "anthropic", "anthropic.message.count_tokens.input_tokens": 7}
    assert read("com.anthropic.sdk.python", told) is None


def test_a_client_s_span_with_latencies_is_not_taken_for_vllm_s(read):
    latency = {"gen_ai.latency.e2e": 1.0}
    assert read("vllm.llm_engine", latency)["dialect"] == "vllm"
    assert read("some.client", latency | {semconv.PROVIDER_NAME: "vllm"}) is None
