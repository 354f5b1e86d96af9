"""Anthropic's client, which observes itself (https://github.com/anthropics/anthropic-sdk-python)."""

import contextlib
import os

import anthropic
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

PACKAGE = "anthropic"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

client = anthropic.Anthropic(base_url=os.environ["PROVIDER_URL"], max_retries=0)
asked = {"max_tokens": 256, "messages": [{"role": "user", "content": "Where is my order?"}]}

client.messages.create(model="claude-haiku-4-5", **asked)
for _ in client.messages.create(model="claude-haiku-4-5", **asked, stream=True):
    pass
with contextlib.suppress(anthropic.RateLimitError):
    client.messages.create(model="gpt-5-nano", **asked)

provider.shutdown()
