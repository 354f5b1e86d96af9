"""What the formats have in common: which series are shown, in slices of a millisecond or two."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.counters import CounterSnapshot
from llmvitals_collector.histograms import HistogramSnapshot

_COUNTERS = 1024
_HISTOGRAMS = 64


class Slice(NamedTuple):
    """Some of a family's series: arrays of shape (n,), and lists of them."""

    rows: NDArray[np.intp]
    members: NDArray[np.intp]

    def pairs(self) -> Iterator[tuple[int, int]]:
        return zip(self.rows.tolist(), self.members.tolist(), strict=True)


def slices(series: CounterSnapshot | HistogramSnapshot) -> Iterator[Slice]:
    """All series of a family that are shown, those of a label set together."""
    rows, members = np.nonzero(series.shown)
    step = _HISTOGRAMS if isinstance(series, HistogramSnapshot) else _COUNTERS
    for start in range(0, len(rows), step):
        yield Slice(rows[start : start + step], members[start : start + step])
