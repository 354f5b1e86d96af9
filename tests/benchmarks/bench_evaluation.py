"""What evaluation costs those who send: taking and counting calls with their messages, with and without it.

A judge that answers (the demo's, in a process of its own) against one that accepts connections and never answers, which
is the worst that it can do. One process, in turns; medians of
the CPU time of the thread that takes requests and of the time that passes, and of the CPU time of the whole
process: `python tests/benchmarks/bench_evaluation.py`
"""

import json
import random
import socket
import statistics
import time
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from llmvitals import semconv
from llmvitals_collector.config import Config, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.decode import Encoding
from llmvitals_collector.demo import programs
from llmvitals_collector.document import parsed
from llmvitals_collector.evaluation.config import EvaluationConfig
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal

SPANS = 512
REQUESTS = 8  # of a round: so many are counted together
ROUNDS = 7
SPEECH = "your order has left our house and will be with you in two days if the post does as it says"
WORDS = SPEECH.split()
CHECKS = "[empty, refusal, truncation, format_valid, repetition, privacy, instruction_adherence]"


class Cost(NamedTuple):
    """Seconds of a round: of the thread that takes requests, on the clock, of the process."""

    thread: float
    clock: float
    process: float


def batch(seed: int) -> bytes:
    """A request of 512 calls of 50 templates, each with a question of 20 words and an answer of 200."""
    chance = random.Random(seed)
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(KeyValue(key=semconv.SERVICE_NAME, value=AnyValue(string_value="shop")))
    scope_spans = resource_spans.scope_spans.add()
    for _ in range(SPANS):
        end = time.time_ns()
        ids = {"trace_id": chance.randbytes(16), "span_id": chance.randbytes(8)}
        span = scope_spans.spans.add(
            name="chat", kind=3, start_time_unix_nano=end - 10**9, end_time_unix_nano=end, **ids
        )
        attributes = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: "openai",
            semconv.REQUEST_MODEL: f"model-{chance.randrange(6)}",
            semconv.PROMPT_NAME: f"template-{chance.randrange(50)}",
            semconv.INPUT_MESSAGES: json.dumps([message("user", chance.choices(WORDS, k=20))]),
            semconv.OUTPUT_MESSAGES: json.dumps([message("assistant", chance.choices(WORDS, k=200))]),
        }
        for key, value in attributes.items():
            span.attributes.append(KeyValue(key=key, value=AnyValue(string_value=value)))
    return request.SerializeToString()


def message(role: str, words: list[str]) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": " ".join(words)}], "finish_reason": "stop"}


def collector(evaluation: str) -> Pipeline:
    receivers = Receivers(grpc=GrpcReceiver(address="127.0.0.1:0"), http=HttpReceiver(address="127.0.0.1:0"))
    config = Config(
        receivers=receivers,
        metrics=Metrics(address="127.0.0.1:0"),
        evaluation=parsed(evaluation, EvaluationConfig, {}),
    )
    pipeline = Pipeline(config)
    pipeline.start()
    return pipeline


def measure(pipeline: Pipeline, bodies: list[bytes]) -> Cost:
    began = time.thread_time(), time.perf_counter(), time.process_time()
    for body in bodies:
        pipeline.intake.take(semconv.RECEIVER_GRPC, Signal.TRACES, body, Encoding.PROTOBUF)
    ended = time.thread_time(), time.perf_counter(), time.process_time()
    return Cost(*(after - before for before, after in zip(began, ended, strict=True)))


def main() -> None:
    hanging = socket.create_server(("127.0.0.1", 0), backlog=64)
    with programs.provider(seed=1) as answering:
        answering.wait_until_ready()
        judges = (judge(answering.url), judge(f"http://127.0.0.1:{hanging.getsockname()[1]}"))
        compare(*judges)


def judge(url: str) -> str:
    return f"judge: {{model: judge-1, api_key: k, base_url: '{url}/v1', rubrics: [helpfulness]}}"


def compare(answers: str, hangs: str) -> None:
    pipelines = {
        "off": collector(""),
        "judge answers": collector(f"{{{answers}}}"),
        "judge hangs": collector(f"{{{hangs}}}"),
        "judge hangs, checks": collector(f"{{{hangs}, checks: {CHECKS}}}"),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in pipelines}
    for number in range(ROUNDS + 1):
        bodies = [batch(number * REQUESTS + place) for place in range(REQUESTS)]
        for name, pipeline in pipelines.items():
            cost = measure(pipeline, bodies)
            if number:  # the first warms up
                costs[name].append(cost)
            while (
                pipeline.evaluation._batches or pipeline.evaluation._answers
            ):  # what was taken is looked at before another is measured
                time.sleep(0.01)
    for name, found in costs.items():
        medians = [statistics.median(side) for side in zip(*found, strict=True)]
        base = [statistics.median(side) for side in zip(*costs["off"], strict=True)]
        parts = [
            f"{what} {median * 1e6 / SPANS / REQUESTS:6.1f} us a call ({median / of:4.2f})"
            for what, median, of in zip(("thread", "clock", "process"), medians, base, strict=True)
        ]
        print(f"{name:<22} {'  '.join(parts)}")
    for name, pipeline in pipelines.items():
        lines = b"".join(pipeline.render(Format.TEXT)).decode().splitlines()
        told = [line for line in lines if line.startswith(("llm_evaluations_", "llm_collector_cpu_seconds_total"))]
        print(name, *(line for line in told if not line.endswith(" 0.0")), sep="\n  ")


if __name__ == "__main__":
    main()
