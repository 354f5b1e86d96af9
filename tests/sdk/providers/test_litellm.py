"""LiteLLM: whom a call goes to, and how it tells the usage."""

import asyncio
import os
import sys
from types import SimpleNamespace

import pytest

from llmvitals import semconv
from llmvitals._adapter import ANSWER, Answer, Usage
from llmvitals.formats import chat_completions, embeddings
from llmvitals.providers import litellm
from llmvitals_collector.demo.behaviour import Behaviour

MESSAGES = [{"role": "user", "content": "Where?"}]
NOTHING_TOLD = {"prompt_tokens": 0, "completion_tokens": 0}
TOLD = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 60}}


@pytest.fixture
def known(monkeypatch):
    """What LiteLLM knows of providers and models, without LiteLLM."""
    monkeypatch.setitem(
        sys.modules,
        "litellm",
        SimpleNamespace(
            provider_list=["openai", "azure", "bedrock", "xai", "vertex_ai", "together_ai"],
            model_cost={
                "gpt-4o": {"litellm_provider": "openai"},
                "gemini-x": {"litellm_provider": "vertex_ai-language-models"},
                "anthropic.claude-x": {"litellm_provider": "bedrock_converse"},
            },
            api_base=None,
        ),
    )
    litellm.resolved.cache_clear()
    yield
    litellm.resolved.cache_clear()


@pytest.mark.parametrize(
    ("model", "given", "found"),
    [
        ("openai/gpt-x", None, ("gpt-x", "openai")),
        ("azure/ours", None, ("ours", "azure.ai.openai")),
        ("bedrock/eu-west-1/claude-x", None, ("eu-west-1/claude-x", "aws.bedrock")),
        ("xai/grok-x", None, ("grok-x", "x_ai")),
        ("together_ai/meta/llama-x", None, ("meta/llama-x", "together_ai")),
        ("gpt-4o", None, ("gpt-4o", "openai")),
        ("gemini-x", None, ("gemini-x", "gcp.vertex_ai")),
        ("anthropic.claude-x", None, ("anthropic.claude-x", "aws.bedrock")),
        ("meta/llama-x", None, ("meta/llama-x", "litellm")),
        ("meta/llama-x", "together_ai", ("meta/llama-x", "together_ai")),
        ("ours", "Azure", ("ours", "azure.ai.openai")),
        ("azure/ours", "azure", ("ours", "azure.ai.openai")),
    ],
)
def test_the_provider_is_the_given_one_or_the_model_s_prefix_or_who_is_known_to_have_it(known, model, given, found):
    assert litellm.resolved(model, given) == found


@pytest.mark.parametrize(
    ("asked", "server"),
    [
        ({"model": "openai/gpt-x"}, (None, None, "openai")),
        ({"model": "openai/gpt-x", "api_base": "http://127.0.0.1:8080/v1"}, ("127.0.0.1", 8080, "openai")),
        ({"model": "openai/llama-x", "base_url": "https://api.groq.com/openai/v1"}, ("api.groq.com", None, "groq")),
        ({"model": "xai/grok-x", "api_base": "https://gateway.example"}, ("gateway.example", None, "x_ai")),
        ({"messages": []}, (None, None, "litellm")),
    ],
)
def test_the_server_is_the_base_url_s_and_may_tell_who_speaks_openai_s_language(known, asked, server):
    assert litellm._server(asked) == server


def test_a_schema_given_as_a_class_asks_for_json():
    assert litellm.chat_asked({"response_format": dict})[semconv.OUTPUT_TYPE] == "json"


def folded(fold, *pieces):
    answer = Answer()
    return answer, [litellm.telling(fold)(answer, piece) for piece in pieces]


def chunk(content=None, finish_reason=None, hidden=None, **told):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return SimpleNamespace(id="1", model="gpt-x", choices=[choice], _hidden_params={"usage": hidden}, **told)


