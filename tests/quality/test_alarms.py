"""How often alerts about quality ring falsely, and how soon they find a drop: simulated, with the rules' conditions.

Prometheus looks every quarter of an hour here. An hour slides; windows that are longer end at a full one, as recorded.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from llmvitals_collector.catalogue.catalogue import Metric
from llmvitals_collector.catalogue.thresholds import Thresholds
from llmvitals_collector.statistics import Estimate, difference, wilson

RULES = Path(__file__).parents[2] / "prometheus_rules"
ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load((RULES / "quality.alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
LOOKS = 4  # per hour
DAY = 24 * LOOKS
WARM_UP, MONTH = 9, 30  # days; what a week is compared with has to be there
AT = Thresholds()
MIN_N = Metric(floor=0.0, target=1.0).min_n
FLOOR_WINDOWS = (1, 6, 24, 168)  # hours
UNSAFE_WINDOWS = (1, 6, 24)
NO_CHANCE = 12  # once in e to the power of that
Counts = NDArray[np.float64]
Looks = NDArray[np.bool_]


class Answers(NamedTuple):
    """Of each slice and quarter of an hour, how many answers are looked at, and how many of them pass."""

    passed: Counts
    n: Counts

    def over(self, hours: int) -> "Answers":
        """The sums over a window, at each look."""
        return Answers(_over(self.passed, hours), _over(self.n, hours))

    def earlier(self, hours: int) -> "Answers":
        """As they were so many hours ago."""
        return Answers(_earlier(self.passed, hours), _earlier(self.n, hours))

    def bound(self, z: float) -> Counts:
        """The bound of Wilson's interval, the upper one for a z above 0: nan where there are no answers."""
        passed, n = self
        with np.errstate(invalid="ignore", divide="ignore"):
            return (passed + z * z / 2 + z * np.sqrt(passed * (1 - passed / n) + z * z / 4)) / (n + z * z)


def _over(counts: Counts, hours: int) -> Counts:
    total = np.pad(counts.cumsum(axis=1), ((0, 0), (1, 0)))
    ends = np.arange(1, counts.shape[1] + 1)
    if hours > 1:
        ends = ends // LOOKS * LOOKS
    return total[:, ends] - total[:, np.maximum(ends - hours * LOOKS, 0)]


def _earlier(counts: Counts, hours: int) -> Counts:
    return np.pad(counts, ((0, 0), (hours * LOOKS, 0)))[:, : counts.shape[1]]


def _fires(condition: Looks, alert: str) -> Looks:
    """Where the condition has held for as long as the alert's `for` says."""
    waited = {"": 0, "15m": 1, "30m": 2, "1h": 4}[ALERTS[alert].get("for", "")]
    return np.logical_and.reduce([_shifted(condition, looks) for looks in range(waited + 1)])


def _shifted(condition: Looks, looks: int) -> Looks:
    return np.pad(condition, ((0, 0), (looks, 0)))[:, : condition.shape[1]]


def below_floor(answers: Answers, floor: Counts) -> Looks:
    mended = answers.over(6).bound(-1.96) > floor[:, None]
    conditions = []
    for hours in FLOOR_WINDOWS:
        window = answers.over(hours)
        below = (window.bound(3.1) < floor[:, None]) & (window.n >= MIN_N)
        conditions.append(below & ~mended if hours >= 24 else below)
    return _fires(np.logical_or.reduce(conditions), "LLMQualityBelowFloor")


def dropped(answers: Answers, hours: int, before: int, *, by: float, z_score: float, least: float) -> Looks:
    """Whether a window is lower than the one before it, by so much and of at least so many answers."""
    now, then = answers.over(hours), answers.over(before).earlier(hours)
    with np.errstate(invalid="ignore", divide="ignore"):
        drop = then.passed / then.n - now.passed / now.n
        pooled = (then.passed + now.passed) / (then.n + now.n)
        z = drop / np.sqrt(pooled * (1 - pooled) * (1 / then.n + 1 / now.n))
    enough = (now.n >= least) & (then.n >= AT.quality_drop_baseline_n)
    return (drop > by) & (z > z_score) & enough


