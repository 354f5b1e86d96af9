"""The load of bench_peers.py: requests of new calls, sent over several connections by one process."""

import gzip
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from llmvitals import semconv

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PATH = "/v1/traces"
GRPC, HTTP = "gRPC", "HTTP"
MODELS, TEMPLATES = 6, 50
# So many requests are encoded; all others are these with other ids.
_ENCODED = 8
# What a server puts off is on its bill, too: Rotel's batches wait for 200 ms.
_SETTLED_SECONDS = 0.4
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_WORDS = ("the", "customer", "asked", "about", "an", "invoice", "that", "was", "sent", "twice", "in", "October")


class Load(NamedTuple):
    """What is sent: so many requests of so many calls, each with `content` bytes of messages.

    rate: requests in a second, whether the earlier ones are answered or not; 0 sends as fast as answers come.
    """

    transport: str
    spans: int
    requests: int
    content: int = 0
    compressed: bool = False
    connections: int = 4
    rate: float = 0.0

    def __str__(self) -> str:
        words = [self.transport, f"{self.spans} spans", "4 KB" if self.content else "", "gzip" * self.compressed]
        return ", ".join(filter(None, words))


class Sent(NamedTuple):
    """What it cost: CPU seconds of the server, and the seconds until each answer, in order of size."""

    cpu: float
    latencies: list[float]


def send(load: Load, seed: int, ports: dict[str, int], pid: int) -> Sent:
    """Send a load to a server on this host; nothing is made while its clock runs.

    Raises:
        RuntimeError: the server refused something.
    """
    sent = list(islice(bodies(load, seed), load.requests))
    latencies: list[float] = []
    faults: list[Exception] = []
    places = iter(range(load.requests))
    lock = threading.Lock()

    def work(connection: Callable[[bytes], None]) -> None:
        while True:
            with lock:
                place = next(places, None)
            if place is None:
                return
            began = time.perf_counter()
            if load.rate:
                # From the moment for which it was planned, so that a server that stalls cannot hide it.
                due = started + place / load.rate
                time.sleep(max(due - began, 0.0))
                began = due
            try:
                connection(sent[place])
            except Exception as error:
                faults.append(error)
                return
            latencies.append(time.perf_counter() - began)

    connections = [_CONNECTIONS[load.transport](load, ports[load.transport]) for _ in range(load.connections)]
    threads = [threading.Thread(target=work, args=(each,)) for each in connections]
    before, started = cpu_seconds(pid), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(_SETTLED_SECONDS)
    if faults:
        raise RuntimeError(f"{load}: {faults[0]}")
    return Sent(cpu_seconds(pid) - before, sorted(latencies))


def cpu_seconds(pid: int) -> float:
    """What a process and its descendants have cost, in seconds; to the nanosecond, while /proc tells hundredths."""
    # The form of a process's clock: https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    return sum(time.clock_gettime(~each << 3 | 2) for each in tree(pid))


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def pin(processor: int) -> None:
    """Have this process, and its children, run on one processor."""
    os.sched_setaffinity(0, {processor})


def _over_grpc(load: Load, port: int) -> Callable[[bytes], None]:
    # Without a pool of its own all channels would share one connection.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
    grpc.channel_ready_future(channel).result(timeout=10)
    call = channel.unary_unary(METHOD)
    compression = grpc.Compression.Gzip if load.compressed else None

    def export(body: bytes) -> None:
        call(body, timeout=60, compression=compression)

    return export


def _over_http(load: Load, port: int) -> Callable[[bytes], None]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": "application/x-protobuf"}
    if load.compressed:
        headers["content-encoding"] = "gzip"

    def export(body: bytes) -> None:
        connection.request("POST", PATH, body, headers)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise OSError(f"the answer is {response.status}")

    return export


_CONNECTIONS = {GRPC: _over_grpc, HTTP: _over_http}


def bodies(load: Load, seed: int) -> Iterator[bytes]:
    """Requests in which no id ever comes again."""
    chance = np.random.default_rng(seed)
    for body, ids, answers in cycle([_encoded(load.spans, load.content, place) for place in range(_ENCODED)]):
        fresh = body.copy()
        fresh[ids] = chance.integers(1, 256, ids.shape, np.uint8)
        fresh[answers] = _DIGITS[chance.integers(16, size=answers.shape)]
        # gRPC's own library compresses.
        yield gzip.compress(fresh, 6) if load.compressed and load.transport == HTTP else fresh.tobytes()


@cache
def _encoded(spans: int, content: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A request as bytes, and the places in it of ids and of the digits of response ids."""
    chance = random.Random(seed)
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    put(resource_spans.resource.attributes, semconv.SERVICE_NAME, "shop")
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "bench"
    ids, answers = [], []
    for _ in range(spans):
        trace, span_id, answer = chance.randbytes(16), chance.randbytes(8), chance.randbytes(12).hex()
        ids += [trace, span_id]
        answers.append(answer.encode())
        end, took = time.time_ns() - chance.randrange(10**9), int(chance.lognormvariate(0.5, 0.6) * 1e9)
        span = scope_spans.spans.add(name="chat", kind=3, start_time_unix_nano=end - took, end_time_unix_nano=end)
        span.trace_id, span.span_id = trace, span_id
        for key, value in _attributes(chance, answer, took, content).items():
            put(span.attributes, key, value)
        if chance.random() < 0.02:
            span.status.code = Status.STATUS_CODE_ERROR
            put(span.attributes, semconv.ERROR_TYPE, "timeout")
    raw = request.SerializeToString()
    return np.frombuffer(raw, np.uint8), _places(raw, ids), _places(raw, answers)


def _attributes(chance: random.Random, answer: str, took: int, content: int) -> dict[str, str | int | float | bool]:
    attributes: dict[str, str | int | float | bool] = {
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: f"model-{chance.randrange(MODELS)}",
        semconv.PROMPT_NAME: f"template-{chance.randrange(TEMPLATES)}",
        semconv.RESPONSE_ID: f"chatcmpl-{answer}",
        semconv.RESPONSE_FINISH_REASONS: "stop",
        semconv.REQUEST_STREAM: True,
        semconv.TIME_TO_FIRST_TOKEN: took / 1e9 * chance.uniform(0.1, 0.9),
        semconv.USAGE_INPUT_TOKENS: chance.randrange(1, 4000),
        semconv.USAGE_OUTPUT_TOKENS: chance.randrange(1, 800),
        **{f"app.label.{each}": chance.choice(["free", "pro", "enterprise"]) for each in range(6)},
        **{f"app.number.{each}": chance.random() for each in range(6)},
    }
    if content:
        attributes[semconv.INPUT_MESSAGES] = " ".join(chance.choices(_WORDS, k=content // 5))[:content]
    return attributes


def put(attributes: "list[KeyValue]", key: str, value: str | int | float | bool) -> None:
    """Add an attribute, in the type that the protocol has for it."""
    kind = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}[type(value)]
    attributes.append(KeyValue(key=key, value=AnyValue(**{kind: value})))


def _places(raw: bytes, texts: list[bytes]) -> np.ndarray:
    """Where each byte of these texts stands, which are in this order in a request."""
    places, after = [], 0
    for text in texts:
        at = raw.index(text, after)
        after = at + len(text)
        places += range(at, after)
    return np.array(places)
