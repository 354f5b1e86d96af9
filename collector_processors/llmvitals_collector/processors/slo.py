"""Says which service level objectives each call kept (`good`) or broke (`bad`).

Columns: `slo_availability`, `slo_first_token`, `slo_duration`; absent where a call says nothing about the objective.

availability: every call counts, and an error is bad.
first_token: streamed calls count. Bad is a first token beyond the threshold, and an error before any token. A call
without a token that did not fail does not count. The time to the first chunk stands in for a sender that tells no more.
duration: calls that ended well count, and timeouts, which are bad.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.calls import OUTCOMES_BY_CLASS, Calls
from llmvitals_collector.columns import ABSENT_MEMBER

Objective = Annotated[float, msgspec.Meta(gt=0, lt=1, description="a number above 0 and below 1")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400, description="a number above 0, at most 86400")]

_OK = semconv.OUTCOMES.index(semconv.OK)
_ERROR = semconv.OUTCOMES.index(semconv.ERROR)
_TIMEOUT = OUTCOMES_BY_CLASS.index((semconv.ERROR, semconv.TIMEOUT))
_GOOD = semconv.SLO_OUTCOMES.index(semconv.GOOD)
_BAD = semconv.SLO_OUTCOMES.index(semconv.BAD)


class Availability(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls that do not fail.

    Attributes:
        objective: the share of calls that is to be good.
    """

    objective: Objective = 0.99


class FirstToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Streamed answers that begin in time.

    Attributes:
        objective: the share of calls that is to be good.
        threshold_seconds: the time within which a call is good.
    """

    objective: Objective = 0.95
    threshold_seconds: Seconds = 2.0


class Duration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers that end in time.

    Attributes:
        objective: the share of calls that is to be good.
        threshold_seconds: the time within which a call is good.
    """

    objective: Objective = 0.95
    threshold_seconds: Seconds = 20.0


class SloConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    availability: Availability = Availability()
    first_token: FirstToken = FirstToken()
    duration: Duration = Duration()


class Slo:
    def __init__(self, config: SloConfig) -> None:
        self._config = config

    def process(self, calls: Calls) -> Calls:
        ok, failed = calls["outcome"] == _OK, calls["outcome"] == _ERROR
        calls.add("slo_availability", _verdicts(good=~failed, bad=failed))

        threshold = self._config.first_token.threshold_seconds
        token = calls["time_to_first_token"]
        token = np.where(np.isnan(token), calls["time_to_first_chunk"], token)
        late = (token > threshold) | (np.isnan(token) & failed)
        streamed = calls["streamed"]
        calls.add("slo_first_token", _verdicts(good=streamed & (token <= threshold), bad=streamed & late))

        threshold = self._config.duration.threshold_seconds
        duration = calls["duration"]
        slow = (ok & (duration > threshold)) | (calls["outcome_by_class"] == _TIMEOUT)
        calls.add("slo_duration", _verdicts(good=ok & (duration <= threshold), bad=slow))
        return calls


def gauges(config: SloConfig) -> Iterable[tuple[Family, tuple[str, ...], float]]:
    """The objectives and thresholds, for alerts and dashboards: family, label values, value."""
    yield semconv.SLO_OBJECTIVE, (semconv.SLO_AVAILABILITY,), config.availability.objective
    yield semconv.SLO_OBJECTIVE, (semconv.SLO_FIRST_TOKEN,), config.first_token.objective
    yield semconv.SLO_OBJECTIVE, (semconv.SLO_DURATION,), config.duration.objective
    yield semconv.SLO_THRESHOLD, (semconv.SLO_FIRST_TOKEN,), config.first_token.threshold_seconds
    yield semconv.SLO_THRESHOLD, (semconv.SLO_DURATION,), config.duration.threshold_seconds


def _verdicts(*, good: NDArray[np.bool_], bad: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(good, _GOOD, np.where(bad, _BAD, ABSENT_MEMBER)).astype(np.int8)
