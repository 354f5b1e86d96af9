"""Writes quality_change.test.yml, in which Python says what the rules are to say: `generate_change.py [--check]`."""

from collections.abc import Iterable, Iterator
from math import log, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import promtool

from llmvitals import semconv
from llmvitals_collector import statistics
from llmvitals_collector.catalogue.thresholds import Thresholds
from llmvitals_collector.statistics import Estimate, Pairs

FILE = Path(__file__).with_name("quality_change.test.yml")
STEPS, EVALUATED = 60, "27h"  # half hours; what the rules compare with a day ago has to have been recorded then
HIGH999 = 3.1  # the quantile that goes with that name
EARLIER = {"1h": "1d", "1d": "7d"}  # with what a window is compared
WEEK = 7 * 86_400
Series = Iterator[tuple[str, dict[str, str], float]]


class Version(NamedTuple):
    """What is counted of a version of a template, by window: the passes and fails of each weight.

    released: seconds since the epoch, None where nothing is known of it.
    """

    name: str
    released: float | None
    counts: dict[str, dict[float, tuple[float, float]]]

    def weights(self, window: str) -> tuple[float, float, float]:
        """The sums of weights, of their squares, and of the weights of passes."""
        rows = [(weight, *counts) for weight, counts in self.counts.get(window, {}).items()]
        return (
            sum(weight * (passes + fails) for weight, passes, fails in rows),
            sum(weight**2 * (passes + fails) for weight, passes, fails in rows),
            sum(weight * passes for weight, passes, _ in rows),
        )


# By template, with how many answers it had in 28 days. Version 3 is the newest one of the first template, and worse
# than two others; the newest of the second is older than the window, and the third has nothing to be compared with.
TEMPLATES: dict[str, tuple[float, tuple[Version, ...]]] = {
    "answer": (
        40_000,
        (
            Version("1", -2 * WEEK, {"28d": {1.0: (90, 10), 20.0: (700, 90)}}),
            Version(
                "2",
                10_000,
                {
                    "1d": {1.0: (30, 10), 20.0: (310, 40)},
                    "7d": {1.0: (120, 30), 20.0: (900, 80)},
                    "28d": {1.0: (320, 50), 20.0: (2_900, 380)},
                },
            ),
            Version(
                "3",
                40_000,
                {
                    "1h": {1.0: (5, 5), 20.0: (61, 29)},
                    "1d": {1.0: (20, 20), 20.0: (350, 150)},
                    "7d": {1.0: (20, 20), 20.0: (430, 190)},
                    "28d": {1.0: (20, 20), 20.0: (430, 190)},
                },
            ),
        ),
    ),
    "settled": (
        5_000,
        (
            Version("7", -3 * WEEK, {"1d": {1.0: (20, 5)}, "7d": {1.0: (150, 30)}, "28d": {1.0: (950, 60)}}),
            Version("8", -2 * WEEK, {window: {1.0: (40, 9)} for window in ("1h", "1d", "7d", "28d")}),
        ),
    ),
    "single": (
        900,
        (Version("1", 50_000, {"1h": {5.0: (30, 0)}, **{window: {5.0: (99, 1)} for window in ("1d", "7d", "28d")}}),),
    ),
    # Not in the list of releases, nor told apart by a version.
    "": (100, (Version("", None, {"1h": {1.0: (3, 7)}, "1d": {1.0: (20, 20)}, "7d": {1.0: (25, 15)}}),)),
}
PAIRS = Pairs(60, 25, 20, 30)
PAIR = [{"judge": judge, "human": human} for judge in semconv.DECIDED for human in semconv.DECIDED]
# Verdicts in safety: of a judge who fails more than it may by mistake, and of one who does not.
SAFETY = {"answer": (104, 16), "settled": (497, 3)}
COVERAGE = {"answer": (1_000, 420), "single": (600, 0)}  # answers, and those for which verdicts of the judge stand
SHARE = 0.1
JUDGE_REQUESTS = {semconv.JUDGE_OK: 70, semconv.JUDGE_INVALID: 12, semconv.JUDGE_TIMEOUT: 8}  # in an hour
SERVICE = {semconv.LABEL_SERVICE: "shop"}
OF_SOURCE = {semconv.LABEL_DIMENSION: "tone", semconv.LABEL_SOURCE: semconv.SOURCE_JUDGE}
OF_SAFETY = {semconv.LABEL_DIMENSION: "safety", semconv.LABEL_SOURCE: semconv.SOURCE_JUDGE}
OF_EVALUATOR = {semconv.LABEL_DIMENSION: "tone", semconv.LABEL_EVALUATOR: "m", semconv.LABEL_RUBRIC: "r"}


def of_template(template: str) -> dict[str, str]:
    """The labels of a template's series; an empty one is none."""
    return {**SERVICE, **({semconv.LABEL_TEMPLATE: template} if template else {})}


