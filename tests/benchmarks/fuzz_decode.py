"""Damages requests by the million and compares what the decoders make of them with what the official classes do.

    python tests/benchmarks/fuzz_decode.py --payloads 10000000 [--seed N]

Of 256 payloads 248 are protobuf, to be refused or read by the compiled walker as by the official classes; four are
that in damaged gzip, which has to end in bytes or in a refusal; four are damaged JSON, which has to end in records or
in a refusal. It stops at the first difference, and says which bytes make it.
"""

import argparse
import gzip
import json
import random
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "collector" / "decode"))
from google.protobuf.message import DecodeError
from otlp_corpus import Writer, damaged, document, found

from llmvitals_collector.decode import compiled, otlp_json, protobuf

OF_EACH = 248  # damaged ones of each request, in protobuf
OTHERS = 4  # of each, in gzip and in JSON
SLOW = 1.0  # seconds of CPU: all that is made of one request may take no longer

Difference = tuple[str, str]  # in which signal, and the payload in hexadecimal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payloads", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    arguments = parser.parse_args()
    rng, count = random.Random(arguments.seed), Counter[str]()
    began = said = time.monotonic()
    while count.total() < arguments.payloads:
        started = time.process_time()
        difference = round_of(rng, count)
        if difference or time.process_time() - started > SLOW:
            print(f"seed {arguments.seed}, after {dict(count)}:", *(difference or ("one of the last is slow",)))
            return 1
        if time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"{dict(count)}, {count.total() / (said - began):.0f} a second", flush=True)
    print(f"{dict(count)}, no difference; seed {arguments.seed}")
    return 0


def round_of(rng: random.Random, count: Counter[str]) -> Difference | None:
    """What there is to find in the damaged ones of one request."""
    writer, signal = Writer(rng.getrandbits(64)), rng.choice(["spans", "spans", "log_records"])
    write = writer.traces if signal == "spans" else writer.logs
    body, other = write(), write()
    read, official = getattr(compiled, signal), getattr(protobuf, signal)

    def differs(payload: bytes) -> bool:
        expected = found(official, payload)
        count["protobuf refused" if expected is None else "protobuf read"] += 1
        return found(read, payload) != expected

    for _ in range(OF_EACH):
        if differs(payload := damaged(rng, body, other)):
            return signal, payload.hex()
    for _ in range(OTHERS):
        inflated = inflate(damaged(rng, gzip.compress(body, 1), b""))
        count["gzip refused" if inflated is None else "gzip read"] += 1
        if inflated is not None and differs(inflated):
            return signal, inflated.hex()
    return damaged_json(rng, signal, body, count)


def inflate(payload: bytes) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=31).decompress(payload, 1 << 20)
    except zlib.error:
        return None


def damaged_json(rng: random.Random, signal: str, body: bytes, count: Counter[str]) -> Difference | None:
    message: Callable[[bytes], object] = (
        protobuf.ExportTraceServiceRequest if signal == "spans" else protobuf.ExportLogsServiceRequest
    ).FromString
    try:
        text = json.dumps(document(message(body)), ensure_ascii=False).encode()
    except DecodeError:
        return None
    for _ in range(OTHERS):
        payload = damaged(rng, text, text)
        refused = found(getattr(otlp_json, signal), payload) is None
        count["JSON refused" if refused else "JSON read"] += 1
        if not refused and not is_json(payload):
            return f"{signal}, read though it is no JSON", payload.hex()
    return None


def is_json(payload: bytes) -> bool:
    try:
        json.loads(payload.decode())
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