def drop(answers: Answers) -> Looks:
    return _fires(
        dropped(answers, 1, 24, by=AT.quality_drop, z_score=AT.quality_drop_z, least=AT.quality_drop_n),
        "LLMQualityDrop",
    )


def erosion(answers: Answers) -> Looks:
    return _fires(
        dropped(answers, 24, 168, by=AT.quality_erosion, z_score=AT.quality_erosion_z, least=AT.quality_erosion_n),
        "LLMQualityErosion",
    )


def unsafe(answers: Answers) -> Looks:
    """Of verdicts of a judge."""
    found = np.zeros(answers.n.shape, bool)
    for hours in UNSAFE_WINDOWS:
        window = answers.over(hours)
        fails, mistakes = window.n - window.passed, window.n * AT.safety_mistakes
        with np.errstate(invalid="ignore", divide="ignore"):
            surprise = fails * np.log(fails / mistakes) - fails + mistakes
        found |= (fails > mistakes) & (surprise > NO_CHANCE)
    return _fires(found, "LLMSafetyEvent")


def simulated(rng: np.random.Generator, daily: Counts, volumes: Counts) -> Answers:
    """daily: the true rate of each slice on each day. volumes: how many answers are looked at per day, more by day."""
    hours = np.arange(daily.shape[1] * DAY) / LOOKS % 24
    by_day = 1 + 0.7 * np.sin((hours - 9) / 24 * 2 * np.pi)
    n = rng.poisson(volumes[:, None] / DAY * by_day)
    return Answers(rng.binomial(n, np.repeat(daily, DAY, axis=1)).astype(float), n.astype(float))


def volumes_of(rng: np.random.Generator, slices: int, least: float = 5, most: float = 500) -> Counts:
    return np.exp(rng.uniform(np.log(least), np.log(most), slices))


def rings(firing: Looks) -> int:
    """How many times an alert begins to fire once the first windows are full."""
    begins = firing & ~_shifted(firing, 1)
    return int(begins[:, WARM_UP * DAY :].sum())


def quiet_month(rng: np.random.Generator, variation: float, margins: tuple[float, float]) -> dict[str, int]:
    """How often each alert rings for a hundred slices in a month in which nothing happens, but a release of no effect.

    variation: of the share that fails, from day to day, as a part of it. margins: how far rates are above their floors.
    """
    slices, days = 100, WARM_UP + MONTH
    rates, volumes = rng.uniform(0.80, 0.98, slices), volumes_of(rng, slices)
    floor = rates - rng.uniform(*margins, slices)
    daily = rates[:, None] + (1 - rates[:, None]) * variation * rng.standard_normal((slices, days))
    answers = simulated(rng, np.clip(daily, 0, 1), volumes)
    judged = simulated(rng, np.full((slices, days), 1 - AT.safety_mistakes), volumes)
    return {
        "LLMQualityBelowFloor": rings(below_floor(answers, floor)),
        "LLMQualityDrop": rings(drop(answers)),
        "LLMQualityErosion": rings(erosion(answers)),
        "LLMSafetyEvent": rings(unsafe(judged)),
        "LLMReleaseRegression": sum(
            regresses(rng, rate, rate, volume) for rate, volume in zip(rates, volumes, strict=True)
        ),
    }


def regresses(rng: np.random.Generator, before: float, now: float, volume: float) -> bool:
    """Whether a version that takes over from another is ever called worse, looked at each hour of its 7 days."""
    hours, age = 28 * 24, 7 * 24  # of the window, and until the version is not compared any more
    old, new = rng.poisson(volume / 24, hours), rng.poisson(volume / 24, age)
    old_passed, new_passed = rng.binomial(old, before), rng.binomial(new, now)
    for hour in range(1, age):
        n, others = int(new[:hour].sum()), int(old[hour:].sum())
        if n and others:
            first = Estimate(int(old_passed[hour:].sum()) / others, 0, 1, others)
            if difference(first, Estimate(int(new_passed[:hour].sum()) / n, 0, 1, n)).high < 0:
                return True
    return False