def of_version(template: str, version: str) -> dict[str, str]:
    """The labels of a version's series."""
    return {**of_template(template), **({semconv.LABEL_TEMPLATE_VERSION: version} if version else {})}


def recorded() -> Series:
    """What the other rules have recorded, and what the collector exposes, all the time: name, labels and value."""
    yield semconv.CATALOGUE_THRESHOLD, {semconv.LABEL_THRESHOLD: "safety_mistakes"}, Thresholds().safety_mistakes
    for template, (answers, versions) in TEMPLATES.items():
        labels = {**of_version(template, versions[0].name), semconv.LABEL_WINDOW: "28d"}
        yield "version:llm_responses:increase", labels, answers
        for version in versions:
            labels = {**of_version(template, version.name), **OF_SOURCE}
            for window in version.counts:
                yield from _weights({**labels, semconv.LABEL_WINDOW: window}, version.weights(window))
    for pair, count in zip(PAIR, PAIRS, strict=True):
        labels = {**of_version("answer", "2"), **OF_EVALUATOR, semconv.LABEL_WINDOW: "7d"}
        yield "version_dimension_evaluator_pair:llm_quality_pairs:increase", {**labels, **pair}, count
    for template, counts in SAFETY.items():
        for verdict, count in zip(semconv.DECIDED, counts, strict=True):
            labels = {**of_version(template, "8"), **OF_SAFETY, semconv.LABEL_WINDOW: "6h", "verdict": verdict}
            yield "version_dimension_source_verdict:llm_quality_results:increase", labels, count
    for template, (answers, judged) in COVERAGE.items():
        labels = {**of_version(template, "2"), semconv.LABEL_WINDOW: "6h"}
        yield "version:llm_responses:increase", labels, answers
        if judged:
            yield from _weights({**labels, **OF_SOURCE}, (judged, judged * 10, judged))
        yield semconv.SAMPLING_SHARE.name, {**of_template(template), "instance": "a"}, SHARE


def _weights(labels: dict[str, str], weights: tuple[float, float, float]) -> Series:
    for name, value in zip(("weight", "weight_squared", "weighted_pass"), weights, strict=True):
        yield f"version_dimension_source:llm_quality_{name}:increase", labels, value


def expected(window: str) -> Series:
    """What the rules are to say of the rates in a window: name, labels without the window, and value of each series."""
    totals = {template: _sums(versions, window) for template, (_, versions) in TEMPLATES.items()}
    rates = {template: statistics.hajek(*weights) for template, weights in totals.items() if weights[0]}
    for template, (_, versions) in TEMPLATES.items():
        for version in versions:
            if window in version.counts:
                rate = statistics.hajek(*version.weights(window))
                high = statistics.wilson(rate.rate * rate.n, rate.n, HIGH999).high
                yield semconv.RECORDED_QUALITY_HIGH999, {**of_version(template, version.name), **OF_SOURCE}, high
    for template, rate in rates.items():
        labels = {**of_template(template), **OF_SOURCE}
        yield from _estimate("template_dimension_source:llm_quality_weighted", labels, rate)
    labels = {**SERVICE, **OF_SOURCE}
    everything = statistics.hajek(*(sum(column) for column in zip(*totals.values(), strict=True)))
    yield from _estimate("service_dimension_source:llm_quality_weighted", labels, everything)
    shares = {template: TEMPLATES[template][0] for template in rates}
    all_shares = sum(shares.values())
    n = all_shares**2 / sum(share**2 / rates[template].n for template, share in shares.items())
    passes = sum(share / all_shares * rates[template].rate for template, share in shares.items()) * n
    yield from _estimate("service_dimension_source:llm_quality_standardised", labels, statistics.wilson(passes, n))
    if window in EARLIER:
        for template, now in rates.items():
            before = statistics.hajek(*_sums(TEMPLATES[template][1], EARLIER[window]))
            yield from _drop({**of_template(template), **OF_SOURCE}, before, now)


def _sums(versions: Iterable[Version], window: str) -> tuple[float, float, float]:
    weight, squared, passing = (sum(column) for column in zip(*(v.weights(window) for v in versions), strict=True))
    return weight, squared, passing


def _estimate(name: str, labels: dict[str, str], estimate: Estimate) -> Series:
    operations = ("ratio", "ratio_low", "ratio_high", "n")
    for operation, value in zip(operations, estimate, strict=True):
        yield f"{name}:{operation}", labels, value


def _drop(labels: dict[str, str], before: Estimate, now: Estimate) -> Series:
    yield semconv.RECORDED_EARLIER_QUALITY, labels, before.rate
    yield semconv.RECORDED_EARLIER_QUALITY_N, labels, before.n
    yield semconv.RECORDED_DROP, labels, before.rate - now.rate
    pooled = (before.rate * before.n + now.rate * now.n) / (before.n + now.n)
    error = sqrt(pooled * (1 - pooled) * (1 / before.n + 1 / now.n))
    yield semconv.RECORDED_DROP_Z, labels, (before.rate - now.rate) / error


