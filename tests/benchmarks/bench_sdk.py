"""What llmvitals adds to a call and to a streamed chunk: CPU time, against the bare client in the same process.

A (bare) and B (watched) in turns, each timed by the CPU clock of the process, exporter included; medians.
The clients are real, their transport answers in process: `python tests/benchmarks/bench_sdk.py`
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import anthropic
import httpx2
import openai
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler, SamplingResult

import llmvitals
from llmvitals.evaluators import EVALUATORS
from llmvitals_collector.demo import wires
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.wire import Reply

CHUNKS = 200
ROUNDS = 400
MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]
LONG = [{"role": ("user", "assistant")[turn % 2], "content": "lorem ipsum dolor " * 120} for turn in range(20)]  # 43 KB


class Discard(SpanExporter):
    def export(self, spans: Sequence[object]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


class Switch(Sampler):
    """Samples everything until it is switched off."""

    inner: Sampler = ALWAYS_ON

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        return self.inner.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        return "Switch"


def transport(wire: object) -> httpx2.MockTransport:
    """Answers each request as the loopback provider would, from bytes made beforehand."""
    behaviour = Behaviour(output_tokens=CHUNKS, input_tokens=120, cache_read_tokens=64)
    reply = Reply({"model": "m", "stream_options": {"include_usage": True}}, behaviour, key="k", created=0)
    whole = json.dumps(wire.whole(reply)).encode()
    events = [event.data for event in wire.events(reply)]

    class Events(httpx2.SyncByteStream):
        def __iter__(self):
            yield from events

    def answer(request: httpx2.Request) -> httpx2.Response:
        if json.loads(request.content).get("stream"):
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Events())
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=whole)

    return httpx2.MockTransport(answer)


def cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def compare(name: str, call: Callable[[], object], rounds: int, per: int = 1, **options: Any) -> None:
    """Print what B adds to A, in microseconds (per chunk, where `per` is the chunks) and as a share of A.

    options: of `instrument()`, in B.
    """
    bare, added = [], []
    for _ in range(rounds):
        llmvitals.uninstrument()
        a = cpu(call)
        llmvitals.instrument(**options)
        b = cpu(call)
        bare.append(a)
        added.append(b - a)
    a, d = statistics.median(bare), statistics.median(added)
    print(f"{name:<34} bare {a * 1e6:9.0f} µs   added {d * 1e6 / per:7.1f} µs   {d / a:6.1%}")


def main() -> None:
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # its own span would be a part of what is called bare
    gpt = openai.OpenAI(api_key="any", http_client=httpx2.Client(transport=transport(wires.chat)))
    claude = anthropic.Anthropic(api_key="any", http_client=httpx2.Client(transport=transport(wires.messages)))

    def chat() -> object:
        return gpt.chat.completions.create(model="m", messages=MESSAGES)

    def long_chat() -> object:
        return gpt.chat.completions.create(model="m", messages=LONG)

    def chat_stream() -> object:
        return [0 for _ in gpt.chat.completions.create(model="m", messages=MESSAGES, stream=True)]

    def message() -> object:
        return claude.messages.create(model="m", max_tokens=9, messages=MESSAGES)

    def message_stream() -> object:
        return [0 for _ in claude.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True)]

    sampler = Switch()
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(BatchSpanProcessor(Discard()))
    trace.set_tracer_provider(provider)
    for call in (chat, long_chat, chat_stream, message, message_stream):  # imports, caches and connections
        llmvitals.instrument()
        call()
        llmvitals.uninstrument()
        call()
    compare("openai chat", chat, ROUNDS)
    compare("openai chat, 43 KB", long_chat, ROUNDS // 4)
    compare("openai chat, with metrics", chat, ROUNDS, metrics=True)
    compare(f"openai chat, {CHUNKS} words, checked", chat, ROUNDS, checks=True)
    no_language = [name for name in EVALUATORS if name != "language_match"]
    compare("the same without language_match", chat, ROUNDS, checks=no_language)
    compare(f"openai chat, {CHUNKS} chunks, per chunk", chat_stream, ROUNDS // 8, CHUNKS)
    compare("anthropic message", message, ROUNDS)
    compare(f"anthropic message, {CHUNKS} chunks, per chunk", message_stream, ROUNDS // 4, CHUNKS)
    sampler.inner = ALWAYS_OFF
    compare("openai chat, not sampled", chat, ROUNDS)
    compare("anthropic message, not sampled", message, ROUNDS)


if __name__ == "__main__":
    main()
