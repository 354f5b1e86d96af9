"""What feedback takes: from the client's request to the answer, and of that the collector's part; microseconds.

Against the same event sent as OTLP, over the same kind of connection and in turns, best of some runs:
`python tests/benchmarks/bench_feedback.py`
"""

import asyncio
import http.client
import itertools
import json
import os
import time
from collections.abc import Iterator
from functools import partial

from llmvitals import _handle, semconv
from llmvitals_collector.config import Config, FeedbackReceiver, GrpcReceiver, HttpReceiver, Metrics, Receivers
from llmvitals_collector.decode import Encoding
from llmvitals_collector.feedback.endpoint import FeedbackEndpoint
from llmvitals_collector.feedback.event import request_of
from llmvitals_collector.feedback.given import Feedback
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Intake, Signal
from llmvitals_collector.telemetry import Telemetry

REQUESTS = 1000
RUNS = 5
FREE = "127.0.0.1:0"
IDENTITY = {
    semconv.OPERATION_NAME: "chat",
    semconv.PROVIDER_NAME: "anthropic",
    semconv.REQUEST_MODEL: "claude-sonnet-4-5-20250929",
    semconv.PROMPT_NAME: "support-answer",
    semconv.PROMPT_VERSION: "3",
    semconv.SERVICE_NAME: "shop",
    semconv.SERVICE_VERSION: "2026.11.1",
}
FAST = FeedbackReceiver(client_requests_per_minute=1_000_000)


def handles() -> Iterator[str]:
    for span in itertools.count(1):
        yield _handle.issue(0xABC << 100, span, sampled=True, identity=IDENTITY)


def given(handle: str) -> bytes:
    return json.dumps({"handle": handle, "kind": "thumb_up"}).encode()


def otlp(handle: str) -> bytes:
    return request_of(_handle.read(handle, 60), Feedback(handle=handle, kind="thumb_up"))


def over_http(port: int, path: str, content_type: str, bodies: list[bytes]) -> float:
    """Seconds for a request, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    for body in bodies:
        connection.request("POST", path, body, {"content-type": content_type})
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 202), answer.status
    took = time.perf_counter() - began
    connection.close()
    return took / len(bodies)


def endpoint_alone(endpoint: FeedbackEndpoint, bodies: list[bytes]) -> float:
    """CPU seconds for a request, threads included, without a server."""
    app = endpoint.routes["/v1/feedback"]
    scope = {"type": "http", "method": "POST", "headers": [], "client": ("127.0.0.1", 1)}

    async def send(message: dict) -> None:
        assert message.get("status", 202) == 202, message

    async def all_of_them() -> None:
        for body in bodies:
            await app(scope, lambda body=body: asyncio.sleep(0, {"type": "http.request", "body": body}), send)

    began = time.process_time()
    asyncio.run(all_of_them())
    return (time.process_time() - began) / len(bodies)


def intake_alone(intake: Intake, bodies: list[bytes]) -> float:
    """CPU seconds of what the endpoint gives the event to, which decodes, keeps and counts it."""
    began = time.process_time()
    for body in bodies:
        intake.take(semconv.RECEIVER_HTTP, Signal.LOGS, body, Encoding.PROTOBUF)
    return (time.process_time() - began) / len(bodies)


def main() -> None:
    os.environ[semconv.HANDLE_KEY] = "a-key-of-the-benchmark-that-is-long-enough"
    receivers = Receivers(grpc=GrpcReceiver(address=FREE), http=HttpReceiver(address=FREE), feedback=FAST)
    pipeline = Pipeline(Config(receivers=receivers, metrics=Metrics(address=FREE)))
    pipeline.start()
    alone = FeedbackEndpoint(FAST, pipeline.intake, Telemetry(100, []))
    port = pipeline.http.port
    measures = {
        "POST /v1/feedback, end to end": (given, partial(over_http, port, "/v1/feedback", "text/plain")),
        "POST /v1/logs of the same event": (otlp, partial(over_http, port, "/v1/logs", "application/x-protobuf")),
        "the endpoint and the intake, CPU": (given, partial(endpoint_alone, alone)),
        "the intake alone, CPU": (otlp, partial(intake_alone, pipeline.intake)),
    }
    made, took = handles(), {name: [] for name in measures}
    for _ in range(RUNS):
        for name, (body_of, measure) in measures.items():
            took[name].append(measure([body_of(each) for each in itertools.islice(made, REQUESTS)]))
    pipeline.stop()
    for name, each in took.items():
        print(f"{name:<34} {min(each) * 1e6:9.1f} µs")


if __name__ == "__main__":
    main()
