"""The demo's second table: quality by template and version, feedback, failures and tasks, from /metrics alone."""

import pytest
from rich.console import Console

from llmvitals import semconv
from llmvitals_collector.demo import quality
from llmvitals_collector.rates import samples


def sample(family, value, **labels):
    written = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{family.name}{{{written}}} {value}\n"


def judged(passes, fails, **labels):
    """The verdicts of a judge on answers of a template, none of which people have graded."""
    labels = {"template": "letter", "template_version": "1", "dimension": "tone", "source": "judge"} | labels
    return "".join(
        [
            sample(semconv.QUALITY_RESULTS, passes, **labels, set="live", verdict="pass"),
            sample(semconv.QUALITY_RESULTS, fails, **labels, set="live", verdict="fail"),
            sample(semconv.QUALITY_WEIGHT, passes + fails, **labels),
            sample(semconv.QUALITY_WEIGHT_SQUARED, passes + fails, **labels),
            sample(semconv.QUALITY_WEIGHTED_PASS, passes, **labels),
        ]
    )


def shown(exposition, *templates, width=80):
    console = Console(width=width)
    with console.capture() as capture:
        console.print(quality.rendered(samples(exposition), list(templates)))
    return capture.get()


def test_each_dimension_has_its_rate_its_interval_and_the_same_of_each_version():
    found = samples(judged(30, 10, template_version="1") + judged(10, 30, template_version="2"))
    tone = quality.outcomes(found, "letter")["quality"]["tone"]
    versions = tone.pop("versions")
    assert tone == {"rate": 0.5, "low": 0.393, "high": 0.607, "n": 80.0, "source": "judge"}
    assert {version: each["rate"] for version, each in versions.items()} == {"1": 0.75, "2": 0.25}


def test_feedback_failures_and_tasks_are_counted_where_there_were_any():
    exposition = "".join(
        [
            sample(semconv.FEEDBACK, 2, template="letter", kind="copy", source="user"),
            sample(semconv.FEEDBACK, 1, template="letter", kind="copy", source="heuristic"),
            sample(semconv.FEEDBACK, 0, template="letter", kind="report", source="user"),
            sample(semconv.FEEDBACK, 9, template="summary", kind="report", source="user"),
            sample(semconv.FAILURES, 3, template="letter", mode="refusal", primary="true"),
            sample(semconv.FAILURES, 1, template="letter", mode="refusal", primary="false"),
            sample(semconv.TASKS, 5, task="write", outcome="completed"),
            sample(semconv.TASKS, 0, task="write", outcome="failed"),
        ]
    )
    found = samples(exposition)
    assert quality.outcomes(found, "letter") == {"quality": {}, "feedback": {"copy": 3}, "failures": {"refusal": 4}}
    assert quality.tasks(found) == {"write": {"completed": 5}}


def test_the_table_has_a_line_for_each_dimension_and_version_and_leaves_out_what_never_failed():
    exposition = judged(30, 10, template_version="1") + judged(10, 30, template_version="2")
    lines = shown(exposition + judged(9, 0, dimension="safety"), "letter").splitlines()
    figures = [line.split() for line in lines if line.split()[-1:] == ["uncalibrated"]]
    assert figures == [
        ["letter", "tone", "all", "0.50", "0.39\u20130.61", "80", "uncalibrated"],
        ["1", "0.75", "0.60\u20130.86", "40", "uncalibrated"],
        ["2", "0.25", "0.14\u20130.40", "40", "uncalibrated"],
    ]


def test_it_fits_a_terminal_of_80_columns():
    exposition = judged(150, 90, template="summarize-ticket", dimension="instruction_adherence", template_version="12")
    assert max(map(len, shown(exposition, "summarize-ticket", width=200).splitlines())) <= 80


@pytest.mark.parametrize(("second", "word"), [((10, 90), "worse"), ((90, 10), None)])
def test_the_last_two_versions_of_a_template_are_compared_in_words(second, word):
    found = samples(judged(90, 10, template_version="1") + judged(*second, template_version="2"))
    [sentence] = quality.differences(found, ["letter"])
    assert sentence.startswith(f"letter: version 2 is {word} in tone by 0.80" if word else "letter: no difference")


def test_one_version_is_compared_with_nothing():
    assert quality.differences(samples(judged(90, 10)), ["letter"]) == []
