"""PromQL of rates with their 95 % intervals and the number of answers behind them."""

from typing import NamedTuple

from expressions import both, increase, matching, recorded, share, threshold, total
from llmvitals import semconv
from llmvitals.semconv import Family

WINDOW = "$window"  # of recorded series, as the board's variable says
DIMENSION = f'{semconv.LABEL_DIMENSION}=~"$dimension"'
# What tells rates apart, from the coarse to the fine.
OF_SLICE = (semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_DIMENSION)
OF_TEMPLATE = (*OF_SLICE, semconv.LABEL_SOURCE)
OF_VERSION = (*OF_TEMPLATE, semconv.LABEL_TEMPLATE_VERSION)
# What users do with answers that do not help, and with those that do; the other kinds tell neither.
NEGATIVE, POSITIVE, OPINION = (
    matching(semconv.LABEL_KIND, *(kind for kind, score in semconv.FEEDBACK_SCORES.items() if score in scores))
    for scores in ({0.0}, {1.0}, {0.0, 1.0})
)
# What the verdict on a rate says, the worst with the largest number; see `verdict`.
TOO_FEW, HOLDS, UNSURE, BELOW = range(4)


class Rate(NamedTuple):
    """Expressions of a rate from 0 to 1, the bounds between which the true one is in 95 of 100 cases, and n."""

    ratio: str
    low: str
    high: str
    n: str

    def number(self, name: str) -> dict[str, str]:
        """What a panel of numbers shows of it, by name."""
        return {name: self.ratio, "at least": self.low, "at most": self.high, "n": self.n}


def counted(hits: str, n: str) -> Rate:
    """So many hits of n, by Wilson's interval; without a value where n is 0.

    The interval is the one of the recorded series (prometheus_rules/quality.rules.yml).
    """
    # What is counted apart may be extrapolated to a little more than what it is a part of.
    return _wilson(f"clamp_max({share(hits, n)}, 1)", n)


def events(family: Family, *by: str, hits: str, of: str = "") -> Rate:
    """Of the events of a counter that `of` matches, those that `hits` matches as well, by labels."""
    part, whole = (increase(family, *by, where=where, window=WINDOW) for where in (both(of, hits), of))
    return counted(part, whole)


def each(name: str, *by: str, window: str = WINDOW, pick: str = "max") -> str:
    """A recorded series by labels, of which those that tell it apart leave each value as it is; else the largest.

    What is recorded by dimension is selected by dimension, too.
    pick: `min` for the smallest.
    """
    by_dimension = semconv.LABEL_DIMENSION in name.partition(":")[0].split("_")
    return f"{pick} by ({', '.join(by)}) ({recorded(name, window, where=DIMENSION if by_dimension else '')})"


def known(ratio: str, *by: str) -> Rate:
    """A recorded rate with the bounds and the n that are recorded beside it, by labels as in `each`."""
    bounds = (f"{ratio}_low", f"{ratio}_high", f"{ratio.removesuffix('ratio')}n")
    return Rate(*(each(name, *by) for name in (ratio, *bounds)))


def quality(*by: str) -> Rate:
    """How many answers pass, of all versions and templates that are chosen together, by labels.

    Each slice counts by the answers that it stands for, W; with n of each, what the sum is worth is
    (sum of W)^2 / (sum of W^2 / n), which of a plain weighted sample is Kish's number.
    """
    weight, ratio, n = (
        recorded(name, WINDOW, where=DIMENSION)
        for name in (semconv.RECORDED_WEIGHT, semconv.RECORDED_QUALITY, semconv.RECORDED_QUALITY_N)
    )
    weights = total(weight, *by)
    return _wilson(
        share(total(f"{ratio} * {weight}", *by), weights), f"{weights} ^ 2 / {total(f'({weight} ^ 2 / {n})', *by)}"
    )


def feedback(*by: str, of: tuple[str, ...] = (), where: str = NEGATIVE) -> Rate:
    """How many answers get feedback of these kinds, by labels.

    by: labels of the answers.
    of: labels of the feedback besides, each of which is compared with all answers; what nobody has given is left out.
    """
    given = total(recorded(semconv.RECORDED_FEEDBACK_EVENTS, WINDOW, where=where), *by, *of)
    answers = total(recorded(semconv.RECORDED_RESPONSES, WINDOW), *by)
    return counted(f"({given} > 0)", beside(f"({given} > 0)", answers, by)) if of else counted(given, answers)


def failures(*by: str) -> Rate:
    """How many answers fail in each mode first of all, by labels of the templates and LABEL_MODE.

    Answers that did not come, since their calls failed, are counted among them.
    """
    failed = total(recorded(semconv.RECORDED_FAILURES_N, WINDOW), *by, semconv.LABEL_MODE)
    return counted(failed, beside(failed, total(recorded(semconv.RECORDED_ANSWERS_N, WINDOW), *by), by))


def floor(series: str) -> str:
    """The floor, or the target, of each slice; it is the same in all windows."""
    return f"max by ({', '.join(OF_SLICE)}) ({recorded(series, where=DIMENSION)})"


def beside(vector: str, coarser: str, labels: tuple[str, ...] = OF_SLICE) -> str:
    """What is known by these labels only, for each series of a vector that tells more apart."""
    return f"0 * {vector} + on ({', '.join(labels)}) group_left () {coarser}"


def verdict(of: Rate) -> str:
    """What is sure of each rate that has a floor: HOLDS, UNSURE, BELOW, or TOO_FEW answers to say."""
    on, floors = f"on ({', '.join(OF_SLICE)})", floor(semconv.CATALOGUE_FLOOR)
    below = (f"({bound} < bool {on} group_left () {floors})" for bound in (of.low, of.high))
    few = f"{of.n} < {threshold('quality_drop_n')}"
    return f"(({HOLDS} + {' + '.join(below)} unless {few}) or {TOO_FEW} + 0 * ({few}) and {on} {floors})"


def _wilson(ratio: str, n: str) -> Rate:
    def bound(sign: str) -> str:
        return f"({ratio} * {n} + 1.9208 {sign} 1.96 * sqrt({ratio} * (1 - {ratio}) * {n} + 0.9604)) / ({n} + 3.8416)"

    ratio, n = f"({ratio})", f"({n})"
    return Rate(ratio, bound("-"), bound("+"), n)
