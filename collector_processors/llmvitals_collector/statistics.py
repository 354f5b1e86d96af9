"""How sure one can be of a rate: from counts alone, so that Prometheus' recording rules do the same.

All intervals are of 95 %, and two-sided. Counts may be fractions, as Prometheus' `increase()` gives them.
"""

from math import log, sqrt
from typing import NamedTuple

Z = 1.96  # the normal distribution's 97.5 % quantile
CALIBRATED_PAIRS = 50  # with fewer answers that both have graded, nothing is known of a judge
ALPHA = 0.05


class Estimate(NamedTuple):
    """A rate and the interval that holds the true one, each from 0 to 1.

    n: of how many answers, looked at one by one with equal chances, the interval would be the same.
    """

    rate: float
    low: float
    high: float
    n: float


class Pairs(NamedTuple):
    """How many answers two raters have judged how: the first one's verdict, then the second one's.

    Of a judge and a person the judge is the first one.
    """

    pass_pass: float
    pass_fail: float
    fail_pass: float
    fail_fail: float


class Corrected(NamedTuple):
    """What people would say of all that a judge has judged: as `Estimate`, and how it came about.

    lambda_: how much of the judge's rate is believed: 1 for a judge that always agrees with people, 0 for one whose
        verdict says nothing; below 0 it says the contrary.
    pairs: how many answers a person has graded, too.
    """

    rate: float
    low: float
    high: float
    n: float
    lambda_: float
    pairs: float


class Moments(NamedTuple):
    """Sums over scores from 0 to 1: a person's y and the judge's f on the same n answers, its F on all N it judged."""

    n: float
    y: float
    f: float
    yy: float
    ff: float
    yf: float
    N: float
    F: float
    FF: float


class CorrectedMean(NamedTuple):
    """The mean score that people would give to all that a judge has judged, with its interval; n as in `Moments`."""

    mean: float
    low: float
    high: float
    n: float
    lambda_: float


