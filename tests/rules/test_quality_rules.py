"""The rules and alerts about quality: each window counts the same, nothing is untested, and names are semconv's."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector.catalogue.thresholds import Thresholds
from llmvitals_collector.statistics import CALIBRATED_PAIRS

RULES = Path(__file__).parents[2] / "prometheus_rules"
RECORDED = {
    file: [rule for group in yaml.safe_load((RULES / file).read_text())["groups"] for rule in group["rules"]]
    for file in ("quality_windows.rules.yml", "quality.rules.yml", "quality_change.rules.yml")
}
COUNTS = {rule["record"]: {} for rule in RECORDED["quality_windows.rules.yml"]}
for rule in RECORDED["quality_windows.rules.yml"]:
    COUNTS[rule["record"]][rule.get("labels", {}).get("window")] = rule["expr"]
KEPT = {name: COUNTS.pop(name) for name in tuple(COUNTS) if name.endswith(":increase1h")}
RATES = {rule["record"]: rule["expr"] for rule in RECORDED["quality.rules.yml"]}
CHANGES = {rule["record"]: rule["expr"] for rule in RECORDED["quality_change.rules.yml"]}
ALERTS = [
    rule for group in yaml.safe_load((RULES / "quality.alerts.yml").read_text())["groups"] for rule in group["rules"]
]
COMPARED = {
    name
    for file in ("quality.test.yml", "quality_change.test.yml")
    for name in re.findall(r"expr: round\((\S+?){", (RULES / "tests" / file).read_text())
}
# What is asked of floors: the alerts' unit tests show it.
TESTED_WITH_ALERTS = {semconv.RECORDED_BELOW_FLOOR}
# What a matcher of a rule may ask for, by label.
VALUES = {
    semconv.LABEL_VERDICT: semconv.RESULT_VERDICTS,
    semconv.LABEL_JUDGE: semconv.DECIDED,
    semconv.LABEL_HUMAN: semconv.DECIDED,
    "a": semconv.DECIDED,
    "b": semconv.DECIDED,
    semconv.LABEL_SET: semconv.SETS,
    semconv.LABEL_MOMENT: semconv.MOMENTS,
    semconv.LABEL_OUTCOME: (*semconv.TASK_OUTCOMES, *semconv.JUDGE_OUTCOMES),
    semconv.LABEL_KIND: (*semconv.FEEDBACK_KINDS, semconv.RELEASE_PROMPT),
    semconv.LABEL_PRIMARY: semconv.PRIMARY,
    semconv.LABEL_WINDOW: semconv.WINDOWS,
    semconv.LABEL_DIMENSION: semconv.DIMENSIONS,
    semconv.LABEL_SOURCE: semconv.SOURCES,
    semconv.LABEL_THRESHOLD: Thresholds.__struct_fields__,
    "alertname": [rule["alert"] for rule in ALERTS],
    "alertstate": ("pending", "firing"),
    semconv.LABEL_SEVERITY: ("critical", "warning", "info"),
}


@pytest.mark.parametrize("generator", ["generate.py", "generate_change.py"])
def test_the_unit_tests_are_what_their_generator_writes_today(generator):
    command = [sys.executable, RULES / "tests" / generator, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COUNTS)
def test_every_count_has_all_windows_the_longer_ones_as_sums_of_recorded_hours(name):
    assert tuple(COUNTS[name]) == semconv.WINDOWS
    hour, *longer = COUNTS[name].values()
    assert "[1h]" in hour
    assert longer == [
        f'sum_over_time({name}{{window="1h"}}[6h:1h])',
        *(f"sum_over_time({name}1h[{days}:1h])" for days in ("1d", "7d", "28d")),
    ]
    assert KEPT[f"{name}1h"] == {None: f'{name}{{window="1h"}}'}


def test_every_rate_is_recorded_once_for_all_windows():
    assert len(RATES) == len(RECORDED["quality.rules.yml"])
    assert not any("[" in expression for expression in RATES.values())


def test_every_change_is_recorded_once_but_for_the_time_before_which_differs_by_window():
    several = Counter(rule["record"] for rule in RECORDED["quality_change.rules.yml"])
    earlier = (semconv.RECORDED_EARLIER_QUALITY, semconv.RECORDED_EARLIER_QUALITY_N)
    assert {name for name, count in several.items() if count > 1} == set(earlier)
    for name in earlier:
        rules = [rule for rule in RECORDED["quality_change.rules.yml"] if rule["record"] == name]
        assert [(rule["labels"]["window"], rule["expr"].split("{")[1]) for rule in rules] == [
            ("1h", 'window="1d"} offset 1h'),
            ("1d", 'window="7d"} offset 1d'),
        ]


@pytest.mark.parametrize("name", [value for name, value in vars(semconv).items() if name.startswith("RECORDED_")])
def test_what_semconv_names_is_recorded(rule_groups, name):
    assert name in {rule.get("record") for group in rule_groups for rule in group["rules"]}


@pytest.mark.parametrize("name", [name for name in {**RATES, **CHANGES} if name not in TESTED_WITH_ALERTS])
def test_every_number_that_is_shown_is_compared_with_pythons_or_is_a_step_to_one_that_is(name):
    is_a_step = any(name in expression for other, expression in {**RATES, **CHANGES}.items() if other != name)
    assert is_a_step or name in COMPARED


@pytest.mark.parametrize(
    "rule",
    [*(rule for rules in RECORDED.values() for rule in rules), *ALERTS],
    ids=lambda rule: rule.get("record") or rule["alert"],
)
def test_matchers_ask_for_values_that_exist(rule):
    asked = re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', rule["expr"])
    assert [
        (label, value) for label, values in asked for value in values.split("|") if value not in VALUES[label]
    ] == []


def test_negative_feedback_is_every_kind_whose_score_is_bad():
    (kinds,) = re.findall(r'kind=~"([^"]+)"', RATES[semconv.RECORDED_NEGATIVE_FEEDBACK])
    assert set(kinds.split("|")) == {kind for kind, score in semconv.FEEDBACK_SCORES.items() if score == 0.0}


def test_a_judge_is_calibrated_by_as_many_pairs_as_in_python():
    thresholds = [int(n) for expression in RATES.values() for n in re.findall(r">= (?:bool )?(\d+)", expression)]
    assert set(thresholds) == {CALIBRATED_PAIRS}


def test_a_quality_alert_is_about_labels_that_it_names():
    """Whatever labels a target has: an alert of one pod resolves when that is replaced."""
    for rule in ALERTS:
        assert re.search(r"\b(sum|min|max) by \(", rule["expr"]), rule["alert"]
        assert "without" not in rule["expr"], rule["alert"]


def test_only_one_of_two_alerts_about_a_drop_fires():
    critical, warning = (rule for rule in ALERTS if rule["alert"] == "LLMQualityDrop")
    assert (critical["labels"]["severity"], warning["labels"]["severity"]) == ("critical", "warning")
    held_back = warning["expr"].partition("unless")[2]
    assert 'alertstate="firing", severity="critical"' in held_back
    assert critical["annotations"] == warning["annotations"]
