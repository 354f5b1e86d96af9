"""OpenTelemetry's instrumentation of OpenAI's client (https://github.com/open-telemetry/opentelemetry-python-genai)."""

import contextlib
import os

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

PACKAGE = "opentelemetry-instrumentation-genai-openai"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()

client = openai.OpenAI(base_url=f"{os.environ['PROVIDER_URL']}/v1", max_retries=0)
asked = {"messages": [{"role": "user", "content": "Where is my order?"}]}

client.chat.completions.create(model="gpt-5-mini", **asked)
for _ in client.chat.completions.create(
    model="gpt-5-mini", **asked, stream=True, stream_options={"include_usage": True}
):
    pass
with contextlib.suppress(openai.RateLimitError):
    client.chat.completions.create(model="gpt-5-nano", **asked)
client.embeddings.create(model="text-embedding-3-small", input="order", dimensions=8)

provider.shutdown()
