"""What the page takes: a sample each minute, an answer and its bytes, and the memory of an hour.

An hour of 200 templates with 3 models each, in three dimensions of quality, and then 2,000 label sets:
`python tests/benchmarks/bench_page.py`
"""

import gc
import gzip
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from llmvitals import semconv
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.history import SLOT_SECONDS, History
from llmvitals_collector.page.question import WINDOWS, asked
from llmvitals_collector.page.reading import Reading, reading
from llmvitals_collector.page.vitals import vitals
from llmvitals_collector.processors import ProcessorsConfig, build
from llmvitals_collector.quality import rated
from llmvitals_collector.results import Results
from llmvitals_collector.telemetry import Telemetry

MINUTES = 60
CALLS_A_MINUTE = 6000
DIMENSIONS = ("helpfulness", "safety", "tone")


class Traffic:
    """Calls and verdicts of so many templates, with three models each."""

    def __init__(self, templates: int, models: int = 3) -> None:
        self.state = State(Limits(label_sets=5000), Metrics())
        self._telemetry = Telemetry(100, [])
        self._processors = build(ProcessorsConfig())
        self._chance = np.random.default_rng(7)
        self._names = [f"template-{number}" for number in range(templates)]
        self._models = [f"model-{number}" for number in range(models)]
        self.at = time.time()

    def minute(self) -> None:
        """Count what comes in a minute."""
        choice = self._chance.integers(len(self._names), size=CALLS_A_MINUTE)
        model = self._chance.integers(len(self._models), size=CALLS_A_MINUTE)
        first = self._chance.lognormal(-0.5, 0.5, CALLS_A_MINUTE)
        rest = self._chance.lognormal(0.5, 0.5, CALLS_A_MINUTE)
        rows = [
            {
                "service": "shop",
                "provider": "openai",
                "operation": "chat",
                "streamed": True,
                "model": self._models[model[n]],
                "template": self._names[choice[n]],
                "template_version": "1",
                "duration": first[n] + rest[n],
                "time_to_first_token": first[n],
                "cost": 0.002,
                "output_tokens_per_second": 100 / rest[n],
                "end_time": self.at,
                "ending": semconv.COMPLETE,
            }
            for n in range(CALLS_A_MINUTE)
        ]
        calls = Calls.from_rows(rows)
        for processor in self._processors.values():
            calls = processor.process(calls) or calls
        self.state.add(calls)
        verdicts = [
            {
                "service": "shop",
                "template": name,
                "template_version": "1",
                "dimension": dimension,
                "source": semconv.SOURCE_JUDGE,
                "verdict": semconv.PASS if self._chance.random() < 0.9 else "fail",
                "evaluator": "judge",
                "rubric": "r1",
                "set": semconv.LIVE,
                "weight": 1.0,
                "name": dimension,
            }
            for name in self._names
            for dimension in DIMENSIONS
        ]
        self.state.add(rated(Results.from_rows(verdicts)))
        self.at += SLOT_SECONDS

    def reading(self) -> Reading:
        self._telemetry.held(self.state)
        return reading(self.state.snapshot(), self._telemetry.collect(), self.at)


def milliseconds(work: Callable[[], object], times: int = 9) -> float:
    """The median of the CPU time: others use the machine, too."""
    took = []
    for _ in range(times):
        began = time.thread_time()
        work()
        took.append((time.thread_time() - began) * 1e3)
    return statistics.median(took)


def an_hour(traffic: Traffic) -> tuple[History, list[float], float]:
    """The history of an hour, what each sample took in ms, and the bytes of it all."""
    traffic.minute()
    history, samples = History(traffic.reading()), []
    gc.collect()
    tracemalloc.start(1)
    for _ in range(MINUTES):
        traffic.minute()
        now = traffic.reading()
        began = time.thread_time()
        history.sample(now)
        samples.append((time.thread_time() - began) * 1e3)
    del now
    gc.collect()
    found = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/page/*")])
    tracemalloc.stop()
    return history, samples, sum(each.size for each in found.statistics("filename"))


def lines() -> Iterator[str]:
    floors = Floors("")
    for templates, models in ((200, 3), (660, 3)):
        traffic = Traffic(templates, models)
        history, samples, size = an_hour(traffic)
        now = traffic.reading()
        label_sets = len(traffic.state.series[semconv.CALLS].label_sets)
        yield f"{templates} templates x {models} models, {label_sets} label sets of calls, an hour:"
        yield f"  the lock of the counts, for a copy   {milliseconds(traffic.state.snapshot):8.1f} ms"
        yield f"  reading                              {milliseconds(traffic.reading):8.1f} ms"
        yield f"  sample                               {statistics.median(samples):8.1f} ms"
        yield f"  memory                               {size / 1e6:8.1f} MB, {size / label_sets:.0f} bytes a label set"
        for window in WINDOWS:
            answer = partial(vitals, history, now, asked(f"window={window}".encode()), floors)
            body = answer()
            zipped = gzip.compress(body, 6)
            sizes = f"{len(body) / 1e3:.0f} kB, {len(zipped) / 1e3:.1f} kB by gzip"
            zipping = milliseconds(partial(gzip.compress, body, 6))
            yield f"  answer, {window:3} {milliseconds(answer, 5):34.1f} ms, gzip {zipping:.1f} ms, {sizes}"


if __name__ == "__main__":
    for line in lines():
        sys.stdout.write(f"{line}\n")
