"""OpenLLMetry's instrumentation of Ollama's client, one of those that keep its old style."""

import contextlib
import os

import ollama
from traceloop.sdk import Traceloop

PACKAGE = "opentelemetry-instrumentation-ollama"

Traceloop.init(app_name="shop", api_endpoint=os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], telemetry_enabled=False)

client = ollama.Client(os.environ["PROVIDER_URL"])
asked = {"messages": [{"role": "user", "content": "Where is my order?"}]}

client.chat(model="llama3.2", **asked)
for _ in client.chat(model="llama3.2", **asked, stream=True):
    pass
with contextlib.suppress(ollama.ResponseError):
    client.chat(model="gpt-5-nano", **asked)
