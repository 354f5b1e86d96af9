"""What needs attention first, in sentences: what changed in the last five minutes, and what is below its promise."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector import comparison, rates
from llmvitals_collector.page import verdicts
from llmvitals_collector.page.figures import Counts, by_class
from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.percentiles import percentiles
from llmvitals_collector.page.question import Question, Sums, together
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


# In its sentences n is how much was counted in the last hour, and most the labels of which most was.
_OF_THE_COLLECTOR = {
    semconv.COLLECTOR_REFUSED_REQUESTS: Item(
        WARNING,
        "The collector refused {n} request{s} in the last hour.",
        "Most of them at {most[0]}, as {most[1]}. What they held is not counted here.",
        "collector",
        runbook="LLMCollectorRefusingData",
    ),
    semconv.COLLECTOR_LOST_RECORDS: Item(
        CRITICAL,
        "The collector lost {n} record{s} in the last hour that it had accepted.",
        "That is a fault of the collector; its log has the traceback.",
        "collector",
        runbook="LLMCollectorLosingData",
    ),
    semconv.COLLECTOR_SERIES_OVERFLOW: Item(
        WARNING,
        f"There are more label sets than limits.label_sets: what is beyond is shown as {semconv.OVERFLOW}.",
        "First of all in {most[0]}. A label has values that are new all the time, such as ids.",
        "collector",
        runbook="LLMSeriesLimitReached",
    ),
    semconv.COLLECTOR_UNPRICED: Item(
        INFO,
        "The cost is too low: {n} call{s} of the last hour without a price.",
        "Neither their senders nor the collector's prices know it; see processors.price.",
        "cost",
        runbook="LLMUnpricedCalls",
    ),
}


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
        now = _shares(recent, bad, mine)
        for model, (share, n) in _shares(hour, bad, mine).items():
            still, _ = now.get(model, (0.0, 0.0))
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
    form = seen.recent(semconv.CALLS).form
    failed = [member[0] == semconv.ERROR for member in form.members]
    every = [True] * len(failed)
    usual = _shares(before, failed, every)
    for nth, (template, (share, n)) in enumerate(_shares(recent, failed, every).items()):
        earlier, of = usual.get(template, (0.0, 0.0))
        if min(n, of) < _ENOUGH or share <= max(_FAIL_MORE * earlier, 0.01):
            continue
        if wilson(share * n, n, Z).low > max(wilson(earlier * of, of, Z).high, _FAIL_MORE * earlier, 0.01):
            worst = next(iter(by_class(form, recent.cells[nth, :, 0].tolist())))
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
    assert form.bounds is not None  # noqa: S101 - it is a histogram
    names = [name for name in recent.names if name in before.names]
    both = np.stack([each.cells[[each.names.index(name) for name in names]].sum(axis=1) for each in (recent, before)])
    p95s = percentiles(both.reshape(-1, form.buckets), form.bounds, (1 - _TAIL,), exponential=form.exponential)
    p95s = p95s.reshape(2, -1)
    # Whole buckets: those above the one in which that percentile lies.
    above = np.arange(form.buckets) > np.searchsorted(form.bounds, p95s[1])[:, None]
    numbers = np.stack([*p95s, *both.sum(axis=2), *(both * above).sum(axis=2)], axis=1).tolist()
    for template, (p95, p95_before, n, of, slow, slow_before) in zip(names, numbers, strict=True):
        if min(n, of) < _ENOUGH or slow <= _SLOW_MORE * _TAIL * n:
            continue
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
    for family, item in _OF_THE_COLLECTOR.items():
        _, keys, values = seen.hour(family)
        if n := round(values.sum()):
            most = keys[int(values[:, 0].argmax())]
            sentence, reason = (
                text.format(n=n, s="" if n == 1 else "s", most=most) for text in (item.sentence, item.reason)
            )
            yield msgspec.structs.replace(item, sentence=sentence, reason=reason)


def _shares(sums: Sums, some: list[bool], of: list[bool]) -> dict[str, tuple[float, float]]:
    """By name: the share of some members in others, and how many these are; 0 of none."""
    amounts, ns = (sums.cells[:, members, 0].sum(axis=1).tolist() for members in (some, of))
    return {name: (amount / n if n else 0.0, n) for name, amount, n in zip(sums.names, amounts, ns, strict=True)}


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