class Difference(NamedTuple):
    """How much a second rate is above a first one, with an interval that holds whenever and however often one looks."""

    difference: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether the two rates differ for certain."""
        return self.low > 0 or self.high < 0


def wilson(passes: float, n: float, z: float = Z) -> Estimate:
    """A rate of n > 0 answers, with the interval of Wilson (JASA 22, 1927): it holds for few, and near 0 and 1.

    z: the quantile of the normal distribution that stands for how sure one wants to be.
    """
    rate = passes / n
    margin = z * sqrt(rate * (1 - rate) * n + z * z / 4)
    low, high = ((passes + z * z / 2 + side * margin) / (n + z * z) for side in (-1, 1))
    return Estimate(rate, max(min(low, rate), 0.0), min(max(high, rate), 1.0), n)


def hajek(weight: float, weight_squared: float, weighted_pass: float) -> Estimate:
    """The rate of all answers, of which some were looked at by unequal chances (Hájek 1971); the weight is above 0.

    Each weighs one over its chance; the arguments are the sums of weights, of their squares, and of the weights of
    those that pass. n is that of Kish, Survey Sampling (1965): what unequal weights leave of the number of answers.
    """
    n = weight * weight / weight_squared
    return wilson(weighted_pass / weight * n, n)


def corrected(pairs: Pairs, judged_pass: float, judged_fail: float) -> Corrected | None:
    """The rate at which people would pass what a judge has judged, from those answers that a person has graded, too.

    They are a random part of what was judged in the same time; with fewer than CALIBRATED_PAIRS of them, or with
    nothing judged, it is None.

    The estimate is that of PPI++ (Angelopoulos, Duchi, Zrnic 2023, arXiv:2311.01453): people's rate, plus lambda times
    what the judge's rate on all N is above its rate on the n pairs. PPI++ takes two samples; as ours is one within the
    other, the best lambda is the slope of the person's verdict on the judge's, and the variance is that of people's
    rate times 1 - r² (1 - n/N), where r is the correlation of the verdicts (Cochran, Sampling Techniques, 1977,
    chapter 12). So the pairs are worth n / (1 - r² (1 - n/N)) answers that people grade alone, and the interval is
    Wilson's for so many. Half a pair more in each cell of the table, for lambda and r, keeps it honest where few pairs
    disagree.
    """
    n, judged = sum(pairs), judged_pass + judged_fail
    if n < CALIBRATED_PAIRS or judged <= 0:
        return None
    lambda_, inverse = _slopes(Pairs(*(count + 0.5 for count in pairs)))
    judge_excess = judged_pass / judged - (pairs.pass_pass + pairs.pass_fail) / n
    rate = (pairs.pass_pass + pairs.fail_pass) / n + lambda_ * judge_excess
    worth = n / (1 - lambda_ * inverse * (1 - n / judged))
    return Corrected(*wilson(min(max(rate, 0.0), 1.0) * worth, worth), lambda_, n)


def corrected_mean(sums: Moments) -> CorrectedMean | None:
    """The mean score that people would give to what a judge has judged: as `corrected`, of scores in place of verdicts.

    The interval is Student's, with n - 2 degrees of freedom, as lambda is estimated from the same n pairs.
    """
    n, y, f, yy, ff, yf, judged, F, FF = sums  # noqa: N806 (as the sums are called everywhere)
    if n < CALIBRATED_PAIRS or judged <= 0:
        return None
    people, judge, everything = y / n, f / n, F / judged
    spread = ff / n - judge**2
    together = yf / n - people * judge
    lambda_ = together / spread if spread > 1e-9 else 0.0  # below, it is but the rounding of equal scores
    residual = max(yy / n - people**2 - lambda_ * together, 0.0)
    variance = residual / (n - 2) + lambda_**2 * max(FF / judged - everything**2, 0.0) / judged
    mean = people + lambda_ * (everything - judge)
    margin = _student(n - 2) * sqrt(variance)
    mean, low, high = (min(max(value, 0.0), 1.0) for value in (mean, mean - margin, mean + margin))
    return CorrectedMean(mean, low, high, n, lambda_)


def kappa(pairs: Pairs) -> float | None:
    """How much two raters agree beyond chance (Cohen 1960, doi:10.1177/001316446002000104): 1 is always, 0 by chance.

    None where neither of them ever says another thing: then chance alone would always agree.
    """
    n = sum(pairs)
    first, second = pairs.pass_pass + pairs.pass_fail, pairs.pass_pass + pairs.fail_pass
    by_chance = first * second + (n - first) * (n - second)
    if by_chance >= n * n:
        return None
    return (n * (pairs.pass_pass + pairs.fail_fail) - by_chance) / (n * n - by_chance)


def difference(
    first: Estimate | Corrected, second: Estimate | Corrected, alpha: float = ALPHA, sharpest_at: float = 0.02
) -> Difference:
    """Whether the second rate is better: an interval to watch while answers come, and to stop when it is decided.

    If one looks again and again, an interval for one look sooner or later leaves out 0 by chance. That this one is
    ever wrong has a probability of alpha at most: it is the asymptotic confidence sequence of Waudby-Smith et al.
    (Annals of Statistics 2024, arXiv:2103.06476), with time counted as information, which is one over the variance.
    Both estimates are of everything since the same start, not of a sliding window.

    sharpest_at: the standard error of the difference at which the interval is to be at its best; it holds at any.
    """
    variance = _variance(first) + _variance(second)
    # The paper's scale of the mixture for a given time.
    scale = -2 * log(alpha) + log(-2 * log(alpha) + 1)
    progress = scale * sharpest_at**2 / variance
    margin = sqrt(variance * (1 + 1 / progress) * (log(1 + progress) - 2 * log(alpha)))
    above = second.rate - first.rate
    return Difference(above, max(above - margin, -1.0), min(above + margin, 1.0))


def _slopes(pairs: Pairs) -> tuple[float, float]:
    """Of the second verdict on the first, and of the first on the second; their product is the squared correlation."""
    both, first, second, neither = pairs
    return (
        both / (both + first) - second / (second + neither),
        both / (both + second) - first / (first + neither),
    )


def _variance(estimate: Estimate | Corrected) -> float:
    """Of an estimated rate; one more pass and one more fail keep it above 0 where all answers are alike."""
    rate = (estimate.rate * estimate.n + 1) / (estimate.n + 2)
    return rate * (1 - rate) / estimate.n


def _student(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, within 0.0002 from 28 degrees of freedom on (Abramowitz & Stegun 26.7.5)."""
    return Z + (Z**3 + Z) / 4 / freedom + (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96 / freedom**2
