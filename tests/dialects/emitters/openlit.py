"""OpenLIT (https://docs.openlit.io/latest/sdk/overview)."""

import contextlib
import json
import os
from pathlib import Path

import anthropic
import openai
import openlit
from opentelemetry import trace

PACKAGE = "openlit"

# USD per thousand tokens, in the form of the file that it would fetch otherwise.
PRICES = {"chat": {"gpt-5-mini": {"promptPrice": 0.00025, "completionPrice": 0.002}}, "embeddings": {}}
Path("pricing.json").write_text(json.dumps(PRICES))
openlit.init(
    service_name="shop",
    otlp_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"],
    pricing_json="pricing.json",
    disabled_instrumentors=["httpx"],
)

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


@openlit.trace
def support() -> str:
    return client.chat.completions.create(model="gpt-5", **asked).choices[0].message.content


support()
trace.get_tracer_provider().shutdown()
