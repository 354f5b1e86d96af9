"""OpenLLMetry, with a workflow and a prompt of its registry (https://www.traceloop.com/docs/openllmetry)."""

import contextlib
import os

import anthropic
import openai
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import task, workflow
from traceloop.sdk.prompts import PromptRegistryClient

PACKAGE = "traceloop-sdk"

Traceloop.init(app_name="shop", api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], telemetry_enabled=False)

client = openai.OpenAI(base_url=f"{os.environ['PROVIDER_URL']}/v1", max_retries=0)
claude = anthropic.Anthropic(base_url=os.environ["PROVIDER_URL"], max_retries=0)
asked = {"messages": [{"role": "user", "content": "Where is my order?"}]}

client.chat.completions.create(model="gpt-5-mini", **asked)
for _ in client.chat.completions.create(
    model="gpt-5-mini", **asked, stream=True, stream_options={"include_usage": True}
):
    pass
with contextlib.suppress(openai.RateLimitError):
    client.chat.completions.create(model="gpt-5-nano", **asked)
client.embeddings.create(model="text-embedding-3-small", input="order", dimensions=8)
claude.messages.create(model="claude-haiku-4-5", max_tokens=256, **asked)
for _ in claude.messages.create(model="claude-haiku-4-5", max_tokens=256, **asked, stream=True):
    pass

# Traceloop's cloud would send the registry; this is the form of its answer.
VERSION = {
    "id": "1",
    "hash": "abc",
    "version": 3,
    "name": "short",
    "created_at": "2026-01-01T00:00:00Z",
    "provider": "openai",
    "templating_engine": "jinja2",
    "messages": [{"index": 0, "role": "user", "template": "Where is {{ what }}?", "variables": ["what"]}],
    "llm_config": {
        "mode": "chat",
        "model": "gpt-5",
        "temperature": 1,
        "top_p": 1,
        "stop": [],
        "frequency_penalty": 0,
        "presence_penalty": 0,
    },
}
PROMPT = {
    "id": "1",
    "key": "order-status",
    "versions": [VERSION],
    "target": {"id": "1", "version": "1", "prompt_id": "1", "updated_at": "2026-01-01T00:00:00Z"},
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


@task(name="ask")
def ask() -> None:
    Traceloop.set_association_properties({"session_id": "session-1"})
    client.chat.completions.create(**PromptRegistryClient().render_prompt("order-status", variables={"what": "it"}))


@workflow(name="support")
def support() -> None:
    ask()


PromptRegistryClient()._registry.load({"prompts": [PROMPT], "environment": {"name": "dev"}})
support()
