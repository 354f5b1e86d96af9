"""Logfire's instrumentation of OpenAI's and Anthropic's clients (https://logfire.pydantic.dev/docs/integrations/)."""

import contextlib
import os

# It would tell the machine's.
os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "host.name=host,host.id=0,os.version=0"

import anthropic
import logfire
import openai

PACKAGE = "logfire"

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_openai()
logfire.instrument_anthropic()

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
with logfire.span("support"):
    client.chat.completions.create(model="gpt-5", **asked)

logfire.shutdown()