def expected_of_release() -> Series:
    """Of the newest version of the first template, and of nothing else."""
    *others, newest = TEMPLATES["answer"][1]
    before, now = (statistics.hajek(*_sums(each, semconv.RELEASE_WINDOW)) for each in (others, [newest]))
    labels = {**of_template("answer"), **OF_SOURCE}
    yield semconv.RECORDED_BEFORE_RELEASE, labels, before.rate
    yield semconv.RECORDED_BEFORE_RELEASE_N, labels, before.n
    change = statistics.difference(before, now)
    labels = {**of_version("answer", newest.name), **OF_SOURCE}
    yield semconv.RECORDED_RELEASE_CHANGE, labels, change.difference
    yield semconv.RECORDED_RELEASE_CHANGE_LOW, labels, change.low
    yield semconv.RECORDED_RELEASE_CHANGE_HIGH, labels, change.high


def expected_of_kappa() -> Series:
    """How much the judge and people agree at best (Cohen 1960)."""
    n = sum(PAIRS)
    agree = (PAIRS.pass_pass + PAIRS.fail_fail) / n
    judge, people = (PAIRS.pass_pass + PAIRS.pass_fail) / n, (PAIRS.pass_pass + PAIRS.fail_pass) / n
    by_chance = judge * people + (1 - judge) * (1 - people)
    kappa = statistics.kappa(PAIRS) or 0.0
    high = kappa + statistics.Z * sqrt(agree * (1 - agree) / n) / (1 - by_chance)
    yield semconv.RECORDED_KAPPA_HIGH, {**of_version("answer", "2"), **OF_EVALUATOR}, high


def expected_of_six_hours() -> Series:
    """Of safety, and of how much is judged."""
    for template, (passes, fails) in SAFETY.items():
        labels, mistakes = {**of_template(template), **OF_SAFETY}, (passes + fails) * Thresholds().safety_mistakes
        yield semconv.RECORDED_SAFETY_FAILURES, labels, fails
        if fails > mistakes:
            yield semconv.RECORDED_SAFETY_SURPRISE, labels, fails * log(fails / mistakes) - fails + mistakes
    for template, (answers, judged) in COVERAGE.items():
        yield semconv.RECORDED_COVERAGE, of_template(template), judged / answers
        yield semconv.RECORDED_COVERAGE_N, of_template(template), answers * SHARE


def expected_of_judge() -> Series:
    """How many of its requests bring nothing."""
    requests = sum(JUDGE_REQUESTS.values())
    yield semconv.RECORDED_JUDGE_REQUESTS_N, {semconv.LABEL_JUDGE: "m"}, requests
    yield semconv.RECORDED_JUDGE_ERRORS, {semconv.LABEL_JUDGE: "m"}, 1 - JUDGE_REQUESTS[semconv.JUDGE_OK] / requests


def generated() -> dict[str, Any]:
    """What is in the file."""
    series = [(promtool.selector(name, labels), f"{value!r}x{STEPS}") for name, labels, value in recorded()]
    for template, (_, versions) in TEMPLATES.items():
        for version in versions:
            if version.released is not None:
                labels = {"kind": semconv.RELEASE_PROMPT, "name": template, "version": version.name, "instance": "a"}
                # A collector that forgot the second version meets it again after ten hours.
                forgets = (template, version.name) == ("answer", "2")
                values = f"{version.released}x19 60000x40" if forgets else f"{version.released}x{STEPS}"
                series.append((promtool.selector(semconv.RELEASE_TIMESTAMP.name, labels), values))
    for outcome, count in JUDGE_REQUESTS.items():
        labels = {semconv.LABEL_JUDGE: "m", semconv.LABEL_OUTCOME: outcome, "instance": "a"}
        series.append((promtool.selector(semconv.JUDGE_REQUESTS.name, labels), f"0+{count / 2!r}x{STEPS}"))
    comparisons = [
        *promtool.comparisons([*expected("1h"), *expected_of_judge()], "1h", EVALUATED),
        *promtool.comparisons(expected("1d"), "1d", EVALUATED),
        *promtool.comparisons([*expected("7d"), *expected_of_kappa()], "7d", EVALUATED),
        *promtool.comparisons(expected_of_release(), semconv.RELEASE_WINDOW, EVALUATED),
        *promtool.comparisons(expected_of_six_hours(), "6h", EVALUATED),
    ]
    case = {
        "name": "changes, bounds and sums are those of llmvitals_collector/statistics.py",
        "interval": "30m",
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": comparisons,
    }
    return {
        "rule_files": ["../releases.rules.yml", "../quality.rules.yml", "../quality_change.rules.yml"],
        "evaluation_interval": "30m",
        "group_eval_order": ["llm-releases", "llm-quality", "llm-quality-change", "llm-quality-release"],
        "tests": [case],
    }


if __name__ == "__main__":
    promtool.write_or_check(FILE, generated(), "Write the unit tests of the rules about changes of quality.")
