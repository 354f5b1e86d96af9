"""MLflow's autologging of OpenAI's and Anthropic's clients, sent over OTLP (https://mlflow.org/docs/latest/genai)."""

import contextlib
import os

import anthropic
import mlflow
import openai

PACKAGE = "mlflow"

mlflow.openai.autolog()
mlflow.anthropic.autolog()

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

mlflow.genai.register_prompt("order-status", "Where is {{what}}?")


@mlflow.trace(span_type="AGENT")
def support() -> None:
    prompt = mlflow.genai.load_prompt("prompts:/order-status/1").format(what="my order")
    client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": prompt}])


support()
mlflow.flush_trace_async_logging(terminate=True)
