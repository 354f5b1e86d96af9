"""Writes catalogue.rules.yml: what a catalogue says, as series with which rules, alerts and dashboards compare."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

import msgspec

from llmvitals import semconv
from llmvitals_collector.catalogue import patterns
from llmvitals_collector.catalogue.catalogue import Catalogue, OwnedMetric, is_address

FILE_NAME = "catalogue.rules.yml"
_SLICE = ", ".join((semconv.LABEL_WINDOW, semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_DIMENSION))
_HEAD = """\
# Written from a catalogue, which is to be changed in place of this file: `llmvitals catalogue build` writes it anew.
groups:
  - name: llm-catalogue
    rules:
"""


def rules(catalogue: Catalogue) -> str:
    """The text of the file."""
    return _HEAD + "".join(f"      {line}\n" if line else "\n" for line in _lines(catalogue))


def runbook(metric: OwnedMetric) -> str:
    """Where a metric's runbook is: its address, or the path under which it is served and copied."""
    told = metric.runbook
    return told if is_address(told) or not told else f"/runbooks/{PurePosixPath(told).name}"


def _lines(catalogue: Catalogue) -> Iterator[str]:
    yield "# When alerts fire."
    for name, value in msgspec.structs.asdict(catalogue.thresholds).items():
        yield _vector(semconv.CATALOGUE_THRESHOLD, {semconv.LABEL_THRESHOLD: name}, value)
    if catalogue.budgets:
        yield from ("", "# US dollars a month.")
    for service, dollars in catalogue.budgets.items():
        yield _vector(semconv.CATALOGUE_BUDGET, {semconv.LABEL_SERVICE: service}, dollars)
    for metric in catalogue.metrics():
        yield from ("", f"# {metric.name}: {metric.metric.says}".rstrip(": "))
        yield _vector(semconv.CATALOGUE_METRIC, _told(metric), 1)
        yield from _bounds(catalogue, metric)


def _told(metric: OwnedMetric) -> dict[str, str]:
    texts = {
        semconv.LABEL_CATALOGUE_METRIC: metric.name,
        semconv.LABEL_SAYS: metric.metric.says,
        semconv.LABEL_RUNBOOK: runbook(metric),
        semconv.LABEL_ROLLBACK: metric.rollback,
        semconv.LABEL_RESPOND_WITHIN: metric.metric.respond_within,
    }
    return {name: text for name, text in texts.items() if text}


def _bounds(catalogue: Catalogue, of: OwnedMetric) -> Iterator[str]:
    """A series of each bound for every slice that has a rate, so that they can be joined one to one."""
    matchers = [
        f"{semconv.LABEL_TEMPLATE}=~{patterns.quoted(patterns.regex(of.feature.templates))}",
        f"{semconv.LABEL_DIMENSION}={patterns.quoted(of.dimension)}",
    ]
    if elsewhere := catalogue.elsewhere(of):
        matchers.insert(1, f"{semconv.LABEL_TEMPLATE}!~{patterns.quoted(patterns.regex(elsewhere))}")
    watched = [*matchers, f"{semconv.LABEL_WINDOW}=~{patterns.quoted('|'.join(of.metric.windows))}"]
    yield from _bound(semconv.CATALOGUE_FLOOR, of, of.metric.floor, matchers)
    yield from _bound(semconv.CATALOGUE_TARGET, of, of.metric.target, matchers)
    yield from _bound(semconv.CATALOGUE_MIN_N, of, of.metric.min_n, watched)


def _bound(name: str, of: OwnedMetric, value: float, matchers: list[str]) -> Iterator[str]:
    labels = {
        semconv.LABEL_CATALOGUE_METRIC: of.name,
        semconv.LABEL_OWNER: of.owner,
        semconv.LABEL_SEVERITY: of.metric.severity,
    }
    yield f"- record: {name}"
    yield f"  labels: {_labels(labels)}"
    yield "  expr: |"
    yield f"    {_number(value)} * group by ({_SLICE}) ("
    yield f"      {semconv.RECORDED_QUALITY}{{{', '.join(matchers)}}}"
    yield "    )"


def _vector(name: str, labels: dict[str, str], value: float) -> str:
    return f"- {{record: '{name}', labels: {_labels(labels)}, expr: vector({_number(value)})}}"


def _number(value: float) -> str:
    return str(int(value) if value == int(value) else value)


def _labels(labels: dict[str, str]) -> str:
    """In YAML, of whose quoted texts JSON's are a part."""
    return "{" + ", ".join(f"{name}: {json.dumps(text, ensure_ascii=False)}" for name, text in labels.items()) + "}"
