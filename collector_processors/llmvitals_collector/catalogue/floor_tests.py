"""Writes a unit test of a catalogue's own floors: below them the alert fires, on them it does not."""

import math
import string
from collections.abc import Iterator
from fnmatch import fnmatchcase

import yaml

from llmvitals import semconv
from llmvitals_collector.catalogue import patterns, recording
from llmvitals_collector.catalogue.catalogue import Catalogue, Override, OwnedMetric
from llmvitals_collector.catalogue.patterns import quoted

_RULES = (recording.FILE_NAME, "quality_change.rules.yml", "quality.alerts.yml")
_MINUTES = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440, "w": 10080}
_WARM = 5  # minutes until everything is recorded
_BELOW, _ON, _FEW = "below its floor", "on its floor", "of too few answers"  # in place of a service


def tests(catalogue: Catalogue, waits: str) -> str:
    """The text of the file, for promtool.

    waits: for how long a rate has to be below its floor, as `for` says it; "" where it fires at once.
    """
    minutes = _WARM + math.ceil(int(waits[:-1]) * _MINUTES[waits[-1]] if waits else 0)
    metrics = list(_templates(catalogue))
    firing = f'ALERTS{{alertname="{semconv.ALERT_BELOW_FLOOR}", alertstate="firing"}}'
    kept = (semconv.LABEL_SERVICE, semconv.LABEL_CATALOGUE_METRIC, semconv.LABEL_OWNER, semconv.LABEL_SEVERITY)
    test = {
        "name": "what is below its floor fires, what is on it or of too few answers does not",
        "interval": "1m",
        "input_series": [
            {"series": series, "values": f"{value}x{minutes}"}
            for metric, template in metrics
            for series, value in _rates(metric, template)
        ],
        "promql_expr_test": [
            {
                "expr": f"count by ({', '.join(kept)}) ({firing})",
                "eval_time": f"{minutes}m",
                "exp_samples": [{"labels": _labels(_expected(catalogue, metric)), "value": 1} for metric, _ in metrics],
            }
        ],
    }
    document = {"rule_files": [f"../{name}" for name in _RULES], "evaluation_interval": "1m", "tests": [test]}
    return "# Written by `llmvitals catalogue build`.\n" + yaml.safe_dump(document, sort_keys=False, width=1000)


def _templates(catalogue: Catalogue) -> Iterator[tuple[OwnedMetric, str]]:
    """Every metric, and a template that it is about; if others have taken all that we think of, it has no test."""
    for metric in catalogue.metrics():
        taken = catalogue.elsewhere(metric)
        names = (
            patterns.example(pattern, letter)
            for letter in string.ascii_lowercase
            for pattern in metric.feature.templates
        )
        name = next((name for name in names if not any(fnmatchcase(name, each) for each in taken)), None)
        if name is not None:
            yield metric, name


def _rates(of: OwnedMetric, template: str) -> Iterator[tuple[str, float]]:
    """Recorded series and their values."""
    floor, n = of.metric.floor, of.metric.min_n
    # Wilson's upper bound of 0 of n is z²/(n + z²), with a z of 3.1: 0 of so many are below any floor.
    surely = max(n, math.ceil(20 / floor))
    for case, rate, answers in ((_BELOW, 0.0, surely), (_ON, floor, surely), (_FEW, 0.0, n - 1)):
        labels = {
            semconv.LABEL_WINDOW: semconv.WINDOWS[0],
            semconv.LABEL_SERVICE: case,
            semconv.LABEL_TEMPLATE: template,
            semconv.LABEL_TEMPLATE_VERSION: "1",
            semconv.LABEL_DIMENSION: of.dimension,
            semconv.LABEL_SOURCE: semconv.SOURCE_JUDGE,
        }
        yield semconv.RECORDED_QUALITY + _labels(labels), rate
        yield semconv.RECORDED_QUALITY_N + _labels(labels), answers


def _expected(catalogue: Catalogue, of: OwnedMetric) -> dict[str, str]:
    override = catalogue.alerts.get(semconv.ALERT_BELOW_FLOOR, Override())
    return {
        semconv.LABEL_SERVICE: _BELOW,
        semconv.LABEL_CATALOGUE_METRIC: of.name,
        semconv.LABEL_OWNER: override.owner or of.owner,
        semconv.LABEL_SEVERITY: override.severity or of.metric.severity,
    }


def _labels(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={quoted(text)}" for name, text in labels.items()) + "}"
