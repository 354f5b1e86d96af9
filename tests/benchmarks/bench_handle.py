"""What remembering a call, making a feedback handle and opening one take: CPU time, in microseconds.

Sealed and signed, each in the best of some runs: `python tests/benchmarks/bench_handle.py`
"""

import os
import sys
import timeit
from collections.abc import Callable

from opentelemetry.trace import SpanContext, TraceFlags

import llmvitals
from llmvitals import _handle, _recent, semconv

CALLS = 5000
RUNS = 5
SPAN = SpanContext(0xABC << 100, 0xDEF << 40, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
IDENTITY = {
    semconv.OPERATION_NAME: "chat",
    semconv.PROVIDER_NAME: "anthropic",
    semconv.REQUEST_MODEL: "claude-sonnet-4-5-20250929",
    semconv.PROMPT_NAME: "support-answer",
    semconv.PROMPT_VERSION: "3",
    semconv.SERVICE_NAME: "shop",
    semconv.SERVICE_VERSION: "2026.11.1",
}


def measure(name: str, call: Callable[[], object]) -> None:
    best = min(timeit.repeat(call, number=CALLS, repeat=RUNS)) / CALLS
    print(f"{name:<34} {best * 1e6:9.2f} µs")


def main() -> None:
    os.environ[semconv.HANDLE_KEY] = "a-key-of-the-benchmark-that-is-long-enough"
    response_ids = iter([f"chatcmpl-{number}" for number in range(RUNS * CALLS)])
    measure("remember a call", lambda: _recent.remember(next(response_ids), SPAN, IDENTITY))
    response_id = next(reversed(_recent._calls))
    for form in ("sealed", "signed"):
        if form == "signed":
            sys.modules["cryptography.hazmat.primitives.ciphers.aead"] = None  # as where it is not installed
            _handle._keys.cache_clear()
        handle = llmvitals.handle(response_id)
        measure(f"handle, {form}, {len(handle)} characters", lambda: llmvitals.handle(response_id))
        measure(f"open one, {form}", lambda handle=handle: _handle.read(handle, 3600))


if __name__ == "__main__":
    main()
