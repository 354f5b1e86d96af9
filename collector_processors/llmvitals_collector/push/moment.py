"""Everything that /metrics would show at one moment, as requests."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

from prometheus_client.core import Metric

from llmvitals import semconv
from llmvitals_collector.aggregate import Snapshot
from llmvitals_collector.forward.transport import Request
from llmvitals_collector.labels import OVERFLOW_ROW
from llmvitals_collector.push.counted import Window, counted_points
from llmvitals_collector.push.own import own_points, values
from llmvitals_collector.push.requests import requests

T = TypeVar("T")

# Counters of the collector's own that a snapshot keeps: they begin with the label sets, and not at each start.
_KEPT = (semconv.COLLECTOR_SERIES_OVERFLOW.name, semconv.COLLECTOR_LABEL_OVERFLOW.name)
# As a scrape does, this works for so long, in seconds, and then lets others have their turn for as long.
_TURN_SECONDS = 0.001


class Moment(NamedTuple):
    """Everything at one moment.

    time: in nanoseconds since the epoch. counted: what was counted. own: what the collector tells of itself.
    """

    time: int
    counted: Snapshot
    own: Sequence[Metric]

    def sums(self, started: int, since: int, exponential: bool, resource: Mapping[str, str]) -> Iterator[Request]:
        """All series as sums since each began, those of the collector's own since it started.

        since: later exemplars are told. Times are in nanoseconds since the epoch.
        """
        counted = counted_points(self.counted, Window(self.time, since), exponential)
        kept = round(min(each.created[OVERFLOW_ROW] for each in self.counted.label_sets.values()) * 1e9)
        own = own_points(self.own, self.time, {"": started, **dict.fromkeys(_KEPT, kept)})
        return requests(_in_turns(chain(counted, own)), resource)

    def differences(self, earlier: "Moment", exponential: bool, resource: Mapping[str, str]) -> Iterator[Request]:
        """All series as what came to their sums since an earlier moment."""
        window = Window(self.time, earlier.time, earlier.counted)
        counted = counted_points(self.counted, window, exponential)
        own = own_points(self.own, self.time, {"": earlier.time}, values(earlier.own))
        return requests(_in_turns(chain(counted, own)), resource)

    def restored(self) -> "Moment":
        """Of the moment of a start what an earlier run has told already."""
        return self._replace(own=[each for each in self.own if f"{each.name}_total" in _KEPT])


def _in_turns(work: Iterable[T]) -> Iterator[T]:
    began = time.perf_counter()
    for piece in work:
        yield piece
        if time.perf_counter() - began > _TURN_SECONDS:
            time.sleep(_TURN_SECONDS)
            began = time.perf_counter()
