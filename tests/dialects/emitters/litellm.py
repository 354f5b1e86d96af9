"""LiteLLM's `otel` callback, as it is by default (https://docs.litellm.ai/docs/observability/opentelemetry_integration)."""

import contextlib
import os
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # else it fetches the prices
import litellm
from opentelemetry import trace

PACKAGE = "litellm"

litellm.callbacks = ["otel"]

openai = {"api_base": f"{os.environ['PROVIDER_URL']}/v1", "max_retries": 0}
anthropic = {"api_base": os.environ["PROVIDER_URL"], "max_retries": 0}
asked = {"messages": [{"role": "user", "content": "Where is my order?"}]}

litellm.completion("openai/gpt-5-mini", **asked, **openai)
for _ in litellm.completion(
    "openai/gpt-5-mini", **asked, **openai, stream=True, stream_options={"include_usage": True}
):
    pass
with contextlib.suppress(litellm.RateLimitError):
    litellm.completion("openai/gpt-5-nano", **asked, **openai)
litellm.embedding("openai/text-embedding-3-small", input=["order"], dimensions=8, **openai)
litellm.completion("anthropic/claude-haiku-4-5", **asked, **anthropic)
for _ in litellm.completion("anthropic/claude-haiku-4-5", **asked, **anthropic, stream=True):
    pass
# Within a span of the app's, LiteLLM makes none of its own: it tells of the call there, some time after the answer.
with trace.get_tracer("shop").start_as_current_span("support") as span:
    litellm.completion("openai/gpt-5", **asked, **openai)
    while not span.attributes:
        time.sleep(0.01)
