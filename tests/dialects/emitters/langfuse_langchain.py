"""Langfuse's handler of LangChain's callbacks, with a prompt (https://langfuse.com/integrations/frameworks/langchain)."""

import contextlib
import os

import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.prompts import PromptTemplate
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.api import Prompt_Text
from langfuse.langchain import CallbackHandler
from langfuse.model import TextPromptClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

PACKAGE = "langfuse"

langfuse = Langfuse(public_key="any", secret_key="any", span_exporter=OTLPSpanExporter())
observed = {"callbacks": [CallbackHandler()]}
url = os.environ["PROVIDER_URL"]


def chat(model: str) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=f"{url}/v1", max_retries=0)


chat("gpt-5-mini").invoke("Where is my order?", observed)
for _ in chat("gpt-5-mini").stream("Where is my order?", observed, stream_usage=True):
    pass
with contextlib.suppress(openai.RateLimitError):
    chat("gpt-5-nano").invoke("Where is my order?", observed)
claude = ChatAnthropic(model="claude-haiku-4-5", base_url=url, max_retries=0)
claude.invoke("Where is my order?", observed)
for _ in claude.stream("Where is my order?", observed):
    pass

# Langfuse's server would send the prompt; this is the form of its answer.
PROMPT = TextPromptClient(
    Prompt_Text(name="order-status", version=3, prompt="Where is {{what}}?", type="text", config={}, labels=[], tags=[])
)
template = PromptTemplate.from_template(PROMPT.get_langchain_prompt(), metadata={"langfuse_prompt": PROMPT})
(template | chat("gpt-5")).invoke({"what": "my order"}, observed)

langfuse.shutdown()
