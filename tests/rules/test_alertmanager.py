"""The Alertmanager configuration: who hears of what, and what exactly arrives in Slack."""

import subprocess
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[2] / "prometheus_rules" / "alertmanager" / "alertmanager.yml"
pytestmark = pytest.mark.servers


def amtool(program, *arguments) -> str:
    done = subprocess.run([program("amtool"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_amtool_finds_nothing_wrong_with_the_configuration(program):
    assert "2 templates" in amtool(program, "check-config", CONFIG)


@pytest.mark.parametrize(
    ("alert", "receiver"),
    [
        ("LLMSLOBurnRateCritical", "slack-oncall"),
        ("LLMSLOBurnRateWarning", "slack-llm"),
        ("LLMCollectorDown", "slack-oncall"),
        ("LLMTelemetryStopped", "slack-llm"),
        ("LLMCollectorRefusingData", "slack-llm"),
        ("LLMSeriesLimitReached", "slack-llm"),
        ("LLMWatchdog", "dead-mans-switch"),
    ],
)
def test_an_alert_goes_to_those_who_can_act_on_it(program, rule_groups, alert, receiver):
    rule = next(rule for group in rule_groups for rule in group["rules"] if rule.get("alert") == alert)
    labels = [f"{name}={value}" for name, value in {"alertname": alert, **rule["labels"]}.items()]
    assert amtool(program, "config", "routes", "test", f"--config.file={CONFIG}", *labels).strip() == receiver


def test_objectives_of_one_model_are_one_message_with_links_and_a_resolved_message_follows(alertmanager, slack):
    fired = [
        alertmanager.fire("LLMSLOBurnRateCritical", slo=slo, gen_ai_request_model="org/m1")
        for slo in ("first_token", "duration")
    ]

    message = slack.message("/slack_oncall", "[FIRING:2] LLMSLOBurnRateCritical · org/m1")
    assert message["color"] == "danger"
    assert message["title_link"] == "https://grafana.example.com/d/board?var-x=1"
    assert message["text"].count("*summary of LLMSLOBurnRateCritical*") == 2
    assert message["fields"] == [
        {"title": "Severity", "value": "critical", "short": True},
        {"title": "Category", "value": "slo", "short": True},
    ]
    assert {button["text"]: button["url"] for button in message["actions"]} == {
        "Runbook": "https://git.example.com/llmvitals/prometheus_rules/runbooks/LLMSLOBurnRateCritical.md",
        "Dashboard": "https://grafana.example.com/d/board?var-x=1",
        "Silence": f"{alertmanager.url}/#/silences/new?filter=%7Bgen_ai_request_model%3D%22org%2Fm1%22%2C"
        "alertname%3D%22LLMSLOBurnRateCritical%22%7D",
    }

    for alert in fired:
        alertmanager.resolve(alert)
    resolved = slack.message("/slack_oncall", "[RESOLVED] LLMSLOBurnRateCritical · org/m1")
    assert resolved["color"] == "good"
    assert resolved["text"].count(":white_check_mark: summary of LLMSLOBurnRateCritical (lasted") == 2


@pytest.mark.parametrize(
    ("cause", "consequence", "labels"),
    [
        (
            ("LLMSLOBurnRateCritical", {"slo": "duration"}),
            ("LLMSLOBurnRateWarning", {"slo": "duration"}),
            {"gen_ai_request_model": "m2"},
        ),
        (
            ("LLMSLOBurnRateCritical", {"slo": "availability"}),
            ("LLMSLOBurnRateWarning", {"slo": "first_token"}),
            {"gen_ai_request_model": "m3"},
        ),
        (("LLMCollectorDown", {"instance": "a"}), ("LLMTelemetryStopped", {"service_name": "shop"}), {}),
    ],
)
def test_what_follows_from_another_alert_is_held_back_until_that_is_resolved(
    alertmanager, slack, cause, consequence, labels
):
    of_model = f" · {labels['gen_ai_request_model']}" if labels else ""
    (alert, own_labels), (held_alert, held_labels) = cause, consequence
    first = alertmanager.fire(alert, **own_labels, **labels)
    held = alertmanager.fire(held_alert, **held_labels, **labels)
    slack.message("/slack_oncall", f"[FIRING:1] {alert}{of_model}")
    alertmanager.wait_until_held_back(held)

    # The watchdog's repetitions are the clock: three of them are longer than a group waits.
    alertmanager.fire("LLMWatchdog")
    slack.wait_for_posts("/switch", 3)
    assert f"[FIRING:1] {held_alert}{of_model}" not in slack.titles("/slack_llm")

    alertmanager.resolve(first)
    slack.message("/slack_llm", f"[FIRING:1] {held_alert}{of_model}")


def test_other_models_are_not_held_back(alertmanager, slack):
    alertmanager.fire("LLMSLOBurnRateCritical", slo="duration", gen_ai_request_model="m4")
    slack.message("/slack_oncall", "[FIRING:1] LLMSLOBurnRateCritical · m4")
    alertmanager.fire("LLMSLOBurnRateWarning", slo="duration", gen_ai_request_model="m5")
    slack.message("/slack_llm", "[FIRING:1] LLMSLOBurnRateWarning · m5")


def test_series_limits_of_several_metrics_are_one_message(alertmanager, slack):
    for metric in ("llm_calls_total", "llm_tokens_total"):
        alertmanager.fire("LLMSeriesLimitReached", metric=metric)
    message = slack.message("/slack_llm", "[FIRING:2] LLMSeriesLimitReached")
    assert message["color"] == "warning"


def test_the_watchdog_reaches_its_switch_again_and_again_and_never_slack(alertmanager, slack):
    alertmanager.fire("LLMWatchdog")
    slack.wait_for_posts("/switch", 2)
    titles = slack.titles("/slack_llm") + slack.titles("/slack_oncall")
    assert not [title for title in titles if "LLMWatchdog" in title]
