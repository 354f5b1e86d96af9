"""Writes quality.test.yml, in which Python says what the rules are to say: `generate.py [--check]`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promtool

from llmvitals import semconv
from llmvitals_collector import statistics
from llmvitals_collector.statistics import Estimate, Moments, Pairs

FILE = Path(__file__).with_name("quality.test.yml")
MINUTES, EVALUATED = 90, 80  # how long the counters grow, and when they are looked at
HOUR = 60  # of so many minutes is the window
INSTANCES = ("a", "b")  # collectors, each of which counts a half
NEGATIVE = [kind for kind, score in semconv.FEEDBACK_SCORES.items() if score == 0.0]
Expected = Iterator[tuple[str, dict[str, str], float]]


NO_PAIRS = Pairs(0, 0, 0, 0)
NO_SCORES = Moments(*(0,) * 9)


@dataclass(frozen=True)
class Template:
    """What is counted of a template in an hour.

    weighted: passes and fails by the weight of each.
    judged: passes and fails; `pairs` is a part of them.
    feedback: by source and kind.
    cost: in US dollars, of how many calls.
    """

    name: str
    source: str
    weighted: dict[float, tuple[float, float]]
    judged: tuple[float, float] = (0, 0)
    pairs: Pairs = NO_PAIRS
    human_pairs: Pairs = NO_PAIRS
    moments: Moments = NO_SCORES
    responses: float = 0
    feedback: dict[tuple[str, str], float] = field(default_factory=dict)
    tasks: dict[str, float] = field(default_factory=dict)
    cost: tuple[float, float] = (0, 0)

    @property
    def verdicts(self) -> tuple[float, float]:
        """Passes and fails, whatever their weights."""
        passes, fails = zip(*self.weighted.values(), strict=True)
        return sum(passes), sum(fails)

    @property
    def weights(self) -> tuple[float, float, float]:
        """The sums of weights, of their squares, and of the weights of passes."""
        rows = [(weight, *counts) for weight, counts in self.weighted.items()]
        return (
            sum(weight * (passes + fails) for weight, passes, fails in rows),
            sum(weight**2 * (passes + fails) for weight, passes, fails in rows),
            sum(weight * passes for weight, passes, _ in rows),
        )

    @property
    def version(self) -> dict[str, str]:
        return {
            semconv.LABEL_SERVICE: "shop",
            semconv.LABEL_TEMPLATE: self.name,
            semconv.LABEL_TEMPLATE_VERSION: "3",
        }

    @property
    def of_source(self) -> dict[str, str]:
        return {**self.version, semconv.LABEL_DIMENSION: "tone", semconv.LABEL_SOURCE: self.source}

    @property
    def of_judge(self) -> dict[str, str]:
        labels = {semconv.LABEL_DIMENSION: "tone", semconv.LABEL_EVALUATOR: "m", semconv.LABEL_RUBRIC: "r"}
        return {**self.version, **labels}

    @property
    def of_people(self) -> dict[str, str]:
        kept = (semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_DIMENSION, semconv.LABEL_RUBRIC)
        return {name: self.of_judge[name] for name in kept}

    @property
    def of_task(self) -> dict[str, str]:
        return {semconv.LABEL_SERVICE: "shop", semconv.LABEL_TASK: self.name}


TEMPLATES = (
    Template(
        "calibrated",
        semconv.SOURCE_JUDGE,
        weighted={1.0: (40, 60), 20.0: (412, 88)},
        judged=(820, 180),
        pairs=Pairs(150, 22, 9, 19),
        human_pairs=Pairs(20, 5, 10, 15),
        moments=Moments(n=200, y=151.5, f=163.25, yy=124.75, ff=139.5, yf=129.125, N=1000, F=815.5, FF=696.25),
        responses=10_000,
        feedback={
            (semconv.SOURCE_USER, "thumb_up"): 350,
            (semconv.SOURCE_USER, "thumb_down"): 120,
            (semconv.SOURCE_USER, "escalate"): 45,
            (semconv.SOURCE_HEURISTIC, "rephrase"): 260,
            (semconv.SOURCE_USER, "regenerate"): 0,
        },
        tasks={semconv.COMPLETED: 830, semconv.FAILED: 120, semconv.ABANDONED: 50, semconv.UNKNOWN: 400},
        cost=(725.5, 9_800),
    ),
    # A judge who cannot tell: lambda is about 0, and what people say counts.
    Template(
        "blind judge",
        semconv.SOURCE_JUDGE,
        weighted={1.0: (900, 100)},
        judged=(900, 100),
        pairs=Pairs(36, 54, 4, 6),
        moments=Moments(n=60, y=24, f=54, yy=24, ff=48.6, yf=21.6, N=500, F=450, FF=405),  # all f are 0.9
    ),
    # Nobody is ever of another opinion: there is no kappa.
    Template(
        "always right",
        semconv.SOURCE_JUDGE,
        weighted={2.0: (60, 0)},
        judged=(300, 0),
        pairs=Pairs(50, 0, 0, 0),
        human_pairs=Pairs(30, 0, 0, 0),
        responses=600,
        tasks={semconv.COMPLETED: 7, semconv.FAILED: 0, semconv.ABANDONED: 0, semconv.UNKNOWN: 0},
        cost=(12.0, 600),
    ),
    # One pair less than is needed.
    Template(
        "uncalibrated",
        semconv.SOURCE_JUDGE,
        weighted={10.0: (70, 30)},
        judged=(70, 30),
        pairs=Pairs(30, 5, 4, 10),
        moments=Moments(n=49, y=34, f=35, yy=34, ff=35, yf=30, N=100, F=70, FF=70),
        responses=1_000,
        cost=(40.0, 1_000),
    ),
    # Nothing passes: no answer is useful at any price.
    Template("checked by a rule", semconv.SOURCE_HEURISTIC, weighted={1.0: (0, 80)}, responses=80, cost=(8.0, 80)),
)


def counted(template: Template) -> Iterator[tuple[str, dict[str, str], float]]:
    """Every series of a template: its name, its labels, and what it grows in an hour."""
    verdicts = zip(semconv.RESULT_VERDICTS, (*template.verdicts, 5, 3), strict=True)
    for verdict, count in verdicts:
        labels = {**template.of_source, semconv.LABEL_VERDICT: verdict, semconv.LABEL_RELEASE: "1.0"}
        yield semconv.QUALITY_RESULTS.name, {**labels, semconv.LABEL_SET: semconv.LIVE}, count
        yield semconv.QUALITY_RESULTS.name, {**labels, semconv.LABEL_SET: semconv.GOLDEN}, 7
    families = (semconv.QUALITY_WEIGHT, semconv.QUALITY_WEIGHT_SQUARED, semconv.QUALITY_WEIGHTED_PASS)
    for family, value in zip(families, template.weights, strict=True):
        yield family.name, template.of_source, value
    if sum(template.judged):
        yield from _judged(template)
    model = {**template.version, semconv.LABEL_MODEL: "m"}
    if template.responses:
        yield semconv.RESPONSES.name, {**model, semconv.LABEL_RELEASE: "1.0"}, template.responses
        for suffix, value in zip(("_sum", "_count"), template.cost, strict=True):
            yield semconv.CALL_COST.name + suffix, model, value
    for (source, kind), count in template.feedback.items():
        labels = {semconv.LABEL_RELEASE: "1.0", semconv.LABEL_SOURCE: source, semconv.LABEL_KIND: kind}
        yield semconv.FEEDBACK.name, {**model, **labels}, count
    for outcome, count in template.tasks.items():
        labels = {**template.of_task, semconv.LABEL_RELEASE: "1.0", semconv.LABEL_OUTCOME: outcome}
        yield semconv.TASKS.name, labels, count


def _judged(template: Template) -> Iterator[tuple[str, dict[str, str], float]]:
    for verdict, count in zip(semconv.DECIDED, template.judged, strict=True):
        yield semconv.QUALITY_JUDGED.name, {**template.of_judge, semconv.LABEL_VERDICT: verdict}, count
    both = [(first, second) for first in semconv.DECIDED for second in semconv.DECIDED]
    for (first, second), count, of_people in zip(both, template.pairs, template.human_pairs, strict=True):
        labels = {**template.of_judge, semconv.LABEL_JUDGE: first, semconv.LABEL_HUMAN: second}
        yield semconv.QUALITY_PAIRS.name, labels, count
        yield semconv.HUMAN_PAIRS.name, {**template.of_people, "a": first, "b": second}, of_people
    for moment, value in template.moments._asdict().items():
        yield semconv.QUALITY_PAIR_SUMS.name, {**template.of_judge, semconv.LABEL_MOMENT: moment}, value


def expected(template: Template) -> Expected:
    """What the rules are to say of a template: name, labels and value of each recorded series."""
    source = template.of_source
    passes, fails = template.verdicts
    yield from _estimate("version_dimension_source:llm_quality_pass", source, statistics.wilson(passes, passes + fails))
    best: Estimate | statistics.Corrected = statistics.hajek(*template.weights)
    yield from _estimate("version_dimension_source:llm_quality_weighted", source, best)
    if sum(template.judged):
        corrected = statistics.corrected(template.pairs, *template.judged)
        best = corrected or best
        yield from _of_judge(template, corrected)
    yield from _estimate("version_dimension_source:llm_quality", source, best)
    if template.responses:
        yield from _of_users(template, best)
    if told := sum(count for outcome, count in template.tasks.items() if outcome != semconv.UNKNOWN):
        estimate = statistics.wilson(template.tasks[semconv.COMPLETED], told)
        yield from _estimate("task:llm_tasks_completed", template.of_task, estimate)


def _of_judge(template: Template, corrected: statistics.Corrected | None) -> Expected:
    level, labels = "version_dimension_evaluator", template.of_judge
    yield f"{level}:llm_quality_judged:n", labels, sum(template.judged)
    yield f"{level}:llm_quality_judged:ratio", labels, template.judged[0] / sum(template.judged)
    yield semconv.RECORDED_PAIRS, labels, sum(template.pairs)
    yield semconv.RECORDED_CALIBRATED, labels, float(corrected is not None)
    if corrected:
        yield semconv.RECORDED_LAMBDA, labels, corrected.lambda_
        yield from _estimate(f"{level}:llm_quality_corrected", labels, corrected)
    if (kappa := statistics.kappa(template.pairs)) is not None:
        yield semconv.RECORDED_KAPPA, labels, kappa
    if sum(template.human_pairs) and (kappa := statistics.kappa(template.human_pairs)) is not None:
        yield semconv.RECORDED_HUMAN_KAPPA, template.of_people, kappa
    if mean := statistics.corrected_mean(template.moments):
        for operation, value in (("mean", mean.mean), ("mean_low", mean.low), ("mean_high", mean.high), ("n", mean.n)):
            yield f"{level}:llm_quality_score_corrected:{operation}", labels, value


def _of_users(template: Template, best: Estimate | statistics.Corrected) -> Expected:
    labels, n = template.version, template.responses
    for (source, kind), count in template.feedback.items():
        of_kind = {**labels, semconv.LABEL_SOURCE: source, semconv.LABEL_KIND: kind}
        yield from _estimate("version_source_kind:llm_feedback", of_kind, statistics.wilson(count, n))
    if template.feedback:
        negative = sum(count for (_, kind), count in template.feedback.items() if kind in NEGATIVE)
        yield from _estimate("version:llm_negative_feedback", labels, statistics.wilson(negative, n))
    dollars, calls = template.cost
    yield semconv.RECORDED_COST_PER_CALL, labels, dollars / calls
    if best.rate > 0:
        for operation, rate in (("mean", best.rate), ("mean_low", best.high), ("mean_high", best.low)):
            yield f"version_dimension_source:llm_cost_usd_per_pass:{operation}", template.of_source, dollars / n / rate


def _estimate(name: str, labels: dict[str, str], estimate: Estimate | statistics.Corrected) -> Expected:
    for operation in ("ratio", "ratio_low", "ratio_high", "n"):
        field_name = {"ratio": "rate", "ratio_low": "low", "ratio_high": "high", "n": "n"}[operation]
        yield f"{name}:{operation}", labels, getattr(estimate, field_name)


def generated() -> dict[str, Any]:
    """What is in the file."""
    counts = [each for template in TEMPLATES for each in counted(template)]
    values = [each for template in TEMPLATES for each in expected(template)]
    case = {
        "name": "rates, intervals and costs are those of llmvitals_collector/statistics.py",
        "interval": "1m",
        "input_series": [
            {
                "series": promtool.selector(name, {**labels, "instance": instance, "job": "llm-collector"}),
                "values": f"0+{count / len(INSTANCES) / HOUR!r}x{MINUTES}",
            }
            for name, labels, count in counts
            for instance in INSTANCES
        ],
        "promql_expr_test": promtool.comparisons(values, "1h", f"{EVALUATED}m"),
    }
    return {
        "rule_files": ["../quality_windows.rules.yml", "../quality.rules.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": [
            *("llm-quality-hours", "llm-quality-days", "llm-quality"),
            *("llm-quality-scores", "llm-behaviour", "llm-cost"),
        ],
        "tests": [case],
    }


if __name__ == "__main__":
    promtool.write_or_check(FILE, generated(), "Write the unit tests of the rules about quality.")
