"""How good the answers of each template are, and what became of them, as data and as a table for a terminal."""

from collections import Counter
from typing import Any

from rich import box
from rich.table import Table

from llmvitals import semconv
from llmvitals_collector import comparison, rates
from llmvitals_collector.rates import Rate, Samples

_HOW = {rates.CORRECTED: "corrected", semconv.SOURCE_JUDGE: "uncalibrated", semconv.SOURCE_HEURISTIC: "check"}
_BY_JUDGE = (rates.CORRECTED, semconv.SOURCE_JUDGE)
_CAPTION = "the share of answers that pass; a judge is uncalibrated until people have graded 50 of them"


def quality(of: Samples, template: str) -> dict[str, Any]:
    """Dimension -> rate, low, high, n, source, and under `versions` the same of each version of the prompt."""
    told = {}
    for dimension in rates.dimensions(of, template):
        versions = {
            version: _told(found)
            for version in rates.versions(of, template)
            if (found := rates.rate(of, template, dimension, version))
        }
        if whole := rates.rate(of, template, dimension):
            told[dimension] = {**_told(whole), "versions": versions}
    return told


def counted(of: Samples, family: semconv.Family, by: str, **labels: str) -> dict[str, int]:
    """Value of the label `by` -> what a counter has, where that is not 0, under the given labels."""
    counts: Counter[str] = Counter()
    for sample in rates.chosen(of, family.name, labels):
        counts[sample.labels[by]] += round(sample.value)
    return dict(sorted((+counts).items()))


def outcomes(of: Samples, template: str) -> dict[str, Any]:
    """The quality of a template, users' feedback on it, and the modes in which its answers failed."""
    label = {semconv.LABEL_TEMPLATE: template}
    return {
        "quality": quality(of, template),
        "feedback": counted(of, semconv.FEEDBACK, semconv.LABEL_KIND, **label),
        "failures": counted(of, semconv.FAILURES, semconv.LABEL_MODE, **label),
    }


def tasks(of: Samples) -> dict[str, dict[str, int]]:
    """Task -> outcome -> how many ended so."""
    names = counted(of, semconv.TASKS, semconv.LABEL_TASK)
    return {name: counted(of, semconv.TASKS, semconv.LABEL_OUTCOME, **{semconv.LABEL_TASK: name}) for name in names}


def rendered(of: Samples, templates: list[str]) -> Table:
    """A line for each dimension in which any answer failed, and for each version that a judge has looked at."""
    table = Table("template", "dimension", box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.caption = "\n".join((_CAPTION, *(_sentence(name, counts) for name, counts in tasks(of).items())))
    for heading in ("ver.", "pass", "95 %", "n"):
        table.add_column(heading, justify="right")
    table.add_column("source")
    for template in templates:
        for dimension, told in quality(of, template).items():
            if told["rate"] == 1:
                continue
            table.add_row(template, dimension, "all", *_figures(told))
            if len(told["versions"]) > 1 and told["source"] in _BY_JUDGE:
                for version, each in told["versions"].items():
                    table.add_row("", "", version, *_figures(each))
    return table


def differences(of: Samples, templates: list[str]) -> list[str]:
    """Sentences on the last two versions of each template, in each dimension that a judge has looked at."""
    sentences = []
    for template in templates:
        versions = rates.versions(of, template)
        if len(versions) > 1:
            found = comparison.compared(of, template, *versions[-2:])
            sentences += [f"{template}: {comparison.told(each)}." for each in found if each.first.source in _BY_JUDGE]
    return sentences


def _told(found: Rate) -> dict[str, Any]:
    rate, low, high = (round(each, 4) for each in found.estimate[:3])
    return {"rate": rate, "low": low, "high": high, "n": round(found.estimate.n, 1), "source": found.source}


def _figures(told: dict[str, Any]) -> tuple[str, ...]:
    interval = f"{told['low']:.2f}\u2013{told['high']:.2f}"
    return f"{told['rate']:.2f}", interval, f"{told['n']:.0f}", _HOW.get(told["source"], told["source"])


def _sentence(task: str, counts: dict[str, int]) -> str:
    return f"{task}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
