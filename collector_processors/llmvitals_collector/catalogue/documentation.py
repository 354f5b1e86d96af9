"""Writes pages for people: the list of alerts, and what a catalogue holds."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

import msgspec

from llmvitals_collector.catalogue import recording
from llmvitals_collector.catalogue.catalogue import Catalogue, OwnedMetric
from llmvitals_collector.catalogue.rule_files import Alert
from llmvitals_collector.catalogue.thresholds import Thresholds
from llmvitals_collector.reference import about

_CATEGORIES = {
    "slo": "Objectives of calls",
    "quality": "Quality",
    "cost": "Cost",
    "telemetry": "Can the numbers be trusted?",
}
_ALERTS_OPENING = """\
# Alerts

Written by `python prometheus_rules/generate.py` from the rules, their runbooks and `catalogue.yaml`.
"""
_CATALOGUE_OPENING = """\
# What is measured, and who owns it

Written by `llmvitals catalogue build`; change the catalogue instead.
"""
_DEFAULTS = """\
What an alert *fires when* is told with the default numbers; those that hold stand under *thresholds* and *for*.
"""
_FIRES_WHEN = re.compile(r"^\*\*Fires when\.\*\*\s+(.+?)\s*(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
Row = tuple[str, ...]
# The text of a runbook by the name of its alert.
Runbook = Callable[[str], str]


def alerts_page(catalogue: Catalogue, alerts: Mapping[str, Alert], runbook: Runbook) -> str:
    """ALERTS.md: every alert, and every threshold."""
    return "\n".join((_ALERTS_OPENING, *_alerts(catalogue, alerts, runbook)))


def catalogue_page(catalogue: Catalogue, alerts: Mapping[str, Alert], runbook: Runbook) -> str:
    """CATALOGUE.md of what is built: features with their metrics, objectives, budgets, alerts and thresholds."""
    pages = (_features(catalogue), _objectives(catalogue), _alerts(catalogue, alerts, runbook))
    return "\n".join((_CATALOGUE_OPENING, *chain.from_iterable(pages)))


def fires_when(runbook: str) -> str:
    """What a runbook says of it, in one line; "" where it says nothing."""
    found = _FIRES_WHEN.search(runbook)
    return " ".join(found[1].split()) if found else ""


def _alerts(catalogue: Catalogue, alerts: Mapping[str, Alert], runbook: Runbook) -> Iterator[str]:
    numbers = msgspec.structs.asdict(catalogue.thresholds)
    yield _DEFAULTS
    for category, title in _CATEGORIES.items():
        rows = [_alert_row(each, runbook, numbers) for each in alerts.values() if each.category == category]
        if rows:
            yield f"## {title}\n"
            yield from _table(("alert", "fires when", "thresholds", "for", "severity", "owner"), rows)
    _, sentences = about(Thresholds)
    yield "## Thresholds\n"
    yield from _table(
        ("threshold", "value", "what it is"), [(f"`{name}`", f"{n:g}", sentences[name]) for name, n in numbers.items()]
    )


def _alert_row(alert: Alert, runbook: Runbook, numbers: Mapping[str, float]) -> Row:
    return (
        f"[{alert.name}](runbooks/{alert.name}.md)",
        fires_when(runbook(alert.name)),
        ", ".join(f"`{name}` {numbers[name]:g}" for name in alert.thresholds),
        alert.for_ or "at once",
        " or ".join(alert.severities) or "the metric's",
        " or ".join(alert.owners) or "the metric's",
    )


def _features(catalogue: Catalogue) -> Iterator[str]:
    for name, feature in catalogue.features.items():
        yield f"## {name}\n"
        where = ", ".join(f"`{pattern}`" for pattern in feature.templates)
        besides = " that no other feature names" if feature.everywhere else ""
        yield f"{feature.says or name.capitalize()}: templates {where}{besides}. Owner: {feature.owner or 'none'}.\n"
        metrics = [metric for metric in catalogue.metrics() if metric.feature is feature]
        headings = ("metric", "what passes", "floor", "target", "window", "n", "severity", "owner", "within", "runbook")
        yield from _table(headings, map(_metric_row, metrics))
        yield from _table(("metric", "said by", "fails as", "roll back"), map(_answer_row, metrics))


def _metric_row(of: OwnedMetric) -> Row:
    metric, page = of.metric, recording.runbook(of)
    return (
        of.dimension,
        metric.says,
        _percent(metric.floor),
        _percent(metric.target),
        f"up to {metric.window}",
        f"{metric.min_n}",
        metric.severity,
        of.owner,
        metric.respond_within,
        f"[{page.rpartition('/')[2] or page}]({page.removeprefix('/')})",
    )


def _answer_row(of: OwnedMetric) -> Row:
    return of.dimension, ", ".join(of.metric.sources), ", ".join(of.metric.failure_modes), of.rollback


def _objectives(catalogue: Catalogue) -> Iterator[str]:
    yield "## Objectives and budgets\n"
    objectives = msgspec.structs.asdict(catalogue.objectives)
    rows = [
        (name, _percent(each.objective), f"{seconds:g} s" if (seconds := getattr(each, "threshold_seconds", 0)) else "")
        for name, each in objectives.items()
    ]
    yield from _table(("objective", "good calls", "within"), rows)
    if catalogue.budgets:
        budgets = [(service, f"{dollars:g}") for service, dollars in catalogue.budgets.items()]
        yield from _table(("service", "US dollars a month"), budgets)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _table(headings: Row, rows: Iterable[Row]) -> Iterator[str]:
    for row in (headings, ("---",) * len(headings), *rows):
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |"
    yield ""
