"""An app built on a framework: `app.py FRAMEWORK URL` makes calls in each way, and prints who made which spans.

Prints a JSON object: way of calling -> the names of the scopes whose inference spans it made.
A process of its own, because frameworks keep event loops and clients for as long as one lives.
"""

import asyncio
import contextlib
import importlib
import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import llmvitals
from llmvitals import semconv

arun = asyncio.Runner().run  # one event loop for all calls: a framework's connections belong to the first it sees
INFERENCE = {semconv.CHAT, semconv.TEXT_COMPLETION, semconv.GENERATE_CONTENT}


def langchain(url):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-x", base_url=f"{url}/v1", api_key="any", max_retries=0)
    return {
        "invoke": lambda: model.invoke("Where?").content,
        "stream": lambda: "".join(chunk.text for chunk in model.stream("Where?")),
        "ainvoke": lambda: arun(model.ainvoke("Where?")).content,
    }


def pydantic_ai(url):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    def agent(**options):
        return Agent(OpenAIChatModel("gpt-x", provider=OpenAIProvider(base_url=f"{url}/v1", api_key="any")), **options)

    async def streamed():
        async with agent().run_stream("Where?") as result:
            return await result.get_output()

    def observing_itself():
        Agent.instrument_all()
        try:
            return agent().run_sync("Where?").output
        finally:
            Agent.instrument_all(False)

    return {
        "run_sync": lambda: agent().run_sync("Where?").output,
        "run_stream": lambda: arun(streamed()),
        "observing itself": observing_itself,
    }


def openai_agents(url):
    import agents
    import openai

    agents.set_tracing_disabled(True)

    def ask(model):
        return agents.Runner.run_sync(agents.Agent(name="clerk", model=model), "Where?").final_output

    def client():
        return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any")

    return {
        "responses": lambda: ask(agents.OpenAIResponsesModel("gpt-x", client())),
        "chat completions": lambda: ask(agents.OpenAIChatCompletionsModel("gpt-x", client())),
    }


def llama_index(url):
    from llama_index.llms.openai import OpenAI

    model = OpenAI(model="gpt-4o", api_base=f"{url}/v1", api_key="any", max_retries=0)
    return {
        "complete": lambda: model.complete("Where?").text,
        "stream_complete": lambda: "".join(chunk.delta or "" for chunk in model.stream_complete("Where?")),
    }


def litellm(url):
    import litellm

    asked = {
        "model": "openai/gpt-x",
        "messages": [{"role": "user", "content": "Where?"}],
        "api_base": f"{url}/v1",
        "api_key": "any",
    }
    claude = {**asked, "model": "anthropic/claude-x", "api_base": url}

    async def streamed():
        return [chunk async for chunk in await litellm.acompletion(**asked, stream=True)]

    return {
        "completion": lambda: litellm.completion(**asked).choices[0].message.content,
        "acompletion": lambda: arun(litellm.acompletion(**asked)).choices[0].message.content,
        "streamed": lambda: list(litellm.completion(**asked, stream=True)),
        "async streamed": lambda: arun(streamed()),
        "another provider, without its client": lambda: litellm.completion(**claude).choices[0].message.content,
    }


FRAMEWORKS = {function.__name__: function for function in (langchain, pydantic_ai, openai_agents, llama_index, litellm)}
OFFICIAL = {
    "openai": "opentelemetry.instrumentation.genai.openai.OpenAIInstrumentor",
    "langchain": "opentelemetry.instrumentation.genai.langchain.LangChainInstrumentor",
}
# Two spans for one call, neither of them ours: pydantic-ai's own, and in it the official one.
OF_OTHERS = {("observing itself", "openai")}


@contextlib.contextmanager
def officially_observed(name):
    """OpenTelemetry's own instrumentation, on, where it is installed and goes with these versions."""
    module, _, instrumentor = OFFICIAL[name].rpartition(".")
    official = getattr(importlib.import_module(module), instrumentor)()
    official.instrument()
    yield
    official.uninstrument()


def main(framework, url):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    llmvitals.instrument()
    ways = FRAMEWORKS[framework](url)
    found = {}

    def make(name, ask):
        exporter.clear()
        assert ask(), name
        spans = exporter.get_finished_spans()
        found[name] = [
            span.instrumentation_scope.name
            for span in spans
            if span.attributes.get(semconv.OPERATION_NAME) in INFERENCE
        ]

    for name, ask in ways.items():
        make(name, ask)
    for official in OFFICIAL:
        with contextlib.suppress(ImportError), officially_observed(official):
            for name, ask in ways.items():
                if (name, official) not in OF_OTHERS:
                    make(f"{name}, with OpenTelemetry's own instrumentation of {official}", ask)
    print(json.dumps(found))


main(*sys.argv[1:])
