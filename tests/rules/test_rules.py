"""The rule files: valid, tested, spoken in the names of semconv, and complete for whoever is woken by them."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from llmvitals_collector.catalogue.thresholds import Thresholds

RULES = Path(__file__).parents[2] / "prometheus_rules"
RULE_FILES = sorted([*RULES.glob("*.rules.yml"), *RULES.glob("*.alerts.yml")])
UNIT_TESTS = sorted((RULES / "tests").glob("*.test.yml"))
ALERTS = {
    rule["alert"]: rule
    for file in RULE_FILES
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def run(*command) -> None:
    """Run a checking program; what it prints is the reason of a failure."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.servers
def test_promtool_finds_nothing_wrong_with_the_rules(program):
    run(program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


@pytest.mark.servers
def test_the_example_configuration_loads_every_rule_file(program):
    run(program("promtool"), "check", "config", RULES / "prometheus.yml")
    patterns = yaml.safe_load((RULES / "prometheus.yml").read_text())["rule_files"]
    assert sorted(file for pattern in patterns for file in RULES.glob(pattern)) == RULE_FILES


@pytest.mark.servers
@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.name)
def test_rules_do_what_their_unit_tests_say(program, file):
    run(program("promtool"), "test", "rules", file)


def test_every_expression_uses_only_metrics_and_labels_that_exist(rule_groups, unknown_names):
    for group in rule_groups:
        for rule in group["rules"]:
            assert not unknown_names(rule["expr"]), rule["expr"]


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("rate(llm_cals_total[5m])", {"llm_cals_total"}),
        ('llm_calls_total{modle="m"}', {"modle"}),
        ("sum by (modle) (llm_calls_total)", {"modle"}),
        ("up * on (modle) llm_calls_total", {"modle"}),
        ("llm_calls_total_bucket", {"llm_calls_total_bucket"}),
        ("sum by (le) (rate(llm_time_to_first_token_seconds_bucket[5m]))", set()),
    ],
)
def test_a_misspelt_name_is_found(unknown_names, expression, unknown):
    assert unknown_names(expression) == unknown


def test_no_two_alerts_share_a_name_and_a_severity(rule_groups):
    names = Counter(
        (rule["alert"], rule["labels"].get("severity"))
        for group in rule_groups
        for rule in group["rules"]
        if "alert" in rule
    )
    assert set(names.values()) == {1}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_bad_it_is_and_whom_it_concerns(alert):
    rule = ALERTS[alert]
    # Of a metric in the catalogue, that says who owns it and how bad it is.
    if "group_left" not in rule["expr"] or "severity" not in rule["expr"]:
        assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
        assert rule["labels"]["owner"]
    assert rule["labels"]["category"] in {"slo", "quality", "cost", "telemetry"}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_leads_to_its_runbook_and_to_a_dashboard(alert):
    annotations = ALERTS[alert]["annotations"]
    assert annotations.keys() == {"summary", "description", "runbook_url", "dashboard_url"}
    assert annotations["runbook_url"] == f"/runbooks/{alert}.md"
    assert (RULES / "runbooks" / f"{alert}.md").read_text().startswith(f"# {alert}\n")
    board = annotations["dashboard_url"].removeprefix("/d/").partition("?")[0]
    assert (RULES.parent / "grafana_dashboards" / f"{board}.json").exists()


def test_the_alert_on_missing_thresholds_knows_how_many_there_are():
    expression = ALERTS["LLMRuleEvaluationFailing"]["expr"]
    known = re.search(r"count\(catalogue:llm_threshold:value\) or vector\(0\)\) < (\d+)", expression)[1]
    runbook = (RULES / "runbooks" / "LLMRuleEvaluationFailing.md").read_text()
    assert int(known) == len(Thresholds.__struct_fields__)
    assert f"`count(catalogue:llm_threshold:value)` is {known}." in runbook


def test_every_runbook_belongs_to_an_alert():
    assert {page.stem for page in (RULES / "runbooks").glob("*.md")} == ALERTS.keys()


def test_the_list_of_alerts_says_of_each_when_it_fires():
    listed = (RULES / "ALERTS.md").read_text()
    assert [alert for alert in ALERTS if not re.search(rf"\]\(runbooks/{alert}\.md\) \| \w", listed)] == []


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_shown_firing_and_staying_quiet(alert):
    """Only the watchdog may fire without a case in which it does not."""
    cases = [
        case
        for file in UNIT_TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert
    ]
    assert any(case.get("exp_alerts") for case in cases)
    assert alert == "LLMWatchdog" or any(not case.get("exp_alerts") for case in cases)
