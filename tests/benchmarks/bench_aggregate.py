"""CPU time of counting: a batch of calls into all families, and how much memory the label sets take.

Medians, in one process: `python tests/benchmarks/bench_aggregate.py [label sets]`
"""

import resource
import statistics
import sys
import time

import numpy as np

from llmvitals import semconv
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import FORMS, Kind
from llmvitals_collector.config import Limits, Metrics

ROUNDS = 40


def batch(rows: int, label_sets: int, seed: int) -> Calls:
    """Streamed calls that tell everything; 6 models, and as many templates as make so many label sets."""
    chance = np.random.default_rng(seed)
    templates = -(-label_sets // 60)
    strings = ["", "openai", semconv.CHAT, *(f"service-{n}" for n in range(10)), *(f"model-{n}" for n in range(6))]
    strings += [f"template-{n}" for n in range(templates)]
    arrays = {
        "service": chance.integers(3, 13, rows, np.int32),
        "provider": np.full(rows, 1, np.int32),
        "operation": np.full(rows, 2, np.int32),
        "model": chance.integers(13, 19, rows, np.int32),
        "template": chance.integers(19, 19 + templates, rows, np.int32),
        "streamed": np.ones(rows, np.bool_),
        "sampled": chance.random(rows) < 0.1,
        "trace_id_high": chance.integers(1, 1 << 63, rows, np.uint64),
        "trace_id_low": chance.integers(1, 1 << 63, rows, np.uint64),
        "span_id": chance.integers(1, 1 << 63, rows, np.uint64),
        "end_time": np.full(rows, time.time()),
        "duration": chance.lognormal(0.5, 0.6, rows),
        "time_to_first_chunk": chance.lognormal(-1, 0.5, rows),
        "time_to_first_token": chance.lognormal(-0.9, 0.5, rows),
        "output_tokens_per_second": chance.lognormal(4, 0.4, rows),
        "gaps": chance.poisson(0.5, (rows, len(semconv.GAP_BOUNDS) + 1)).astype(float),
        "gaps_time": chance.lognormal(0.4, 0.6, rows),
        "input_tokens": np.rint(chance.lognormal(7, 1, rows)),
        "output_tokens": np.rint(chance.lognormal(5, 1, rows)),
        "cost": chance.random(rows),
        "attempts": np.ones(rows),
        "queue_time": chance.lognormal(-6, 1, rows),
    }
    calls = Calls(strings, arrays)
    for column in Calls.derived:
        members = max(len(column.members), 1)
        codes = chance.integers(0, members, rows) if column.name.endswith("band") else np.zeros(rows)
        calls.add(column.name, codes.astype(FORMS[column.kind][0]) + (column.kind is Kind.AMOUNT))
    return calls


def cpu(state: State, calls: Calls) -> float:
    began = time.process_time()
    state.add(calls)
    return time.process_time() - began


def memory() -> float:
    """Resident now, in MB."""
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * resource.getpagesize() / 1e6


def main() -> None:
    label_sets = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for rows in (512, 4096):
        state = State(Limits(label_sets=label_sets, label_values=5000), Metrics())
        batches = [batch(rows, label_sets, seed) for seed in range(8)]
        for calls in batches:
            state.add(calls)
        took = statistics.median(cpu(state, batches[turn % 8]) for turn in range(ROUNDS))
        print(f"{rows:5} calls, {label_sets} label sets: {took * 1e3:6.2f} ms, {took / rows * 512e3:6.3f} ms per 512")
    before = memory()
    state = State(Limits(label_sets=10_000, label_values=5000), Metrics())
    for seed in range(40):
        state.add(batch(4096, 10_000, seed))
    held = max(map(len, state.label_sets.values()))
    print(f"{held} label sets: {memory() - before:.0f} MB; while a snapshot is held ", end="")
    snapshot = state.snapshot()
    print(f"{memory() - before:.0f} MB, of {len(snapshot.series)} families")


if __name__ == "__main__":
    main()
