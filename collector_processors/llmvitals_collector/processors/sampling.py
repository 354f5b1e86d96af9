"""Says how many calls each call stands for, where its trace was sampled.

Column: `weight` is the adjusted count, 2^56 / (2^56 - T), of the threshold T that a sampler wrote into the span's trace
state (`ot=th:c` is 4). It is 1 where none did, which may mean that nothing was sampled as well as that the sampler does
not say so, as OpenTelemetry's older ones do not. `weighted` says which calls are `told` and which `unknown`.
https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/

Weights are no whole numbers, and so are the counts that they add up to.

Attributes:
    adjusted_counts: whether calls count by their weight; else each counts once, as received.
"""

import re

import msgspec
import numpy as np

from llmvitals import semconv
from llmvitals_collector.calls import Calls

_THRESHOLD = re.compile(r"(?:^|,)[ \t]*ot=(?:[^,]*;)?th:(?P<digits>[0-9a-f]{1,14})[ \t]*(?:[,;]|$)")
_TOLD = semconv.WEIGHTED.index(semconv.TOLD)
_UNKNOWN = semconv.WEIGHTED.index(semconv.UNKNOWN)


class SamplingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    adjusted_counts: bool = True


class Sampling:
    def __init__(self, config: SamplingConfig) -> None:
        self._adjusted = config.adjusted_counts

    def process(self, calls: Calls) -> Calls:
        weights = np.zeros(len(calls))
        if "trace_state" in calls:
            weights = calls.of_texts("trace_state", _adjusted_count, np.float64)
        told = weights > 0
        calls.add("weighted", np.where(told, _TOLD, _UNKNOWN))
        calls.add("weight", np.where(told & self._adjusted, weights, 1.0))
        return calls


def _adjusted_count(trace_state: str) -> float:
    """How many spans a span with this trace state stands for; 0 where it does not say."""
    found = _THRESHOLD.search(trace_state)
    if not found:
        return 0.0
    threshold = int(found["digits"].ljust(14, "0"), 16)
    return float(2**56 / (2**56 - threshold))
