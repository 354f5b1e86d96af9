"""The numbers of a template, of a model, or of all: how fast, how often it fails, what it costs, what users say."""

from collections.abc import Callable, Iterable, Mapping
from itertools import compress
from typing import Any, TypeAlias

import numpy as np

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.page.history import Counted
from llmvitals_collector.page.percentiles import percentiles
from llmvitals_collector.page.question import Question, Sums, together
from llmvitals_collector.page.reading import Form
from llmvitals_collector.statistics import wilson

Counts: TypeAlias = Callable[[Family], Counted]
"""What was counted in a family over some time."""

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
    calls = counts(semconv.CALLS)
    sums = together(calls, question, by)
    told: dict[str, dict[str, Any]] = {
        name: {"calls": shortened(sum(amounts)), "errors": by_class(calls.form, amounts)}
        for name, amounts in _amounts(sums).items()
    }
    more: dict[str, Mapping[str, Any]] = {
        what: _histogram(counts(family), question, by, shares) for what, (family, shares) in PERCENTILES.items()
    }
    more["cost"] = _cost(counts(semconv.COST), question, by)
    more["cache"] = _cache(counts(semconv.CACHE_LOOKUPS), question, by)
    more["negative"] = _negative(counts, question, by)
    for what, found in more.items():
        for name in told.keys() & found.keys():
            told[name][what] = found[name]
    return told


def shortened(number: float) -> float:
    """A whole number as it is, another one in so many digits as anybody reads."""
    whole = round(number)
    return whole if number == whole else float(f"{number:.{_DIGITS}g}")


def interval(passes: float, n: float) -> dict[str, float]:
    """A share of n with its 95 % interval, for the page."""
    rate, low, high, n = wilson(min(passes, n), n)
    return {"rate": shortened(rate), "low": shortened(low), "high": shortened(high), "n": shortened(n)}


def by_class(form: Form, calls: Iterable[float]) -> dict[str, float]:
    """Error class -> how many calls failed so, the most frequent first; calls: of each member of the form."""
    found = zip(form.members, calls, strict=True)
    errors = {why: shortened(amount) for (outcome, why), amount in found if outcome == semconv.ERROR and amount}
    return dict(sorted(errors.items(), key=lambda each: -each[1]))


def _amounts(sums: Sums) -> dict[str, list[float]]:
    """Of a counter, by name: the amount of each member."""
    return dict(zip(sums.names, sums.cells[:, :, 0].tolist(), strict=True))


def _histogram(
    counted: Counted, question: Question, by: str | None, shares: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Percentiles and `n`, of all members together."""
    names, cells = together(counted, question, by)
    bounds, buckets = counted.form.bounds, cells.sum(axis=1)
    assert bounds is not None  # noqa: S101 - it is a histogram
    found = percentiles(buckets, bounds, tuple(shares.values()), exponential=counted.form.exponential)
    numbers = np.column_stack([buckets.sum(axis=1), found]).tolist()
    return {
        name: dict(zip(("n", *shares), map(shortened, row), strict=True))
        for name, row in zip(names, numbers, strict=True)
    }


def _cost(counted: Counted, question: Question, by: str | None) -> dict[str, float]:
    return {name: shortened(sum(amounts)) for name, amounts in _amounts(together(counted, question, by)).items()}


def _cache(counted: Counted, question: Question, by: str | None) -> dict[str, dict[str, float]]:
    hit = counted.form.members.index((semconv.PROMPT_CACHE, semconv.HIT))
    return {
        name: {"hits": shortened(amounts[hit]), "n": shortened(sum(amounts))}
        for name, amounts in _amounts(together(counted, question, by)).items()
    }


def _negative(counts: Counts, question: Question, by: str | None) -> dict[str, dict[str, float]]:
    """Of the answers, how many got feedback that says that they did not help: as prometheus_rules/quality.rules.yml."""
    feedback = counts(semconv.FEEDBACK)
    kinds = [member[-1] in NEGATIVE for member in feedback.form.members]
    given = _amounts(together(feedback, question, by))
    answers = _amounts(together(counts(semconv.RESPONSES), question, by))
    return {
        name: interval(sum(compress(given.get(name, ()), kinds)), sum(amounts)) for name, amounts in answers.items()
    }
