"""What needs attention first, in sentences: what changed in the last five minutes, and what is below its promise."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector import comparison, rates
from llmvitals_collector.page import verdicts
from llmvitals_collector.page.figures import Counts, by_class
from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.percentiles import percentiles
from llmvitals_collector.page.question import Question, together
from llmvitals_collector.page.reading import Reading
from llmvitals_collector.page.verdicts import Slice
from llmvitals_collector.rates import Samples
from llmvitals_collector.statistics import wilson

CRITICAL, WARNING, INFO = SEVERITIES = ("critical", "warning", "info")
MOST = 12
# As prometheus_rules/slo.alerts.yml: at 14.4 an hour takes 2 % of the budget of 30 days, at 6 six hours take 5 %.
BURN_CRITICAL, BURN_WARNING = 14.4, 6.0
BURN_CALLS = {CRITICAL: 50, WARNING: 200}
# Everything is looked at every few seconds, in hundreds of slices: what is said has to be far from chance.
Z = 4.0
_ENOUGH = 30
# So many times more calls than before have to fail, or to be slower than 95 % were.
_FAIL_MORE, _SLOW_MORE = 3.0, 1.5
_TAIL = 0.05
# The rules' upper bound below which a rate is below its floor for sure: :ratio_high999.
_Z_FLOOR = 3.1
_SILENT_SECONDS, _FORGOTTEN_SECONDS = 300.0, 3600.0


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to look at.

    sentence: what, with its values. reason: why it is here. section: of the page, where the details are; filters: name
    in the address -> value, under which they are. runbook: the name of an alert that has one. much: by how much it is
    worse than it may be, among its kind.
    """

    severity: str
    sentence: str
    reason: str
    section: str
    filters: dict[str, str] = {}
    runbook: str = ""
    much: float = 0.0


class Seen(NamedTuple):
    """What is looked at: the last five minutes, the rest of the hour before them, the hour, and everything so far."""

    question: Question
    recent: Counts
    before: Counts
    hour: Counts
    all: Counts
    now: Reading
    floors: Floors


def attention(seen: Seen) -> list[Item]:
    """What to look at, at most MOST: the worst first, and of the equally bad first what users notice first."""
    kinds = (
        _burning(seen),
        _failing(seen),
        _slower(seen, semconv.FIRST_TOKEN, "first token", "first-token"),
        _slower(seen, semconv.DURATION, "duration", "duration"),
        _below_floor(verdicts.slices(seen.hour, seen.question), seen.floors),
        _worse_versions(verdicts.slices(seen.all, seen.question, several_versions=True)),
        _silent(seen.now),
        _of_the_collector(seen),
    )
    found = [item for kind in kinds for item in sorted(kind, key=lambda item: -item.much)]
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))[:MOST]


def _burning(seen: Seen) -> Iterator[Item]:
    """Objectives that are broken too fast, by model, in the last hour and still now."""
    hour = together(seen.hour(semconv.SLO_EVENTS), seen.question, semconv.LABEL_MODEL)
    recent = together(seen.recent(semconv.SLO_EVENTS), seen.question, semconv.LABEL_MODEL)
    members = seen.hour(semconv.SLO_EVENTS).form.members
    for (slo,), objective in seen.now.gauges[semconv.SLO_OBJECTIVE].items():
        bad = [member == (slo, semconv.BAD) for member in members]
        mine = [member[0] == slo for member in members]
        for model, cells in hour.items():
            share, n = _share(cells, bad, mine)
            still, _ = _share(recent.get(model, np.zeros_like(cells)), bad, mine)
            burn = min(share, still) / (1 - objective)
            severity = CRITICAL if burn >= BURN_CRITICAL else WARNING
            if burn >= BURN_WARNING and n >= BURN_CALLS[severity]:
                yield Item(
                    severity,
                    f"{_model(model)} breaks the objective {slo}: {_percent(share)} of the calls of the last hour are "
                    f"bad (n = {n:.0f}), and {_percent(still)} of those of the last five minutes.",
                    f"{100 * objective:g} % are to be good; at this pace the budget of 30 days is gone in "
                    f"{_days(30 / burn)}.",
                    "errors" if slo == semconv.SLO_AVAILABILITY else slo.replace("_", "-"),
                    {"model": model},
                    "LLMSLOBurnRateCritical" if severity == CRITICAL else "LLMSLOBurnRateWarning",
                    much=burn,
                )


