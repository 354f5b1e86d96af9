"""CPU time of a scrape in each format, of its longest piece, and of the copy that it is made of.

Medians, in one process: `python tests/benchmarks/bench_expose.py [label sets]`
"""

import statistics
import sys
import time

import numpy as np

from llmvitals import semconv
from llmvitals_collector import expose
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.expose import Format

ROUNDS = 5


def filled(label_sets: int, metrics: Metrics | None = None) -> State:
    """So many templates, with durations, first tokens and tokens, a tenth of them with exemplars."""
    state = State(Limits(label_sets=label_sets, label_values=5000), metrics or Metrics())
    state.add(answered(label_sets, 40))
    return state


def answered(label_sets: int, each: int, seed: int = 0) -> Calls:
    """Calls of so many templates, so many of each."""
    chance = np.random.default_rng(seed)
    rows = each * label_sets
    arrays = {name: np.ones(rows, np.int32) for name in ("service", "provider", "operation", "model")} | {
        "template": np.tile(np.arange(2, label_sets + 2, dtype=np.int32), each),
        "streamed": np.ones(rows, np.bool_),
        "sampled": np.tile(np.arange(label_sets) % 10 == 0, each),
        "trace_id_low": chance.integers(1, 1 << 63, rows, np.uint64),
        "span_id": chance.integers(1, 1 << 63, rows, np.uint64),
        "duration": chance.lognormal(0.5, 0.6, rows),
        "time_to_first_token": chance.lognormal(-1, 0.5, rows),
        "input_tokens": np.rint(chance.lognormal(7, 1, rows)),
        "output_tokens": np.rint(chance.lognormal(5, 1, rows)),
    }
    calls = Calls(["", semconv.CHAT, *(f"checkout/template-{number}" for number in range(label_sets))], arrays)
    calls.add("outcome", np.zeros(rows))
    calls.add("outcome_by_class", np.zeros(rows))
    return calls


def main() -> None:
    state = filled(int(sys.argv[1]) if len(sys.argv) > 1 else 650)
    copied = []
    for format_ in Format:
        whole, longest = [], []
        for _ in range(ROUNDS):
            began = last = time.process_time()
            snapshot = state.snapshot()
            copied.append(time.process_time() - began)
            turns, body = [], 0
            for piece in expose.render(snapshot, format_):
                now = time.process_time()
                turns.append(now - last)
                last, body = now, body + len(piece)
            whole.append(last - began)
            longest.append(max(turns))
        cost, turn = statistics.median(whole) * 1e3, statistics.median(longest) * 1e3
        print(f"{format_.name:12} {cost:6.1f} ms, longest piece {turn:4.1f} ms, {body / 1e6:5.1f} MB")
    text = b"".join(expose.render(state.snapshot(), Format.TEXT))
    histograms = sum(int(each.shown.sum()) for each in state.snapshot().series if each.family.kind == "histogram")
    print(
        f"{text.count(b'{'):,} series in text, {histograms:,} histograms; copy {statistics.median(copied) * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
