"""Notes when each release was first seen at work, for the marks that dashboards draw.

A release is a version of an app (`service.version` of a service), of a prompt (of a template), or of a model (the
model that answers to a name). Its time is the end of the first call that tells of it. Of each kind those seen last are
kept, so that what runs is never forgotten, and never new twice.

Attributes:
    keep: how many releases of each kind.
"""

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec
import numpy as np

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.calls import Calls

# Kind -> the columns of the name and the version.
COLUMNS = {
    semconv.RELEASE_APP: ("service", "release"),
    semconv.RELEASE_PROMPT: ("template", "template_version"),
    semconv.RELEASE_MODEL: ("model", "response_model"),
}
_CHARACTERS = 200  # of a label

Amount = Annotated[int, msgspec.Meta(ge=1, le=100_000, description="a whole number from 1 to 100000")]


class ReleaseConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keep: Amount = 500


class Releases:
    def __init__(self, config: ReleaseConfig) -> None:
        self._keep = config.keep
        # Kind -> name and version -> seconds since the epoch; what was seen last stands last.
        self._first_seen: dict[str, dict[tuple[str, str], float]] = {kind: {} for kind in COLUMNS}

    def process(self, calls: Calls) -> Calls:
        for kind, (name, version) in COLUMNS.items():
            if name in calls and version in calls:
                self._see(self._first_seen[kind], calls, name, version)
        return calls

    def gauges(self) -> Iterable[tuple[Family, tuple[str, ...], float]]:
        """When each release was first seen, in seconds since the epoch: family, label values, value."""
        for kind, first_seen in self._first_seen.items():
            for release, time in list(first_seen.items()):  # a batch may come meanwhile
                yield semconv.RELEASE_TIMESTAMP, (kind, *release), time

    def state(self) -> bytes:
        """All that is known, for a snapshot."""
        told = {kind: [(*each, time) for each, time in seen.items()] for kind, seen in self._first_seen.items()}
        return msgspec.json.encode(told)

    def restore(self, state: bytes) -> None:
        """Know what `state` told, of as many releases as are kept now.

        Raises:
            msgspec.DecodeError: it is no such state.
        """
        told = msgspec.json.decode(state, type=dict[str, list[tuple[str, str, float]]])
        for kind, first_seen in self._first_seen.items():
            first_seen.update({(name, version): time for name, version, time in told.get(kind, [])[-self._keep :]})

    def _see(self, first_seen: dict[tuple[str, str], float], calls: Calls, name: str, version: str) -> None:
        both = calls[name].astype(np.int64) << 32 | calls[version]
        ordered = np.sort(both)  # several times as fast as np.unique of numpy 2.4
        for code in ordered[np.diff(ordered, append=-1) != 0].tolist():
            release = (calls.strings[code >> 32][:_CHARACTERS], calls.strings[code & 0xFFFFFFFF][:_CHARACTERS])
            if release in first_seen:
                first_seen[release] = first_seen.pop(release)  # now the last
            elif all(release) and not math.isnan(time := float(np.fmin.reduce(calls["end_time"][both == code]))):
                first_seen[release] = time
        while len(first_seen) > self._keep:
            del first_seen[next(iter(first_seen))]
