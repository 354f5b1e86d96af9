"""Says in which band of size and of time each call lies, so that like can be compared with like.

It has no settings: a metric's labels, and what dashboards ask of them, have to stay what they are.

Columns: `input_band`, by the input tokens, and `latency_band`, by the duration in seconds. A bound belongs to the band
below it; a call that tells no such number lies in no band.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import ABSENT_MEMBER


class BandsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Bands:
    def __init__(self, config: BandsConfig) -> None:
        pass

    def process(self, calls: Calls) -> Calls:
        calls.add("input_band", _bands(calls["input_tokens"], semconv.INPUT_BAND_BOUNDS))
        calls.add("latency_band", _bands(calls["duration"], semconv.LATENCY_BAND_BOUNDS))
        return calls


def _bands(amounts: NDArray[np.float64], bounds: tuple[float, ...]) -> NDArray[np.int8]:
    above = sum((amounts > bound).astype(np.int8) for bound in bounds)
    return np.where(np.isnan(amounts), ABSENT_MEMBER, above)