def test_the_usage_of_a_stream_is_with_its_last_chunk_out_of_sight():
    answer, brought = folded(chat_completions.fold, chunk("Soon."), chunk(finish_reason="stop", hidden=TOLD))
    assert answer.usage == Usage(input=100, output=20, cache_read=60)
    assert answer.finish_reasons == {0: "stop"}
    assert brought[0] == ANSWER


def test_the_usage_of_a_stream_that_was_asked_for_it_is_a_chunk_s():
    answer, _ = folded(
        chat_completions.fold, chunk("Soon."), chunk(finish_reason="stop"), SimpleNamespace(choices=[], usage=TOLD)
    )
    assert answer.usage == Usage(input=100, output=20, cache_read=60)


def test_no_tokens_is_what_litellm_says_where_nobody_has_told_them():
    answer, _ = folded(chat_completions.fold, chunk("Soon."), chunk(finish_reason="stop", hidden=NOTHING_TOLD))
    assert answer.usage == Usage()
    assert folded(embeddings.fold, {"model": "embed-x", "usage": NOTHING_TOLD})[0].usage == Usage()


# ---- The real one, where it is installed --------------------------------------------------------------------


@pytest.fixture
def real():
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm.resolved.cache_clear()
    return pytest.importorskip("litellm")


@pytest.mark.parametrize(
    "model",
    ["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "mistral/m", "bedrock/us.m", "azure/d", "xai/g", "deepseek/d"],
)
def test_model_and_provider_are_what_litellm_itself_takes_them_for(real, model):
    its_model, its_provider, *_ = real.get_llm_provider(model)
    assert litellm.resolved(model, None) == (its_model, litellm._PROVIDERS.get(its_provider, its_provider))


def test_arguments_by_position_are_known_also_of_a_function_that_takes_any(real, clients, spans, arun):
    loopback = clients(Behaviour(input_tokens=7))

    async def embed():
        try:
            await real.aembedding(
                "openai/embed-x", ["Where?"], api_base=f"{loopback.provider.url}/v1", client=loopback.async_openai
            )
        finally:
            await real.close_litellm_async_clients()

    arun(embed(), loopback)
    (span,) = spans()
    assert span.name == "embeddings embed-x"
    assert span.attributes[semconv.INPUT_COUNT] == 1


def test_fallbacks_that_a_call_asks_for_are_of_that_call(real, clients, spans):
    loopback = clients(Behaviour(status=500))
    asked = {"messages": MESSAGES, "api_base": f"{loopback.provider.url}/v1", "api_key": "any", "max_retries": 0}
    with pytest.raises(Exception, match="fallback"):
        real.completion("openai/a", **asked, fallbacks=["openai/b"])
    (span,) = spans()
    assert span.name == "chat a"
    assert span.attributes[semconv.REQUEST_ATTEMPTS] == len(loopback.provider.served) == 2


def test_a_router_s_fallbacks_are_a_call_each(real, clients, spans):
    loopback = clients(Behaviour(status=500))
    deployed = {"api_base": f"{loopback.provider.url}/v1", "api_key": "any", "max_retries": 0}
    router = real.Router(
        [{"model_name": name, "litellm_params": {"model": f"openai/{name}", **deployed}} for name in ("a", "b")],
        fallbacks=[{"a": ["b"]}],
        num_retries=0,
    )
    with pytest.raises(real.InternalServerError):
        router.completion("a", MESSAGES)
    assert [span.name for span in spans()] == ["chat a", "chat b"]


def test_a_stream_read_elsewhere_than_it_was_asked_for_is_one_call_all_the_same(real, clients, spans):
    """The request of a streamed text completion is made when its first chunk is read (LiteLLM 1.106)."""
    loopback = clients(Behaviour(output_tokens=3))
    stream = real.text_completion(
        "Where?", "text-completion-openai/gpt-x", client=loopback.openai, api_key="any", stream=True
    )
    assert not loopback.provider.served
    assert asyncio.run(asyncio.to_thread(list, stream))
    (span,) = spans()
    assert span.attributes[semconv.REQUEST_ATTEMPTS] == 1
