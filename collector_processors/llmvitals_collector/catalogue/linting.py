"""Finds what a catalogue lacks: owners, runbooks, dimensions, room in the collector, and names that nobody knows."""

import difflib
import math
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from pathlib import Path

from llmvitals import semconv
from llmvitals_collector import assets
from llmvitals_collector.catalogue import patterns, rule_files
from llmvitals_collector.catalogue.catalogue import Catalogue, Feature, OwnedMetric, is_address
from llmvitals_collector.measures import LABEL_COLUMNS

FEWEST_DIMENSIONS = 3
# How alike a dimension of one's own has to be to one that ships, to be taken for a slip.
_SLIP = 0.88


def findings(catalogue: Catalogue, folder: Path) -> Iterator[str]:
    """Each in one line, with its path.

    folder: where the catalogue lies.
    """
    yield from _names(catalogue)
    for name, feature in catalogue.features.items():
        yield from _of_feature(f"features.{name}", feature)
        yield from _no_page(f"features.{name}.runbook", feature.runbook, folder)
    for metric in catalogue.metrics():
        yield from _of_metric(_path(metric), metric, folder)
    yield from _same_pages(catalogue, folder)
    yield from _overlaps(catalogue)
    yield from _of_alerts(catalogue)
    yield from _label_sets(catalogue)


def runbook(told: str, folder: Path) -> Path | None:
    """The file of a runbook, in the catalogue's folder or of those that ship; None where there is none.

    It is copied to where everybody reads it, so that no other file may be meant.
    """
    for base in (folder, assets.prometheus_rules()):
        place = base / told
        if place.suffix == ".md" and place.is_file() and place.resolve().is_relative_to(base.resolve()):
            return place
    return None


def _path(metric: OwnedMetric) -> str:
    feature = metric.name.removesuffix(f".{metric.dimension}")
    return f"features.{feature}.metrics.{metric.dimension}"


def _names(catalogue: Catalogue) -> Iterator[str]:
    """What becomes the value of a label."""
    named: dict[str, Collection[object]] = {"features": catalogue.features, "budgets": catalogue.budgets}
    named |= {f"features.{name}.metrics": feature.metrics for name, feature in catalogue.features.items()}
    for path, names in named.items():
        for name in names:
            if not isinstance(name, str) or not name.isprintable():
                yield f"{path}: {name!r} is no name; valid: one line of printable text, in quotes where YAML needs them"


def _of_feature(path: str, feature: Feature) -> Iterator[str]:
    if len(feature.metrics) < FEWEST_DIMENSIONS:
        yield f"{path}.metrics: are {len(feature.metrics)}; valid: at least {FEWEST_DIMENSIONS} dimensions of quality"
    safe = [name for name, track in semconv.DIMENSIONS.items() if track == semconv.ALIGNMENT]
    if not feature.metrics.keys() & set(safe):
        yield f"{path}.metrics: none is about safety; valid: at least one of {', '.join(safe)}"
    for dimension in feature.metrics.keys() - semconv.DIMENSIONS.keys():
        if near := difflib.get_close_matches(str(dimension), semconv.DIMENSIONS, n=1, cutoff=_SLIP):
            yield f"{path}.metrics.{dimension}: is no dimension that ships; did you mean {near[0]!r}?"


def _of_metric(path: str, of: OwnedMetric, folder: Path) -> Iterator[str]:
    metric = of.metric
    if not of.owner:
        yield f"{path}: has no owner, nor has its feature"
    if not metric.says:
        yield f"{path}: does not say what it is; valid: a sentence under `says`"
    if metric.floor > metric.target:
        yield f"{path}.floor: {metric.floor} is above the target, {metric.target}"
    if not of.runbook:
        yield f"{path}: has no runbook, nor has its feature"
    yield from _no_page(f"{path}.runbook", metric.runbook, folder)
    yield from _known(f"{path}.sources", metric.sources, semconv.SOURCES)
    yield from _known(f"{path}.failure_modes", metric.failure_modes, semconv.FAILURE_MODES)


def _no_page(path: str, told: str, folder: Path) -> Iterator[str]:
    if told and not is_address(told) and not runbook(told, folder):
        valid = "a .md file in the catalogue's folder or of those that ship, or an address"
        yield f"{path}: {told!r} is no runbook; valid: {valid}"


def _overlaps(catalogue: Catalogue) -> Iterator[str]:
    """Of one template and dimension there can be only one floor."""
    for first, second in combinations(catalogue.metrics(), 2):
        if first.dimension != second.dimension or first.feature.everywhere != second.feature.everywhere:
            continue
        pairs = ((one, other) for one in first.feature.templates for other in second.feature.templates)
        if shared := next((pair for pair in pairs if patterns.common(*pair) is not None), None):
            yield (
                f"{_path(second)}: its templates {shared[1]!r} and those of {first.name}, {shared[0]!r}, have"
                f" {patterns.common(*shared)!r} in common; valid: one feature for a template"
            )


def _same_pages(catalogue: Catalogue, folder: Path) -> Iterator[str]:
    """All runbooks come into one directory."""
    pages: dict[str, Path] = {}
    for metric in catalogue.metrics():
        page = runbook(metric.runbook, folder)
        if page and not pages.setdefault(page.name, page).samefile(page):
            yield f"{_path(metric)}: its runbook {page} has the name of another, {pages[page.name]}; valid: other names"


def _of_alerts(catalogue: Catalogue) -> Iterator[str]:
    if not catalogue.alerts:
        return
    alerts = rule_files.alerts(rule_files.shipped())
    yield from _known("alerts", catalogue.alerts, alerts)
    for name, override in catalogue.alerts.items():
        severities = alerts[name].severities if name in alerts else ()
        if override.severity and len(severities) > 1:
            yield (
                f"alerts.{name}.severity: it is {' or '.join(severities)}, by how much; valid: none here, but other"
                " thresholds"
            )


def _label_sets(catalogue: Catalogue) -> Iterator[str]:
    """A label that is left out has one value. Families with the same open labels share their label sets."""
    counts: Mapping[str, int] = catalogue.cardinality
    yield from _known("cardinality", counts, LABEL_COLUMNS)
    limits = catalogue.limits
    for label, count in counts.items():
        if count > limits.label_values:
            yield f"cardinality.{label}: {count} values are more than limits.label_values, {limits.label_values}"
    families: dict[tuple[str, ...], list[str]] = {}
    for family in semconv.COUNTED_FAMILIES:
        families.setdefault(tuple(label for label in family.labels if label in LABEL_COLUMNS), []).append(family.name)
    for labels, names in families.items():
        sets = math.prod(counts.get(label, 1) for label in labels)
        if sets > limits.label_sets:
            most = max(labels, key=lambda label: counts.get(label, 1))
            yield (
                f"cardinality: {', '.join(names)} would have {sets} label sets, of which limits.label_sets allows"
                f" {limits.label_sets}; valid: at most {counts[most] * limits.label_sets // sets} for {most}"
            )


def _known(path: str, names: Collection[str], valid: Collection[str]) -> Iterator[str]:
    for name in names:
        if name not in valid:
            near = difflib.get_close_matches(str(name), valid, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(valid)}"
            yield f"{path}: {name!r} is unknown; {hint}"
