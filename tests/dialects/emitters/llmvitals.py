"""Our own SDK."""

import contextlib
import os

import anthropic
import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import llmvitals

PACKAGE = "llmvitals"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
llmvitals.instrument()

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
with llmvitals.prompt("order-status", version="v3"), llmvitals.task("support"):
    client.chat.completions.create(model="gpt-5", **asked)

provider.shutdown()
