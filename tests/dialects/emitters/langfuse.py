"""Langfuse: its OpenAI client, a generation made by hand, and a prompt (https://langfuse.com/integrations)."""

import contextlib
import os

import openai as plain
from langfuse import Langfuse, observe, propagate_attributes
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient
from langfuse.openai import openai
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

PACKAGE = "langfuse"

langfuse = Langfuse(public_key="any", secret_key="any", span_exporter=OTLPSpanExporter())

url = f"{os.environ['PROVIDER_URL']}/v1"
client = openai.OpenAI(base_url=url, max_retries=0)
asked = {"messages": [{"role": "user", "content": "Where is my order?"}]}

client.chat.completions.create(model="gpt-5-mini", **asked)
for _ in client.chat.completions.create(
    model="gpt-5-mini", **asked, stream=True, stream_options={"include_usage": True}
):
    pass
with contextlib.suppress(plain.RateLimitError):
    client.chat.completions.create(model="gpt-5-nano", **asked)
client.embeddings.create(model="text-embedding-3-small", input="order", dimensions=8)

# Langfuse's server would send the prompt; this is the form of its answer.
PROMPT = TextPromptClient(
    Prompt_Text(name="order-status", version=3, prompt="Where is {{what}}?", type="text", config={}, labels=[], tags=[])
)


@observe(as_type="agent")
def support() -> None:
    with propagate_attributes(session_id="session-1", user_id="user-1"):
        client.chat.completions.create(model="gpt-5", langfuse_prompt=PROMPT, **asked)


support()
langfuse.flush()
langfuse.shutdown()
