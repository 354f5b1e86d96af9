"""The numbers of a template, of a model, or of all: how fast, how often it fails, what it costs, what users say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.page.history import Counted
from llmvitals_collector.page.percentiles import percentiles
from llmvitals_collector.page.question import Question, together
from llmvitals_collector.statistics import wilson

Counts: TypeAlias = Callable[[Family], Counted]
"""What was counted in a family over some time."""
Sums: TypeAlias = Mapping[str, NDArray[np.float64]]

# Of times the slow end is the one that hurts, of speed the low end.
LATENCY_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SPEED_SHARES = {"p50": 0.5, "p5": 0.05}
PERCENTILES = {
    "first_token": (semconv.FIRST_TOKEN, LATENCY_SHARES),
    "duration": (semconv.DURATION, LATENCY_SHARES),
    "speed": (semconv.OUTPUT_SPEED, SPEED_SHARES),
}
NEGATIVE = frozenset(kind for kind, score in semconv.FEEDBACK_SCORES.items() if score == 0)
_DIGITS = 4


def figures(counts: Counts, question: Question, by: str | None = None) -> dict[str, dict[str, Any]]:
    """By the value of a label, or of all under "": the numbers as the page has them, with those that have any calls.

    Times are in seconds, speed in tokens per second, cost in US dollars; `n` is how many calls a percentile is of.
    """
    calls = together(counts(semconv.CALLS), question, by)
    told: dict[str, dict[str, Any]] = {name: _calls(counts(semconv.CALLS), cells) for name, cells in calls.items()}
    for what, (family, shares) in PERCENTILES.items():
        for name, each in of_histogram(counts(family), together(counts(family), question, by), shares).items():
            if name in told:
                told[name][what] = each
    for name, cells in together(counts(semconv.COST), question, by).items():
        if name in told:
            told[name]["cost"] = shortened(cells.sum())
    lookups = counts(semconv.CACHE_LOOKUPS)
    hits = [member == (semconv.PROMPT_CACHE, semconv.HIT) for member in lookups.form.members]
    for name, cells in together(lookups, question, by).items():
        if name in told:
            told[name]["cache"] = {"hits": shortened(cells[hits].sum()), "n": shortened(cells.sum())}
    for name, each in _negative(counts, question, by).items():
        if name in told:
            told[name]["negative"] = each
    return told


def of_histogram(counted: Counted, sums: Sums, shares: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Percentiles by name and `n`, of all members together, by whatever the sums are by."""
    form = counted.form
    if form.bounds is None or not sums:
        return {}
    buckets = np.stack([cells.sum(axis=0) for cells in sums.values()])
    found = percentiles(buckets, form.bounds, tuple(shares.values()), exponential=form.exponential)
    return {
        name: {"n": shortened(count), **{share: shortened(each) for share, each in zip(shares, row, strict=True)}}
        for name, row, count in zip(sums, found.tolist(), buckets.sum(axis=1).tolist(), strict=True)
    }


def shortened(number: float) -> float:
    """A whole number as it is, another one in so many digits as anybody reads."""
    return round(number) if number == round(number) else float(f"{number:.{_DIGITS}g}")


def interval(passes: float, n: float) -> dict[str, float]:
    """A share of n with its 95 % interval, for the page."""
    rate, low, high, n = wilson(min(passes, n), n)
    return {"rate": shortened(rate), "low": shortened(low), "high": shortened(high), "n": shortened(n)}


def by_class(counted: Counted, cells: NDArray[np.float64]) -> dict[str, float]:
    """Error class -> how many calls failed so, the most frequent first."""
    found = zip(counted.form.members, cells.sum(axis=1).tolist(), strict=True)
    errors = {why: amount for (outcome, why), amount in found if outcome == semconv.ERROR and amount}
    return dict(sorted(errors.items(), key=lambda each: -each[1]))


def _calls(counted: Counted, cells: NDArray[np.float64]) -> dict[str, Any]:
    errors = {why: shortened(amount) for why, amount in by_class(counted, cells).items()}
    return {"calls": shortened(cells.sum()), "errors": errors}


def _negative(counts: Counts, question: Question, by: str | None) -> dict[str, dict[str, float]]:
    """Of the answers, how many got feedback that says that they did not help: as prometheus_rules/quality.rules.yml."""
    feedback = counts(semconv.FEEDBACK)
    kinds: Sequence[bool] = [member[-1] in NEGATIVE for member in feedback.form.members]
    given = together(feedback, question, by)
    told = {}
    for name, cells in together(counts(semconv.RESPONSES), question, by).items():
        passes = float(given[name][kinds].sum()) if name in given else 0.0
        told[name] = interval(passes, float(cells.sum()))
    return told
