"""What a million calls cost, what label sets take, and what Kafka adds: the numbers of CAPACITY.md, on this machine.

A collector on one processor, with a journal as in production; medians of rounds. CPU seconds are the kernel's own
account of the process, so they hold on a busy machine, too.

    python tests/benchmarks/bench_capacity.py [--rounds 3] [--only calls] [--kafka 127.0.0.1:9092]
"""

import argparse
import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import count, islice, product
from pathlib import Path
from statistics import median
from typing import Any

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from peers_load import GRPC, HTTP, Load, bodies, cpu_seconds, pin, put, send
from peers_servers import METRICS, Peer, Server

from llmvitals import semconv
from llmvitals_collector import rates

_CLIENT, _SERVER = 0, 1  # processors
_MILLION = 1e6
_LOADS = [
    Load(transport, spans, requests, content, compressed)
    for (spans, requests, content), transport, compressed in product(
        ((512, 40, 0), (512, 16, 4096), (32, 320, 0), (1, 2000, 0)), (GRPC, HTTP), (False, True)
    )
]
_LABEL_SETS = (0, 100, 2_000, 10_000)
_NATIVE_LABEL_SETS = (*_LABEL_SETS, 100_000)  # of which classic buckets would be some gigabytes of text
_FORMATS = {
    "text": "text/plain",
    "native": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}
# Spans in a message, messages, partitions, replicas.
_OUT_OF_KAFKA = (
    (512, 800, 1, 1),
    (32, 12_000, 1, 1),
    (1, 100_000, 1, 1),
    (32, 12_000, 12, 1),
    (32, 12_000, 12, 2),
    (32, 12_000, 48, 1),
    (32, 12_000, 48, 2),
)
_seeds = count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("calls", "label_sets", "kafka"))
    parser.add_argument("--kafka", metavar="BROKER", help="of a cluster where topics may be made")
    arguments = parser.parse_args()
    pin(_CLIENT)
    if arguments.only in (None, "calls"):
        calls(arguments.rounds)
    if arguments.only in (None, "label_sets"):
        label_sets(classic=True)
        label_sets(classic=False)
    if arguments.kafka and arguments.only in (None, "kafka"):
        kafka(arguments.kafka)


def collector(**sections: Mapping[str, Any]) -> Peer:
    """`llmvitals collect` with a storage, and with what is configured besides."""

    def command(ports: Mapping[str, int], folder: Path) -> Sequence[str]:
        addresses = {name: {"address": f"127.0.0.1:{port}"} for name, port in ports.items()}
        config = {
            "storage": {"directory": str(folder / "storage")},
            **sections,
            "receivers": {"grpc": addresses[GRPC], "http": addresses[HTTP], **sections.get("receivers", {})},
            "metrics": {**addresses[METRICS], **sections.get("metrics", {})},
        }
        (folder / "collector.yml").write_text(yaml.safe_dump(config))
        return [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(folder / "collector.yml")]

    return Peer("llmvitals", command, {})


def calls(rounds: int) -> None:
    """CPU, bytes on the wire, and bytes and waits of the journal, by how calls come."""
    print(f"{'':32}{'CPU s':>12}{'wire, MB':>12}{'journal, MB':>14}{'waits, ms':>12}   for a million calls")
    with Server(collector(), _SERVER) as server:
        send(Load(HTTP, 512, 40), next(_seeds), server.ports, server.pid)
        for load in _LOADS:
            number = load.spans * load.requests
            before = _journal(server)
            costs = [send(load, next(_seeds), server.ports, server.pid).cpu for _ in range(rounds)]
            after = _journal(server)
            written, waited, requests = (b - a for a, b in zip(before, after, strict=True))
            zipped = load._replace(transport=HTTP)  # gRPC's own library compresses
            wire = sum(map(len, islice(bodies(zipped, 0), 8))) / 8 / load.spans
            print(
                f"{load!s:32}{median(costs) / number * _MILLION:12.1f}{wire:12.0f}"
                f"{f'{written / number / rounds:.0f}' if written > 0 else '':>14}{waited / requests * 1e3:12.1f}",
                flush=True,
            )


def _journal(server: Server) -> list[float]:
    """Bytes of the journal, and seconds and number of the waits for the disk."""
    found = rates.samples(server.scrape())
    sync = semconv.COLLECTOR_JOURNAL_SYNC.name
    names = (semconv.COLLECTOR_JOURNAL_BYTES.name, f"{sync}_sum", f"{sync}_count")
    return [sum(sample.value for sample in found.get(name, ())) for name in names]