def _failing(seen: Seen) -> Iterator[Item]:
    """Templates of which more calls fail than before."""
    recent = together(seen.recent(semconv.CALLS), seen.question, semconv.LABEL_TEMPLATE)
    before = together(seen.before(semconv.CALLS), seen.question, semconv.LABEL_TEMPLATE)
    failed = [member[0] == semconv.ERROR for member in seen.recent(semconv.CALLS).form.members]
    every = [True] * len(failed)
    for template, cells in recent.items():
        share, n = _share(cells, failed, every)
        earlier, of = _share(before.get(template, np.zeros_like(cells)), failed, every)
        if min(n, of) < _ENOUGH:
            continue
        usual = wilson(earlier * of, of, Z).high
        if wilson(share * n, n, Z).low > max(usual, _FAIL_MORE * earlier, 0.01):
            worst = next(iter(by_class(seen.recent(semconv.CALLS), cells)))
            yield Item(
                WARNING,
                f"{_template(template)}: {_percent(share)} of the calls of the last five minutes fail (n = {n:.0f}), "
                f"most of them by {worst}.",
                f"In the hour before, {_percent(earlier)} failed (n = {of:.0f}).",
                "errors",
                {"template": template},
                much=share - earlier,
            )


def _slower(seen: Seen, family: Family, what: str, section: str) -> Iterator[Item]:
    """Templates of which far more than 5 % take longer than 95 % took before."""
    recent = together(seen.recent(family), seen.question, semconv.LABEL_TEMPLATE)
    before = together(seen.before(family), seen.question, semconv.LABEL_TEMPLATE)
    form = seen.recent(family).form
    both = ((name, recent[name].sum(axis=0), before[name].sum(axis=0)) for name in recent.keys() & before.keys())
    enough = [(name, now, then) for name, now, then in both if min(now.sum(), then.sum()) >= _ENOUGH]
    if form.bounds is None or not enough:
        return
    names, nows, thens = zip(*enough, strict=True)
    tails = percentiles(np.stack([*nows, *thens]), form.bounds, (1 - _TAIL,), exponential=form.exponential)
    p95s = tails.reshape(2, -1).T.tolist()
    for template, now, then, (p95, p95_before) in zip(names, nows, thens, p95s, strict=True):
        n, of = float(now.sum()), float(then.sum())
        # Whole buckets: those above the one in which that percentile lies.
        above = np.searchsorted(form.bounds, p95_before) + 1
        slow, slow_before = float(now[above:].sum()), float(then[above:].sum())
        usual = wilson(max(slow_before, _TAIL * of), of, Z).high
        if wilson(slow, n, Z).low > max(usual, _SLOW_MORE * _TAIL):
            yield Item(
                WARNING,
                f"{_template(template)}: the {what} is slower. p95 is {_seconds(p95)} in the last five minutes "
                f"(n = {n:.0f}), after {_seconds(p95_before)} in the hour before.",
                f"{_percent(slow / n)} take longer than 95 % took before.",
                section,
                {"template": template},
                much=slow / n,
            )


def _below_floor(of: Mapping[Slice, Samples], floors: Floors) -> Iterator[Item]:
    for (template, dimension), samples in of.items():
        metric = floors.of(template, dimension)
        found = metric and rates.rate(samples, template, dimension)
        if not metric or not found or found.looked_at < metric.metric.min_n:
            continue
        floor, (rate, _, _, n) = metric.metric.floor, found.estimate[:4]
        high = wilson(rate * n, n, _Z_FLOOR).high
        if high < floor:
            yield Item(
                CRITICAL if metric.metric.severity == CRITICAL else WARNING,
                f"{_template(template)}: {dimension} is below its floor of {floor:.2f}. {rate:.2f} of the answers of "
                f"the last hour pass ({verdicts.HOW.get(found.source, found.source)}, n = {found.looked_at}).",
                f"The true share is at most {high:.2f}, with 99.9 % certainty. Owner: {metric.owner}.",
                "quality",
                {"template": template},
                "LLMQualityBelowFloor",
                much=floor - high,
            )


