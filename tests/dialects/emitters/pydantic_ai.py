"""Pydantic AI, which observes its agents itself (https://ai.pydantic.dev/logfire/#using-opentelemetry)."""

import asyncio
import contextlib
import os

from openai import AsyncOpenAI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_tracer_provider
from pydantic_ai import Agent, Embedder, ModelHTTPError, ModelSettings
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

PACKAGE = "pydantic-ai-slim"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
set_tracer_provider(provider)
Agent.instrument_all()

client = AsyncOpenAI(base_url=f"{os.environ['PROVIDER_URL']}/v1", max_retries=0)
openai = OpenAIProvider(openai_client=client)
anthropic = AnthropicProvider(base_url=os.environ["PROVIDER_URL"])


def agent(model: str) -> Agent:
    return Agent(OpenAIChatModel(model, provider=openai), name="clerk", retries=0)


async def streamed(agent: Agent) -> None:
    async with agent.run_stream("Where is my order?") as result:
        async for _ in result.stream_text():
            pass


async def main() -> None:
    # Whoever asks for more tokens, or for no limit, gets a stream.
    short = ModelSettings(max_tokens=256)
    claude = Agent(AnthropicModel("claude-haiku-4-5", provider=anthropic), name="clerk", model_settings=short)
    await agent("gpt-5-mini").run("Where is my order?")
    await streamed(agent("gpt-5-mini"))
    with contextlib.suppress(ModelHTTPError):
        await agent("gpt-5-nano").run("Where is my order?")
    embedder = Embedder(OpenAIEmbeddingModel("text-embedding-3-small", provider=openai), instrument=True)
    await embedder.embed_query("order", settings={"dimensions": 8})
    await claude.run("Where is my order?")
    await streamed(claude)


asyncio.run(main())
provider.shutdown()
