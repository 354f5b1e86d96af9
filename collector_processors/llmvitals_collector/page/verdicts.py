"""How good the answers are, for the page: each template and dimension, and each version of its prompt."""

from collections import Counter, defaultdict
from typing import Any, TypeAlias

import numpy as np
from prometheus_client.samples import Sample

from llmvitals import semconv
from llmvitals_collector import comparison, rates
from llmvitals_collector.page.figures import Counts, shortened
from llmvitals_collector.page.question import Question
from llmvitals_collector.page.reading import QUALITY
from llmvitals_collector.rates import Rate, Samples

Slice: TypeAlias = tuple[str, str]
"""A template and a dimension."""

# How a rate is known; of any other source, its name says it.
HOW = {rates.CORRECTED: "corrected", semconv.SOURCE_JUDGE: "uncalibrated", semconv.SOURCE_HEURISTIC: "check"}
BY_JUDGE = frozenset({rates.CORRECTED, semconv.SOURCE_JUDGE})


def slices(counts: Counts, question: Question, *, several_versions: bool = False) -> dict[Slice, Samples]:
    """The counts of verdicts and grades of each template and dimension, as `rates` takes them.

    several_versions: only of templates that have more than one.
    """
    compared = _templates_of_several_versions(counts) if several_versions else None
    found: defaultdict[Slice, defaultdict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for family in QUALITY:
        form, keys, values = counts(family)
        template, dimension = (form.names.index(each) for each in (semconv.LABEL_TEMPLATE, semconv.LABEL_DIMENSION))
        closed = [name for name in family.labels if name not in form.names]
        names = (*form.names, *closed)
        wanted = question.of(form.names, keys)
        if compared is not None:
            wanted &= np.fromiter((bool(key) and key[template] in compared for key in keys), np.bool_)
        rows, cells = np.nonzero(values * wanted[:, None])
        for row, cell, value in zip(rows.tolist(), cells.tolist(), values[rows, cells].tolist(), strict=True):
            key = keys[row]
            sample = Sample(family.name, dict(zip(names, key + form.members[cell], strict=True)), value)
            found[key[template], key[dimension]][family.name].append(sample)
    return dict(found)


def told(of: dict[Slice, Samples]) -> list[dict[str, Any]]:
    """The rate of each slice with its interval and how it is known, and of each version."""
    rows = []
    for (template, dimension), samples in of.items():
        if whole := rates.rate(samples, template, dimension):
            row: dict[str, Any] = {"template": template, "dimension": dimension, **_told(whole)}
            versions = rates.versions(samples, template)
            if len(versions) > 1:
                each = {version: rates.rate(samples, template, dimension, version) for version in versions}
                row["versions"] = [{"version": version, **_told(rate)} for version, rate in each.items() if rate]
            rows.append(row)
    return rows


def worse(of: dict[Slice, Samples]) -> list[tuple[Slice, comparison.Comparison]]:
    """Where the newer of a prompt's last two versions is worse for sure, by a judge."""
    found = []
    for (template, dimension), samples in of.items():
        versions = rates.versions(samples, template)
        if len(versions) > 1:
            compared = comparison.compared(samples, template, *versions[-2:])
            judged = (each for each in compared if each.first.source in BY_JUDGE)
            found += [((template, dimension), each) for each in judged if each.difference.high < 0]
    return found


def _templates_of_several_versions(counts: Counts) -> set[str]:
    form, keys, values = counts(semconv.QUALITY_WEIGHT)
    template, version = (form.names.index(each) for each in (semconv.LABEL_TEMPLATE, semconv.LABEL_TEMPLATE_VERSION))
    seen = {(keys[row][template], keys[row][version]) for row in np.flatnonzero(values[:, 0]).tolist()}
    return {each for each, amount in Counter(template for template, _ in seen).items() if amount > 1}


def _told(found: Rate) -> dict[str, Any]:
    rate, low, high = (shortened(each) for each in found.estimate[:3])
    n, how = shortened(round(found.estimate.n, 1)), HOW.get(found.source, found.source)
    return {"rate": rate, "low": low, "high": high, "n": n, "how": how, "looked_at": found.looked_at}
