"""How Vercel's AI SDK tells of calls, beside what the fixtures hold."""

import pytest


@pytest.mark.parametrize(
    ("step", "operation"),
    [
        ("ai.generateObject.doGenerate", "chat"),
        ("ai.streamObject.doStream", "chat"),
        ("ai.embedMany.doEmbed", "embeddings"),
    ],
)
def test_the_ai_sdk_s_inner_steps_are_calls(read, step, operation):
    told = read("ai", {"ai.operationId": step})
    assert (told["operation"], told["streamed"]) == (operation, step.endswith("doStream"))


@pytest.mark.parametrize("step", ["ai.generateText", "ai.streamText", "ai.streamObject", "ai.embed", "ai.toolCall"])
def test_what_the_ai_sdk_has_around_them_is_no_call(read, step):
    assert read("ai", {"ai.operationId": step, "ai.usage.inputTokens": 7}) is None


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("groq.chat", "groq"),
        ("google.generative-ai", "gcp.gen_ai"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("vertex.anthropic.messages", "gcp.vertex_ai"),
        ("azure.chat", "azure.ai.openai"),
        ("amazon-bedrock", "aws.bedrock"),
    ],
)
def test_the_ai_sdk_6_names_a_provider_with_its_api(read, told, provider):
    call = read("ai", {"ai.operationId": "ai.generateText.doGenerate", "gen_ai.system": told})
    assert call["provider"] == provider
