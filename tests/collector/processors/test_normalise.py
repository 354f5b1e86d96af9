"""Whatever senders call a provider or a model, it has one name; counts that contradict each other are put right."""

import math

import pytest

from llmvitals import _adapter
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors import normalise
from llmvitals_collector.processors.normalise import Normalise, NormaliseConfig


def normalised(*rows, **config):
    return Normalise(NormaliseConfig(**config)).process(Calls.from_rows(rows))


def texts(calls, name):
    return [calls.strings[code] for code in calls[name]]


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ("OpenAI", "openai"),
        (" openai ", "openai"),
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("google-gla", "gcp.gemini"),
        ("Google", "gcp.gen_ai"),
        ("az.ai.openai", "azure.ai.openai"),
        ("az.ai.inference", "azure.ai.inference"),
        ("AWS", "aws.bedrock"),
        ("xai", "x_ai"),
        ("MistralAI", "mistral_ai"),
        ("Ollama", "ollama"),
        ("azure.ai.openai", "azure.ai.openai"),
        ("", ""),
    ],
)
def test_a_provider_has_the_name_of_the_conventions_or_its_own_in_lower_case(told, provider):
    assert texts(normalised({"provider": told}), "provider") == [provider]


def test_a_configured_spelling_is_known_however_it_is_capitalised():
    assert texts(normalised({"provider": "our-gateway"}, providers={"Our-Gateway": "openai"}), "provider") == ["openai"]


@pytest.mark.parametrize(
    ("provider", "host", "who"),
    [
        ("openai", "acme.openai.azure.com", "azure.ai.openai"),
        ("openai", "acme.services.ai.azure.com", "azure.ai.openai"),
        ("openai", "api.groq.com", "groq"),
        ("openai", "api.openai.com", "openai"),
        ("openai", "", "openai"),
        ("anthropic", "acme.services.ai.azure.com", "anthropic"),
    ],
)
def test_what_openais_client_calls_is_told_by_the_host(provider, host, who):
    assert texts(normalised({"provider": provider, "server_address": host}), "provider") == [who]


def test_the_hosts_are_those_that_the_sdk_knows():
    assert normalise.HOSTS == _adapter._PROVIDERS_BY_HOST


@pytest.mark.parametrize(
    ("provider", "told", "model"),
    [
        ("openai", " gpt-5 ", "gpt-5"),
        ("openai", "ft:gpt-4o:acme::9xYz", "ft:gpt-4o"),
        ("openai", "ft:gpt-4o-2024-08-06:acme:support:9xYz", "ft:gpt-4o-2024-08-06"),
        ("openai", "openai/gpt-5", "gpt-5"),
        ("azure", "azure/gpt-5", "gpt-5"),
        ("groq", "openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ("openrouter", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("", "meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("gcp.gemini", "models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gcp.vertex_ai", "projects/p/locations/eu/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("gcp.vertex_ai", "projects/p/locations/eu/endpoints/123", "endpoints/123"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("aws.bedrock", "bedrock/eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
        ),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/q9x",
            "application-inference-profile/q9x",
        ),
        ("ollama", "us.model", "us.model"),
    ],
)
def test_a_model_is_told_without_where_it_is_and_whose_it_is(provider, told, model):
    calls = normalised({"provider": provider, "model": told, "response_model": told})
    assert texts(calls, "model") == texts(calls, "response_model") == [model]


def test_models_of_different_providers_are_told_apart_in_one_batch():
    rows = [{"provider": provider, "model": "openai/gpt-oss-20b"} for provider in ("openai", "groq", "OpenAI")]
    assert texts(normalised(*rows), "model") == ["gpt-oss-20b", "openai/gpt-oss-20b", "gpt-oss-20b"]


def test_a_model_can_have_another_name():
    assert texts(normalised({"model": "models/our-chat"}, models={"our-chat": "gpt-5"}), "model") == ["gpt-5"]


def test_the_model_that_answered_stands_in_for_one_that_nobody_asked_for():
    rows = [{"response_model": "ft:gpt-4o:acme::1"}, {"model": "gpt-5", "response_model": "gpt-5-2025-08-07"}]
    assert texts(normalised(*rows), "model") == ["ft:gpt-4o", "gpt-5"]


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        ({"input_tokens": 100, "cache_read_tokens": 60, "cache_write_tokens": 40}, (100, None)),
        ({"input_tokens": 10, "cache_read_tokens": 60, "cache_write_tokens": 40}, (110, None)),
        ({"input_tokens": 10, "cache_read_tokens": 60}, (70, None)),
        ({"cache_read_tokens": 60}, (None, None)),
        ({"output_tokens": 10, "reasoning_tokens": 30}, (None, 40)),
        ({"output_tokens": 40, "reasoning_tokens": 30}, (None, 40)),
    ],
)
def test_parts_that_are_more_than_the_whole_were_left_out_of_it(row, counts):
    calls = normalised(row)
    told = (calls["input_tokens"][0], calls["output_tokens"][0])
    assert tuple(None if math.isnan(each) else each for each in told) == counts


@pytest.mark.parametrize("name", ["time_to_first_chunk", "time_to_first_token", "time_to_first_answer_token"])
@pytest.mark.parametrize(
    ("row", "is_told"),
    [
        ({"streamed": True, "duration": 2.0}, True),
        ({"streamed": True}, True),
        ({"streamed": True, "duration": 0.995}, True),  # by another clock
        ({"streamed": True, "duration": 0.5}, False),
        ({"streamed": False, "duration": 2.0}, False),
    ],
)
def test_a_first_chunk_comes_while_an_answer_is_streamed(name, row, is_told):
    assert math.isnan(normalised(row | {name: 1.0})[name][0]) != is_told


def test_what_is_absent_stays_absent():
    calls = normalised({})
    assert texts(calls, "model") == texts(calls, "provider") == [""]
    assert math.isnan(calls["input_tokens"][0])
