"""What decoding costs: the walkers, JSON, and beside them the official classes alone and a copy of the bytes.

CPU time of a request of 512 spans with 22 attributes each, the best of several rounds in which all take turns. Read the
ratios, for the machine is seldom alone.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "collector" / "decode"))
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_corpus import document

from llmvitals import semconv
from llmvitals_collector.decode import compiled, decode_traces, otlp_json, protobuf, traces

SPANS = 512
ROUNDS = 15
WORDS = [
    "the",
    "customer",
    "asked",
    "about",
    "an",
    "invoice",
    "that",
    "was",
    "sent",
    "twice",
    "and",
    "the",
    "answer",
    "explains",
    "how",
    "refunds",
    "work",
]


def main() -> None:
    for content in (0, 4096):
        request = typical(content)
        body = request.SerializeToString()
        text = json.dumps(document(request)).encode()
        work: dict[str, Callable[[], object]] = {
            "a copy of the bytes": lambda body=body: bytearray(body),
            "official classes alone": lambda body=body: ExportTraceServiceRequest.FromString(body),
            "compiled walker": lambda body=body: compiled.spans(body, traces.WANTED),
            "readable walker": lambda body=body: protobuf.spans(body, traces.WANTED),
            "JSON": lambda text=text: otlp_json.spans(text, traces.WANTED),
            "protobuf to calls": lambda body=body: decode_traces(body),
        }
        best = dict.fromkeys(work, float("inf"))
        for _ in range(ROUNDS):
            for name, run in work.items():
                began = time.process_time()
                run()
                best[name] = min(best[name], time.process_time() - began)
        print(f"{content} bytes of text a span, {len(body) // SPANS} in all; in JSON {len(text) // SPANS}")
        for name, seconds in best.items():
            share = seconds / best["official classes alone"]
            print(f"  {name:24}{seconds * 1e6:8.0f} µs{SPANS / seconds / 1000:8.0f} k spans/s{share:8.2f} x official")


def typical(content: int) -> ExportTraceServiceRequest:
    """Calls as instrumentations tell of them: few labels, many numbers, an id and perhaps a conversation of each."""
    rng, request = random.Random(1), ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    put(of_resource.resource, semconv.SERVICE_NAME, "shop")
    of_scope = of_resource.scope_spans.add()
    of_scope.scope.name = "bench"
    for _ in range(SPANS):
        span = of_scope.spans.add(trace_id=rng.randbytes(16), span_id=rng.randbytes(8), name="chat gpt-5", kind=3)
        span.start_time_unix_nano = 1_700_000_000_000_000_000 + rng.randrange(10**9)
        span.end_time_unix_nano = span.start_time_unix_nano + rng.randrange(10**10)
        texts = {
            semconv.OPERATION_NAME: rng.choice(["chat", "embeddings"]),
            semconv.PROVIDER_NAME: rng.choice(["openai", "anthropic", "gcp.vertex_ai"]),
            semconv.REQUEST_MODEL: rng.choice(["gpt-5", "claude-sonnet-5", "gemini-3-pro"]),
            semconv.PROMPT_NAME: f"prompt-{rng.randrange(20)}",
            "gen_ai.response.id": f"chatcmpl-{rng.getrandbits(120):030x}",
            "gen_ai.conversation.id": f"conv_{rng.getrandbits(64):016x}",
            **{f"app.label.{each}": rng.choice(["free", "pro", "enterprise"]) for each in range(6)},
        }
        if content:
            texts["gen_ai.input.messages"] = " ".join(rng.choices(WORDS, k=content // 6))[:content]
        for key, value in texts.items():
            put(span, key, value)
        for key in (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS, semconv.USAGE_CACHE_READ_INPUT_TOKENS):
            put(span, key, rng.randrange(5000))
        for each in range(7):
            put(span, f"app.number.{each}", rng.random())
    return request


def put(record, key: str, value: str | float) -> None:
    into = record.attributes.add(key=key).value
    if isinstance(value, str):
        into.string_value = value
    elif isinstance(value, int):
        into.int_value = value
    else:
        into.double_value = value


if __name__ == "__main__":
    main()
