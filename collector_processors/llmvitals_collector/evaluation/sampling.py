"""Which answers are judged: a share of each template's, all that are odd, and how much each of them counts.

Every answer of a template has the same chance p = max(share, minimum / expected), at most 1, where `expected` is how
many answers the template had here in the window before. So a rare template has its minimum, too; of several collectors
that share the traffic each is given its part of the minimum, and so has the chances that one would have, but for how
evenly a template's answers are spread over them. An answer whose number is below p is in the uniform sample; one that
is flagged is looked at in any case. What is judged weighs one over its own chance (Hajek 1971), with which estimates
are those of all answers, however the chances came about.

Windows begin when the clock says so, and chances change with them only: replicas agree, and no answer has a say in its
own chance. A template that had no answer in the window before has its first ones judged, as many as the minimum.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from llmvitals import semconv

# Service and template. They name themselves, so not too many are told apart.
Stratum: TypeAlias = tuple[str, str]
_MOST_STRATA = 5000
_OVERFLOW: Stratum = (semconv.OVERFLOW, semconv.OVERFLOW)

_DAY = 86_400
# What is left of all chances at the least, so that they find back, and by how much they can grow with a window.
_LEAST_EFFORT = 1e-3
_FASTEST = 10.0


class Rate(NamedTuple):
    """How many answers are wanted: a share of them, and in each window so many at the least."""

    share: float
    minimum: float


class Draw(NamedTuple):
    """An answer that is to be judged.

    stratum: one of semconv.STRATA. chance: above 0, that such an answer is judged.
    graded: the chance that such an answer is given to people, 0 if this one is not.
    """

    stratum: str
    chance: float
    graded: float = 0.0


class Sampling:
    """Draws the sample; for one thread.

    window: seconds, a part of a day. budget_left: the share of the judge's budget for this day (UTC).
    """

    def __init__(self, window: int, budget_left: Callable[[], float] = lambda: 1.0) -> None:
        self._seconds = window
        self._budget_left = budget_left
        self._window = -1
        self._volumes: Counter[Stratum] = Counter()  # of this window
        self._before: Counter[Stratum] = Counter()  # of the one before
        self._shares: dict[tuple[str, ...], float] = {}
        self._effort = 1.0  # by which all chances are multiplied, where the budget would not last
        self._left = 1.0  # of it, when the window began

    def draw(
        self, stratum: Stratum, number: float, now: float, *, judged: Rate, graded: Rate, flagged: bool = False
    ) -> Draw | None:
        """Decide about an answer; None if it is not judged.

        number: of its trace, from `drawn`. now: seconds since the epoch. judged, graded: of its template.
        """
        self._turn(now)
        if stratum not in self._volumes and len(self._volumes) >= _MOST_STRATA:
            stratum = _OVERFLOW
        self._volumes[stratum] += 1
        share = self._shares[stratum] = self._chance(judged, stratum)
        chance = max(share, self._effort) if flagged else share
        if number >= chance:
            return None
        if number >= share:
            return Draw(semconv.FLAGGED, chance)
        by_people = min(share, self._chance(graded, stratum))
        return Draw(semconv.UNIFORM, chance, by_people if number < by_people else 0.0)

    def shares(self) -> dict[tuple[str, ...], float]:
        """The chance that an answer has, by service and template, of those seen in this window."""
        return {**self._shares}

    def _chance(self, rate: Rate, stratum: Stratum) -> float:
        expected = self._before[stratum]
        if expected:
            chance = max(rate.share, rate.minimum / expected)
        else:
            chance = 1.0 if self._volumes[stratum] <= rate.minimum else rate.share
        return min(1.0, chance * self._effort)

    def _turn(self, now: float) -> None:
        """Begin another window, if it is time."""
        window = int(now // self._seconds)
        if window <= self._window:
            return
        self._before = self._volumes if window == self._window + 1 else Counter()
        self._volumes, self._shares = Counter(), {}
        self._window = window
        self._effort = self._affordable(now)

    def _affordable(self, now: float) -> float:
        """The effort with which the budget lasts until midnight, if answers keep coming as they did."""
        last, left = self._left, self._budget_left()
        self._left = left
        if left > last:  # a new day has begun, and of what the last window took not all is known
            return self._effort
        windows = -(-(_DAY - now % _DAY) // self._seconds)
        pace = left / windows / (last - left) if left < last else _FASTEST
        return min(1.0, max(self._effort * min(pace, _FASTEST * (left > 0)), _LEAST_EFFORT))