def label_sets(*, classic: bool) -> None:
    """Memory, and what a scrape costs, by label sets: calls of as many pairs of a template and a model."""
    form, told = ("text", "with classic buckets, as text") if classic else ("native", "native histograms, as protobuf")
    print(f"\n{told:32}{'RSS, MB':>12}{'series':>12}{'body, MB':>12}{'gzip, MB':>12}{'CPU, ms':>12}{'gzip, ms':>12}")
    for wanted in _LABEL_SETS if classic else _NATIVE_LABEL_SETS:
        limits = {"label_sets": max(wanted, 1), "label_values": 5000}
        with Server(collector(limits=limits, metrics={"classic_histograms": classic}), _SERVER) as server:
            for body in _of_pairs(wanted):
                address = f"http://127.0.0.1:{server.ports[HTTP]}/v1/traces"
                headers = {"content-type": "application/x-protobuf"}
                urllib.request.urlopen(urllib.request.Request(address, body, headers)).close()
            (plain, cost), (zipped, cost_zipped) = (_scraped(server, form, packed) for packed in ("identity", "gzip"))
            lines = _scraped(server, "text", "identity")[0].splitlines() if wanted <= 10_000 else []
            # A native histogram is one series; in the text there are its sum, its count and a bucket.
            beside = () if classic else (b"_sum", b"_bucket")
            series = sum(line[:1] != b"#" and not line.partition(b"{")[0].endswith(beside) for line in lines)
            print(
                f"{wanted:<32,}{_resident(server) / 1e6:12.0f}{f'{series:,}' if series else '':>12}"
                f"{len(plain) / 1e6:12.1f}{len(zipped) / 1e6:12.1f}{cost * 1e3:12.0f}{cost_zipped * 1e3:12.0f}",
                flush=True,
            )


def _of_pairs(number: int) -> Iterator[bytes]:
    """Requests with two calls of each pair of a template and one of up to 200 models."""
    models = min(200, max(1, number // 10))
    for start in range(0, 2 * number, 500):
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        put(resource_spans.resource.attributes, semconv.SERVICE_NAME, "shop")
        scope_spans = resource_spans.scope_spans.add()
        for place in range(start, min(start + 500, 2 * number)):
            end = time.time_ns()
            span = scope_spans.spans.add(name="chat", kind=3, start_time_unix_nano=end - 10**9, end_time_unix_nano=end)
            span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
            attributes: dict[str, str | int | float | bool] = {
                semconv.OPERATION_NAME: semconv.CHAT,
                semconv.PROVIDER_NAME: "openai",
                semconv.REQUEST_MODEL: f"model-{place % models}",
                semconv.PROMPT_NAME: f"template-{place % number // models}",
                semconv.REQUEST_STREAM: True,
                semconv.TIME_TO_FIRST_TOKEN: 0.3,
                semconv.USAGE_INPUT_TOKENS: 500,
                semconv.USAGE_OUTPUT_TOKENS: 100,
            }
            for key, value in attributes.items():
                put(span.attributes, key, value)
        yield request.SerializeToString()


def _scraped(server: Server, form: str, packed: str) -> tuple[bytes, float]:
    """The body of a scrape, and its CPU seconds."""
    headers = {"accept": _FORMATS[form], "accept-encoding": packed}
    before = cpu_seconds(server.pid)
    address = f"http://127.0.0.1:{server.ports[METRICS]}/metrics"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        body: bytes = answer.read()
    return body, cpu_seconds(server.pid) - before


def _resident(server: Server) -> int:
    """Bytes of the process that are in RAM."""
    status = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS:"))


def kafka(broker: str) -> None:
    """CPU of calls that come out of Kafka, by how many are in a message, and how many partitions and replicas."""
    started = median(_of_a_start() for _ in range(3))
    print(f"\n{'out of Kafka':24}{'partitions':>12}{'replicas':>12}{'CPU s':>12}   for a million calls")
    for spans, messages, partitions, replicas in _OUT_OF_KAFKA:
        topic, wanted = _written(broker, spans, messages, partitions)
        section = {"brokers": [broker], "traces_topics": [topic], "logs_topics": [], "group": topic}
        with ExitStack() as stack:
            reading = collector(receivers={"kafka": section})
            servers = [stack.enter_context(Server(reading, _SERVER)) for _ in range(replicas)]
            _wait_until_committed(broker, topic, wanted)
            cost = sum(cpu_seconds(server.pid) for server in servers) - replicas * started
        told = f"{f'{spans} spans in a message':24}{partitions:12}{replicas:12}"
        print(f"{told}{cost / spans / messages * _MILLION:12.1f}", flush=True)


def _of_a_start() -> float:
    """CPU seconds until a collector is ready."""
    with Server(collector(), _SERVER) as idle:
        return cpu_seconds(idle.pid)


def _written(broker: str, spans: int, messages: int, partitions: int) -> tuple[str, list[int]]:
    """A topic with so many messages, compressed, and how many each partition has."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    topic = f"bench-capacity-{time.time_ns()}"
    admin = AdminClient({"bootstrap.servers": broker})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result()
    producer = Producer({"bootstrap.servers": broker, "compression.type": "lz4"})
    for place, body in enumerate(islice(bodies(Load(HTTP, spans, messages), next(_seeds)), messages)):
        producer.produce(topic, body, partition=place % partitions)
        producer.poll(0)
    producer.flush()
    return topic, [len(range(partition, messages, partitions)) for partition in range(partitions)]


def _wait_until_committed(broker: str, topic: str, wanted: Sequence[int]) -> None:
    """Returns once the group of a topic's name has committed so many messages of each partition."""
    from confluent_kafka import Consumer, TopicPartition

    # Not by scrapes, for which the collector would have to work.
    group = Consumer({"bootstrap.servers": broker, "group.id": topic})
    partitions = [TopicPartition(topic, partition) for partition in range(len(wanted))]
    while [each.offset for each in group.committed(partitions)] != wanted:
        time.sleep(0.2)
    group.close()


if __name__ == "__main__":
    main()
