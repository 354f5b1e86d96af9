"""LiteLLM's `otel` callback in its second version (https://docs.litellm.ai/docs/observability/opentelemetry_v2)."""

import asyncio
import contextlib
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # else it fetches the prices
os.environ["LITELLM_OTEL_V2"] = "true"
import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

PACKAGE = "litellm"

litellm.callbacks = ["otel"]

openai = {"api_base": f"{os.environ['PROVIDER_URL']}/v1", "max_retries": 0}
anthropic = {"api_base": os.environ["PROVIDER_URL"], "max_retries": 0}
asked = {"messages": [{"role": "user", "content": "Where is my order?"}]}


async def read(model: str, **options: object) -> None:
    async for _ in await litellm.acompletion(model, **asked, **options, stream=True):
        pass


# It tells of asynchronous calls alone.
async def main() -> None:
    await litellm.acompletion("openai/gpt-5-mini", **asked, **openai)
    await read("openai/gpt-5-mini", **openai, stream_options={"include_usage": True})
    with contextlib.suppress(litellm.RateLimitError):
        await litellm.acompletion("openai/gpt-5-nano", **asked, **openai)
    await litellm.aembedding("openai/text-embedding-3-small", input=["order"], dimensions=8, **openai)
    await litellm.acompletion("anthropic/claude-haiku-4-5", **asked, **anthropic)
    await read("anthropic/claude-haiku-4-5", **anthropic)
    await GLOBAL_LOGGING_WORKER.flush()


asyncio.run(main())
