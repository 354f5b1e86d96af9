"""Microseconds per 512 calls of each processor, and of finding what counts, at the sizes in which batches are joined.

CPU time of this thread, the median of many rounds: `python tests/benchmarks/bench_processors.py`
"""

import random
import statistics
import time
from collections.abc import Callable

from llmvitals import semconv
from llmvitals_collector import processors
from llmvitals_collector.calls import Calls
from llmvitals_collector.once import once
from llmvitals_collector.processors.price import Price, PriceConfig
from llmvitals_collector.storage.seen import Seen

REQUEST = 512
REQUESTS = (1, 8)  # that wait when they are processed
ROUNDS = 50


def request(chance: random.Random) -> Calls:
    """Calls of 5 services, 6 models and 75 templates, each the child of a span of its own, most of them streamed."""

    def call() -> dict[str, object]:
        model = f"gpt-5-{chance.randrange(6)}"
        duration = chance.lognormvariate(0.5, 0.6)
        return {
            "service": f"service-{chance.randrange(5)}",
            "release": "1.4.2",
            "provider": "OpenAI",
            "operation": semconv.CHAT,
            "model": model,
            "response_model": f"{model}-2025-08-07",
            "template": f"template-{chance.randrange(75)}",
            "template_version": "3",
            "dialect": "genai",
            "server_address": "api.openai.com",
            "trace_state": "ot=th:8",
            "error_type": "openai.RateLimitError" if (failed := chance.random() < 0.05) else "",
            "failed": failed,
            "client": True,
            "streamed": chance.random() < 0.7,
            "trace_id_high": chance.getrandbits(64),
            "trace_id_low": chance.getrandbits(64),
            "span_id": chance.getrandbits(64),
            "parent_id": chance.getrandbits(64),
            "response_id": (1 << 32) + chance.getrandbits(32),
            "end_time": 1_700_000_000 + chance.random(),
            "duration": duration,
            "time_to_first_chunk": duration / 4,
            "time_to_first_token": duration / 3,
            "output_tokens_per_second": chance.uniform(20, 120),
            "input_tokens": chance.randrange(1000, 9000),
            "output_tokens": chance.randrange(1, 800),
            "cache_read_tokens": chance.randrange(1000),
            "reasoning_tokens": 0,
        }

    return Calls.from_rows([call() for _ in range(REQUEST)])


def main() -> None:
    """Print a line for each step, and their sum."""
    prices = PriceConfig(models={"gpt-5*": Price(input=1.25, output=10, cache_read=0.125)})
    chain = processors.build(processors.ProcessorsConfig(price=prices))
    chance, seen = random.Random(1), Seen()
    costs: dict[str, list[list[float]]] = {}
    for place, requests in enumerate(REQUESTS):
        batches = [request(chance) for _ in range(requests)]
        for _ in range(ROUNDS):
            calls = Calls.joined(batches)
            # Other spans than in the round before.
            calls.arrays["trace_id_low"] = calls["trace_id_low"] + chance.getrandbits(32)
            steps: dict[str, Callable[[], object]] = {"once": lambda calls=calls: once(calls, seen)}
            steps |= {
                name: lambda processor=processor, calls=calls: processor.process(calls)
                for name, processor in chain.items()
            }
            for name, step in steps.items():
                started = time.thread_time_ns()
                step()
                spent = (time.thread_time_ns() - started) / 1000 / requests
                costs.setdefault(name, [[] for _ in REQUESTS])[place].append(spent)
    medians = {name: [statistics.median(rounds) for rounds in each] for name, each in costs.items()}
    medians["processors"] = [sum(medians[name][place] for name in chain) for place in range(len(REQUESTS))]
    print("us per 512 calls" + "".join(f"{f'of {requests * REQUEST}':>10}" for requests in REQUESTS))
    for name, each in medians.items():
        print(f"{name:16}" + "".join(f"{spent:10.0f}" for spent in each))


if __name__ == "__main__":
    main()
