"""The rules about quality: each window counts the same, nothing is left untested, and names are semconv's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector.statistics import CALIBRATED_PAIRS

RULES = Path(__file__).parents[2] / "prometheus_rules"
RECORDED = {
    file: [rule for group in yaml.safe_load((RULES / file).read_text())["groups"] for rule in group["rules"]]
    for file in ("quality_windows.rules.yml", "quality.rules.yml")
}
COUNTS = {rule["record"]: {} for rule in RECORDED["quality_windows.rules.yml"]}
for rule in RECORDED["quality_windows.rules.yml"]:
    COUNTS[rule["record"]][rule.get("labels", {}).get("window")] = rule["expr"]
KEPT = {name: COUNTS.pop(name) for name in tuple(COUNTS) if name.endswith(":increase1h")}
RATES = {rule["record"]: rule["expr"] for rule in RECORDED["quality.rules.yml"]}
# What a matcher of a rule may ask for, by label.
VALUES = {
    semconv.LABEL_VERDICT: semconv.RESULT_VERDICTS,
    semconv.LABEL_JUDGE: semconv.DECIDED,
    semconv.LABEL_HUMAN: semconv.DECIDED,
    "a": semconv.DECIDED,
    "b": semconv.DECIDED,
    semconv.LABEL_SET: semconv.SETS,
    semconv.LABEL_MOMENT: semconv.MOMENTS,
    semconv.LABEL_OUTCOME: semconv.TASK_OUTCOMES,
    semconv.LABEL_KIND: semconv.FEEDBACK_KINDS,
    semconv.LABEL_WINDOW: semconv.WINDOWS,
}


def test_the_unit_tests_are_what_their_generator_writes_today():
    command = [sys.executable, RULES / "tests" / "generate.py", "--check"]
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


@pytest.mark.parametrize("name", [value for name, value in vars(semconv).items() if name.startswith("RECORDED_")])
def test_what_semconv_names_is_recorded(name):
    assert name in RATES


@pytest.mark.parametrize(
    "name", [name for name in RATES if re.search(r":(ratio|mean|n|kappa|bool)(_low|_high)?$", name)]
)
def test_every_number_that_is_shown_is_compared_with_pythons_or_is_a_step_to_one_that_is(name):
    tests = yaml.safe_load((RULES / "tests" / "quality.test.yml").read_text())["tests"]
    compared = {case["expr"] for test in tests for case in test["promql_expr_test"]}
    is_a_step = any(name in expression for other, expression in RATES.items() if other != name)
    assert is_a_step or f'round({name}{{window="1h"}}, 0.000001)' in compared


@pytest.mark.parametrize(
    "rule", [rule for rules in RECORDED.values() for rule in rules], ids=lambda rule: rule["record"]
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