def until_found(rng: np.random.Generator, slices: int) -> Counts:
    """How many answers it takes until a drop from 0.88 to 0.80 under a floor of 0.85 is found; inf if never."""
    after = 12  # days
    daily = np.repeat([[0.88] * WARM_UP + [0.80] * after], slices, axis=0)
    answers = simulated(rng, daily, volumes_of(rng, slices, 50, 500))
    firing = (below_floor(answers, np.full(slices, 0.85)) | drop(answers))[:, WARM_UP * DAY :]
    seen = answers.n[:, WARM_UP * DAY :].cumsum(axis=1)
    return np.where(firing.any(axis=1), seen[np.arange(slices), firing.argmax(axis=1)], np.inf)


def test_the_bound_is_wilsons():
    answers = Answers(np.array([[7.0, 95.0]]), np.array([[10.0, 100.0]]))
    assert answers.bound(3.1)[0] == pytest.approx([wilson(7, 10, 3.1).high, wilson(95, 100, 3.1).high])
    assert answers.bound(-1.96)[0] == pytest.approx([wilson(7, 10).low, wilson(95, 100).low])


def test_the_conditions_are_those_of_the_rules():
    windows = "|".join(f"{hours}h" if hours < 24 else f"{hours // 24}d" for hours in UNSAFE_WINDOWS)
    assert f'window=~"{windows}", source!="human"' in ALERTS["LLMSafetyEvent"]["expr"]
    assert f"surprise > {NO_CHANCE}\n" in ALERTS["LLMSafetyEvent"]["expr"]


# How much the share that fails varies from day to day, as a part of it; how far rates are above their floors.
QUIET = {"steady": (0.0, (0.03, 0.10)), "varying": (0.1, (0.03, 0.10)), "just above the floor": (0.0, (0.03, 0.03))}


@pytest.mark.parametrize(("variation", "margins"), QUIET.values(), ids=QUIET)
def test_a_hundred_slices_ring_at_most_three_times_in_a_quiet_month(variation, margins):
    """All quality alerts together; also if a judge of safety errs as often as it may, and each template is released."""
    rng = np.random.default_rng(2)
    months = [quiet_month(rng, variation, margins) for _ in range(2)]
    assert np.mean([sum(month.values()) for month in months]) <= 3, months


@pytest.mark.long
@pytest.mark.parametrize(("variation", "margins"), QUIET.values(), ids=QUIET)
def test_a_hundred_slices_ring_at_most_three_times_a_month_in_years_of_quiet_months(variation, margins):
    rng = np.random.default_rng(3)
    months = [quiet_month(rng, variation, margins) for _ in range(40)]
    assert np.mean([sum(month.values()) for month in months]) <= 3, months


def test_a_drop_of_eight_points_is_found_within_450_answers():
    """Of templates of which 50 to 500 answers a day are looked at; half of the drops are found sooner."""
    found = until_found(np.random.default_rng(4), 300)
    assert np.median(found) <= 450
    assert np.isfinite(found).mean() > 0.9


def test_a_release_that_is_eight_points_worse_is_found_within_its_first_week():
    rng = np.random.default_rng(5)
    assert np.mean([regresses(rng, 0.88, 0.80, 200) for _ in range(50)]) > 0.95


def test_a_tenth_of_unsafe_answers_is_found_within_a_day():
    rng = np.random.default_rng(6)
    days = np.array([[1 - AT.safety_mistakes] * WARM_UP + [0.9]])
    answers = simulated(rng, np.repeat(days, 100, axis=0), np.full(100, 200.0))
    assert unsafe(answers)[:, WARM_UP * DAY :].any(axis=1).mean() > 0.9
