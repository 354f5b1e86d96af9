"""OpenInference's instrumentation of LangChain (https://github.com/Arize-ai/openinference)."""

import contextlib
import os

import openai
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

PACKAGE = "openinference-instrumentation-langchain"

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
LangChainInstrumentor().instrument()

url = f"{os.environ['PROVIDER_URL']}/v1"


def chat(model: str) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=url, max_retries=0)


chat("gpt-5-mini").invoke("Where is my order?")
for _ in chat("gpt-5-mini").stream("Where is my order?", stream_usage=True):
    pass
with contextlib.suppress(openai.RateLimitError):
    chat("gpt-5-nano").invoke("Where is my order?")
OpenAIEmbeddings(
    model="text-embedding-3-small", base_url=url, dimensions=8, check_embedding_ctx_length=False
).embed_query("order")
# A chain: a prompt template and a model.
(ChatPromptTemplate.from_template("Where is {what}?") | chat("gpt-5")).invoke({"what": "my order"})

provider.shutdown()