def _worse_versions(of: dict[Slice, Samples]) -> Iterator[Item]:
    for (template, _), compared in verdicts.worse(of):
        older, newer = compared.versions
        yield Item(
            WARNING,
            f"{_template(template)}: {comparison.told(compared)}.",
            f"{compared.second.estimate.rate:.2f} of the answers of version {newer} pass, "
            f"{compared.first.estimate.rate:.2f} of those of version {older}.",
            "quality",
            {"template": template},
            "LLMReleaseRegression",
            much=-compared.difference.high,
        )


def _silent(now: Reading) -> Iterator[Item]:
    for (service,), last in now.gauges[semconv.COLLECTOR_LAST_RECEIVED].items():
        silent = now.at - last
        if _SILENT_SECONDS < silent < _FORGOTTEN_SECONDS:
            yield Item(
                WARNING,
                f"{service or 'A service without a name'} has sent nothing for {silent / 60:.0f} minutes.",
                "It did so within the last hour.",
                "totals",
                {"service": service},
                "LLMTelemetryStopped",
            )


def _of_the_collector(seen: Seen) -> Iterator[Item]:
    """What of the last hour is not in the numbers of the page, or not as it should be."""
    refused = _values(seen.hour, semconv.COLLECTOR_REFUSED_REQUESTS)
    if refused:
        receiver, reason = max(refused, key=lambda each: refused[each])
        yield Item(
            WARNING,
            f"The collector refused {_times(sum(refused.values()), 'request')} in the last hour.",
            f"Most of them at {receiver}, as {reason}. What they held is not counted here.",
            "collector",
            runbook="LLMCollectorRefusingData",
        )
    if lost := sum(_values(seen.hour, semconv.COLLECTOR_LOST_RECORDS).values()):
        yield Item(
            CRITICAL,
            f"The collector lost {_times(lost, 'record')} in the last hour that it had accepted.",
            "That is a fault of the collector; its log has the traceback.",
            "collector",
            runbook="LLMCollectorLosingData",
        )
    overflowed = _values(seen.hour, semconv.COLLECTOR_SERIES_OVERFLOW)
    if overflowed:
        (metric,) = max(overflowed, key=lambda each: overflowed[each])
        yield Item(
            WARNING,
            f"There are more label sets than limits.label_sets: what is beyond is shown as {semconv.OVERFLOW}.",
            f"First of all in {metric}. A label has values that are new all the time, such as ids.",
            "collector",
            runbook="LLMSeriesLimitReached",
        )
    if unpriced := sum(_values(seen.hour, semconv.COLLECTOR_UNPRICED).values()):
        yield Item(
            INFO,
            f"The cost is too low: {_times(unpriced, 'call')} of the last hour without a price.",
            "Neither their senders nor the collector's prices know it; see processors.price.",
            "cost",
            runbook="LLMUnpricedCalls",
        )


def _values(counts: Counts, family: Family) -> dict[tuple[str, ...], float]:
    _, keys, values = counts(family)
    return {key: value for key, value in zip(keys, values[:, 0].tolist(), strict=True) if value}


def _share(cells: NDArray[np.float64], some: Iterable[bool], of: Iterable[bool]) -> tuple[float, float]:
    """The share of some members in others, and how many these are; 0 of none."""
    amounts = cells[:, 0]
    n = float(amounts[list(of)].sum())
    return (float(amounts[list(some)].sum()) / n if n else 0.0), n


def _template(name: str) -> str:
    return f"Template {name}" if name else "Calls without a template"


def _model(name: str) -> str:
    return name or "A model without a name"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def _days(days: float) -> str:
    return f"{days:.1f} days" if days >= 1 else f"{days * 24:.0f} hours"


def _times(number: float, what: str) -> str:
    return f"{number:.0f} {what}{'' if round(number) == 1 else 's'}"
