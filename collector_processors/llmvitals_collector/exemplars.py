"""Exemplars of histograms: for each series a trace of the largest value of late, and a recent one."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.labels import grown

# A series' first exemplar gives way to a larger value, or to any after this many seconds; its second to none before.
# A minute is some scrapes long, fifteen seconds are one.
_LASTS = (60.0, 15.0)
_AGEING_SECONDS = 5.0

# Which call an exemplar is of: the end of the call in seconds since the epoch, and the ids of its span.
TRACE = np.dtype([("time", "f8"), ("trace_high", "u8"), ("trace_low", "u8"), ("span", "u8")])
EXEMPLAR = np.dtype([("value", "f8"), ("trace", TRACE), ("taken", "f8")])


class Traces(NamedTuple):
    """The traces of the calls of a batch: which of them can be looked up, bool (n,), and TRACE (n,)."""

    found: NDArray[np.bool_]
    ids: NDArray[np.void]


class Exemplars:
    """Two exemplars for each label set and member of a family.

    kept: EXEMPLAR (2, label sets, members); where there is none, `taken`, the time when it came, is 0.
    """

    def __init__(self, rows: int, members: int) -> None:
        self.kept = np.zeros((2, rows, members), EXEMPLAR)
        # What a value has to exceed to become an exemplar, and the lower of the two, which few do.
        self._thresholds = np.zeros((2, rows, members))
        self._lower = np.zeros((rows, members))
        self._aged = 0.0

    def offer(
        self, cells: NDArray[np.intp], values: NDArray[np.float64], calls: NDArray[np.intp], traces: Traces, now: float
    ) -> None:
        """Keep what is worth it of n values: arrays of shape (n,).

        cells: flat (label set * members + member). calls: the place of each value's call among the traces.
        """
        self._age(now)
        lower = self._lower.reshape(-1)
        above = np.flatnonzero(values > lower.take(cells))
        above = above[traces.found[calls[above]]]
        if not len(above):
            return
        cells, values = cells[above], values[above]
        offered = np.empty(len(above), EXEMPLAR)
        offered["value"], offered["trace"], offered["taken"] = values, traces.ids[calls[above]], now
        for largest, thresholds, kept in zip((True, False), self._thresholds, self.kept, strict=True):
            flat = thresholds.reshape(-1)
            chosen = np.flatnonzero(values > flat[cells])
            if largest:
                # Of several for the same cell the one that is written last stays.
                chosen = chosen[np.argsort(values[chosen])]
            kept.reshape(-1)[cells[chosen]] = offered[chosen]
            flat[cells[chosen]] = values[chosen] if largest else np.inf
        lower[cells] = self._thresholds.reshape(2, -1)[:, cells].min(axis=0)

    def reserve(self, rows: int) -> None:
        """Make room for this many label sets."""
        if rows > self.kept.shape[1]:
            self.kept = grown(self.kept, rows, axis=1)
            self._thresholds = grown(self._thresholds, rows, axis=1)
            self._lower = grown(self._lower, rows)

    def clear(self, rows: NDArray[np.intp]) -> None:
        """Forget the exemplars of label sets."""
        self.kept[:, rows] = np.zeros((), EXEMPLAR)
        self._thresholds[:, rows] = 0
        self._lower[rows] = 0

    def _age(self, now: float) -> None:
        if now - self._aged > _AGEING_SECONDS:
            self._aged = now
            for lasts, thresholds, kept in zip(_LASTS, self._thresholds, self.kept, strict=True):
                thresholds[kept["taken"] < now - lasts] = 0
            self._lower = self._thresholds.min(axis=0)
