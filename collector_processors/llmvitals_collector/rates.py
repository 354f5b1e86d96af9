"""How good answers are by the collector's own counters: of each template and dimension the best estimate there is."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from llmvitals import semconv
from llmvitals_collector.statistics import Corrected, Estimate, Pairs, corrected, hajek

Samples: TypeAlias = Mapping[str, Sequence[Sample]]
"""The samples of an exposition by their names."""

CORRECTED = "corrected"  # the source of a judge's rate that is corrected by people's grades
# Of several sources the first that has looked at anything; after these, any other.
_SOURCES = (semconv.SOURCE_JUDGE, semconv.SOURCE_HEURISTIC)


class Rate(NamedTuple):
    """The share of answers that pass, and how it is known.

    source: CORRECTED, else one of semconv.SOURCES; a judge that is not corrected is uncalibrated.
    looked_at: how many answers have a verdict of that source, pass or fail.
    """

    estimate: Estimate | Corrected
    source: str
    looked_at: int


def samples(exposition: str) -> Samples:
    """What an exposition holds, in Prometheus' text format 0.0.4.

    Raises:
        ValueError: it is none.
    """
    found: defaultdict[str, list[Sample]] = defaultdict(list)
    try:
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                found[sample.name].append(sample)
    except ValueError as error:
        raise ValueError(f"this is no exposition of metrics in Prometheus' text format: {error}") from error
    return found


def chosen(of: Samples, name: str, labels: Mapping[str, str]) -> Iterator[Sample]:
    """The samples of a name that have these labels, among others."""
    wanted = labels.items()
    return (sample for sample in of.get(name, ()) if wanted <= sample.labels.items())


def templates(of: Samples) -> list[str]:
    """The templates whose answers were looked at."""
    return _values(of, semconv.LABEL_TEMPLATE, {})


def dimensions(of: Samples, template: str) -> list[str]:
    """The dimensions in which answers of a template were looked at."""
    return _values(of, semconv.LABEL_DIMENSION, {semconv.LABEL_TEMPLATE: template})


def versions(of: Samples, template: str) -> list[str]:
    """The versions of a template whose answers were looked at, in any dimension; 10 comes after 9."""
    found = _values(of, semconv.LABEL_TEMPLATE_VERSION, {semconv.LABEL_TEMPLATE: template})
    return sorted(found, key=lambda version: (len(version), version))


def rate(of: Samples, template: str, dimension: str, version: str | None = None) -> Rate | None:
    """The best estimate for a template, or for one version of it; None where no answer was looked at.

    It is of everything since the collector's counters began: the judge's rate, corrected by people, if they have graded
    50 or more of its answers; else as `weighted`.
    """
    return _corrected(of, _labels(template, dimension, version)) or weighted(of, template, dimension, version)


def weighted(of: Samples, template: str, dimension: str, version: str | None = None) -> Rate | None:
    """What the judge says itself, and where there is none, the checks; each verdict by the answers it stands for."""
    labels = _labels(template, dimension, version)
    weight, squared, passed = (
        _by_source(of, family.name, labels)
        for family in (semconv.QUALITY_WEIGHT, semconv.QUALITY_WEIGHT_SQUARED, semconv.QUALITY_WEIGHTED_PASS)
    )
    source = next((source for source in (*_SOURCES, *sorted(weight)) if weight.get(source)), None)
    if source is None:
        return None
    results = chosen(
        of, semconv.QUALITY_RESULTS.name, {**labels, semconv.LABEL_SOURCE: source, semconv.LABEL_SET: semconv.LIVE}
    )
    decided = (sample.value for sample in results if sample.labels[semconv.LABEL_VERDICT] in semconv.DECIDED)
    return Rate(hajek(weight[source], squared[source], passed.get(source, 0.0)), source, round(sum(decided)))


def _corrected(of: Samples, labels: Mapping[str, str]) -> Rate | None:
    """Of the judge and rubric of which people have graded most, as prometheus_rules/quality.rules.yml has it."""
    pairs: defaultdict[tuple[str, str], defaultdict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
    for sample in chosen(of, semconv.QUALITY_PAIRS.name, labels):
        verdicts = sample.labels[semconv.LABEL_JUDGE], sample.labels[semconv.LABEL_HUMAN]
        pairs[_judge(sample)][verdicts] += sample.value
    if not pairs:
        return None
    judge = max(pairs, key=lambda each: sum(pairs[each].values()))
    judged: defaultdict[str, float] = defaultdict(float)
    for sample in chosen(of, semconv.QUALITY_JUDGED.name, labels):
        if _judge(sample) == judge:
            judged[sample.labels[semconv.LABEL_VERDICT]] += sample.value
    counts = Pairs(*(pairs[judge][first, second] for first in semconv.DECIDED for second in semconv.DECIDED))
    estimate = corrected(counts, judged[semconv.PASS], judged[semconv.FAIL])
    return estimate and Rate(estimate, CORRECTED, round(judged[semconv.PASS] + judged[semconv.FAIL]))


def _by_source(of: Samples, name: str, labels: Mapping[str, str]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for sample in chosen(of, name, labels):
        source = sample.labels[semconv.LABEL_SOURCE]
        sums[source] = sums.get(source, 0.0) + sample.value
    return sums


def _labels(template: str, dimension: str, version: str | None) -> dict[str, str]:
    labels = {semconv.LABEL_TEMPLATE: template, semconv.LABEL_DIMENSION: dimension}
    return labels if version is None else {**labels, semconv.LABEL_TEMPLATE_VERSION: version}


def _values(of: Samples, label: str, labels: Mapping[str, str]) -> list[str]:
    seen = chosen(of, semconv.QUALITY_WEIGHT.name, labels)
    return sorted({sample.labels[label] for sample in seen if sample.value})


def _judge(sample: Sample) -> tuple[str, str]:
    return sample.labels[semconv.LABEL_EVALUATOR], sample.labels[semconv.LABEL_RUBRIC]
