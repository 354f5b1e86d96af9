"""Spans per CPU second through decoding, processors and counting, against the plain way to do the same.

The plain way: the official protobuf classes, a loop, and prometheus_client's `labels().observe()`. The
same batches, in turns, in one process; medians: `python tests/benchmarks/bench_collector.py`
"""

import random
import statistics
import time
from collections.abc import Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.decode import Encoding
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal

SPANS = 512
ROUNDS = 8
REQUESTS = 8  # of a round: so many are counted together


def batch(seed: int) -> bytes:
    """A request of 512 calls with 22 attributes each, of 6 models and 50 templates."""
    chance = random.Random(seed)
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(KeyValue(key=semconv.SERVICE_NAME, value=AnyValue(string_value="shop")))
    scope_spans = resource_spans.scope_spans.add()
    for _ in range(SPANS):
        start = 1_700_000_000_000_000_000 + chance.randrange(10**12)
        ids = {"trace_id": chance.randbytes(16), "span_id": chance.randbytes(8)}
        span = scope_spans.spans.add(name="chat", kind=3, start_time_unix_nano=start, **ids)
        span.end_time_unix_nano = start + int(chance.lognormvariate(0.5, 0.6) * 1e9)
        attributes: dict[str, str | int | float | bool] = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: "openai",
            semconv.REQUEST_MODEL: f"model-{chance.randrange(6)}",
            semconv.PROMPT_NAME: f"template-{chance.randrange(50)}",
            semconv.REQUEST_STREAM: True,
            semconv.TIME_TO_FIRST_TOKEN: chance.lognormvariate(-1, 0.5),
            semconv.RESPONSE_TIME_TO_FIRST_CHUNK: 0.1,
            semconv.OUTPUT_TOKENS_PER_SECOND: chance.uniform(20, 120),
            semconv.USAGE_INPUT_TOKENS: chance.randrange(1, 4000),
            semconv.USAGE_OUTPUT_TOKENS: chance.randrange(1, 800),
            **{f"app.attribute.{number}": f"value {number}" for number in range(12)},
        }
        for key, value in attributes.items():
            kind = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}[type(value)]
            span.attributes.append(KeyValue(key=key, value=AnyValue(**{kind: value})))
    return request.SerializeToString()


class Plain:
    """The same families by the client library, without the objectives."""

    LABELS = (semconv.PROVIDER_NAME, semconv.OPERATION_NAME, semconv.REQUEST_MODEL, semconv.PROMPT_NAME)

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = [label.replace(".", "_") for label in self.LABELS]
        self._calls = Counter("calls", "Calls.", names, registry=self.registry)
        self._histograms = {
            key: Histogram(f"h{place}", "H.", names, buckets=family.bounds, registry=self.registry)
            for place, (key, family) in enumerate(
                {
                    semconv.TIME_TO_FIRST_TOKEN: semconv.FIRST_TOKEN,
                    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: semconv.FIRST_CHUNK,
                    semconv.OUTPUT_TOKENS_PER_SECOND: semconv.OUTPUT_SPEED,
                    semconv.USAGE_INPUT_TOKENS: semconv.TOKEN_USAGE,
                    semconv.USAGE_OUTPUT_TOKENS: semconv.TOKEN_USAGE,
                    "duration": semconv.DURATION,
                }.items()
            )
        }

    def take(self, body: bytes) -> None:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    values = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}
                    values["duration"] = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
                    labels = [values[label] for label in self.LABELS]
                    self._calls.labels(*labels).inc()
                    for key, histogram in self._histograms.items():
                        histogram.labels(*labels).observe(values[key])


def cpu(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def compare(name: str, ours: Callable[[], object], plain: Callable[[], object], per_call: int = 0) -> None:
    """Print the median CPU time of each, in turns, and the ratio."""
    pairs = [(cpu(ours), cpu(plain)) for _ in range(ROUNDS)]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    speed = f"{per_call / a:9,.0f} against {per_call / b:9,.0f} spans per CPU second" if per_call else ""
    print(f"{name:<22} {a * 1e3:7.1f} ms against {b * 1e3:7.1f} ms: {b / a:5.1f} times as fast  {speed}")


def main() -> None:
    # What was counted before would not be counted again.
    bodies = [batch(seed) for seed in range(4 + ROUNDS * REQUESTS)]
    pipeline, plain = Pipeline(Config()), Plain()

    def take(body: bytes) -> None:
        pipeline.intake.take(semconv.RECEIVER_GRPC, Signal.TRACES, body, Encoding.PROTOBUF)

    for body in bodies[:4]:
        take(body)
        plain.take(body)
    turns, other_turns = iter(bodies[4:]), iter(bodies[4:])
    compare(
        f"{REQUESTS} x {SPANS} spans",
        lambda: [take(next(turns)) for _ in range(REQUESTS)],
        lambda: [plain.take(next(other_turns)) for _ in range(REQUESTS)],
        REQUESTS * SPANS,
    )
    compare("/metrics", lambda: list(pipeline.render(Format.TEXT)), lambda: generate_latest(plain.registry))


if __name__ == "__main__":
    main()
