"""The Alertmanager configuration: who hears of what, what is held back, and that nothing is lost on the way."""

import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[2] / "prometheus_rules" / "alertmanager" / "alertmanager.yml"
pytestmark = pytest.mark.servers

ENGINEERS = "slack-llm"
ONCALL = "slack-oncall"
PRODUCT = "slack-quality"
BOTH = "slack-quality,slack-oncall"
SWITCH = "dead-mans-switch"
# Alert -> severity -> who hears of it.
RECEIVERS = {
    "LLMSLOBurnRateCritical": {"critical": ONCALL},
    "LLMSLOBurnRateWarning": {"warning": ENGINEERS},
    "LLMQualityDrop": {"warning": PRODUCT, "critical": BOTH},
    "LLMQualityErosion": {"warning": PRODUCT},
    "LLMQualityBelowFloor": {"info": PRODUCT, "warning": PRODUCT, "critical": BOTH},
    "LLMReleaseRegression": {"warning": PRODUCT},
    "LLMSafetyEvent": {"critical": BOTH},
    "LLMFeedbackDivergence": {"warning": PRODUCT},
    "LLMFailureModeSpike": {"warning": PRODUCT},
    "LLMJudgeUnreliable": {"warning": PRODUCT},
    "LLMJudgeErrors": {"warning": PRODUCT},
    "LLMJudgeBudgetGone": {"warning": PRODUCT},
    "LLMEvaluationCoverageLow": {"warning": PRODUCT},
    "LLMCalibrationStale": {"warning": PRODUCT},
    "LLMGoldenSetStale": {"info": PRODUCT},
    "LLMCostAnomaly": {"warning": ENGINEERS},
    "LLMBudgetForecast": {"warning": ENGINEERS},
    "LLMUnpricedCalls": {"info": ENGINEERS},
    "LLMCacheHitRatioDrop": {"info": ENGINEERS},
    "LLMCollectorDown": {"critical": ONCALL},
    "LLMCollectorsMixed": {"critical": ONCALL},
    "LLMTelemetryStopped": {"warning": ENGINEERS},
    "LLMCollectorRefusingData": {"warning": ENGINEERS},
    "LLMCollectorReloadFailed": {"warning": ENGINEERS},
    "LLMCollectorPushFailing": {"warning": ENGINEERS},
    "LLMCallsCountedLate": {"info": ENGINEERS},
    "LLMCollectorLosingData": {"warning": ENGINEERS},
    "LLMCollectorQueueNearlyFull": {"warning": ENGINEERS},
    "LLMKafkaNotRead": {"warning": ENGINEERS},
    "LLMKafkaFallingBehind": {"warning": ENGINEERS},
    "LLMSeriesLimitReached": {"warning": ENGINEERS},
    "LLMScrapeNearTimeout": {"warning": ENGINEERS},
    "LLMRuleEvaluationFailing": {"critical": ONCALL},
    "LLMWatchdog": {"none": SWITCH},
}


def amtool(program, *arguments) -> str:
    done = subprocess.run([program("amtool"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_amtool_finds_nothing_wrong_with_the_configuration(program):
    assert "2 templates" in amtool(program, "check-config", CONFIG)


def test_of_every_alert_it_is_said_who_hears_of_it(rule_groups):
    """An alert without a severity of its own has it from a catalogue, in which it can be any."""
    severities = defaultdict(set)
    for rule in (rule for group in rule_groups for rule in group["rules"] if "alert" in rule):
        own = rule["labels"].get("severity")
        severities[rule["alert"]] |= {own} if own else {"info", "warning", "critical"}
    assert severities == {alert: receivers.keys() for alert, receivers in RECEIVERS.items()}


@pytest.mark.parametrize(
    ("alert", "severity", "receivers"),
    [(alert, severity, who) for alert, each in RECEIVERS.items() for severity, who in each.items()],
)
def test_an_alert_goes_to_those_who_can_act_on_it(program, rule_groups, alert, severity, receivers):
    rule = next(rule for group in rule_groups for rule in group["rules"] if rule.get("alert") == alert)
    labels = [f"alertname={alert}", f"severity={severity}", f"category={rule['labels']['category']}"]
    assert amtool(program, "config", "routes", "test", f"--config.file={CONFIG}", *labels).strip() == receivers


MODEL = {"gen_ai_request_model": "m"}
SLICE = {"service_name": "shop", "template": "t", "dimension": "helpfulness"}


@pytest.mark.parametrize(
    ("cause", "consequence", "common"),
    [
        (
            ("LLMSLOBurnRateCritical", {"slo": "duration"}),
            ("LLMSLOBurnRateWarning", {"slo": "duration"}),
            MODEL,
        ),
        (
            ("LLMSLOBurnRateCritical", {"slo": "availability"}),
            ("LLMSLOBurnRateWarning", {"slo": "first_token"}),
            MODEL,
        ),
        (
            ("LLMQualityBelowFloor", {"severity": "warning"}),
            ("LLMQualityDrop", {"severity": "warning"}),
            SLICE,
        ),
        (
            ("LLMQualityBelowFloor", {"severity": "critical"}),
            ("LLMQualityDrop", {"severity": "critical"}),
            SLICE,
        ),
        (
            ("LLMQualityDrop", {"severity": "critical"}),
            ("LLMQualityBelowFloor", {"severity": "warning"}),
            SLICE,
        ),
        (("LLMJudgeBudgetGone", {}), ("LLMEvaluationCoverageLow", {"template": "t"}), {"service_name": "shop"}),
        (("LLMCollectorDown", {"instance": "a"}), ("LLMTelemetryStopped", {"service_name": "shop"}), {}),
        (("LLMCollectorsMixed", {"instance": "a"}), ("LLMCacheHitRatioDrop", {"service_name": "shop"}), {}),
        (("LLMRuleEvaluationFailing", {"rule_group": "llm-quality"}), ("LLMCostAnomaly", {"service_name": "shop"}), {}),
        (("LLMTelemetryStopped", {}), ("LLMQualityErosion", {"template": "t"}), {"service_name": "shop"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_follows_from_another_alert_is_held_back_until_that_is_resolved(
    alertmanager, slack, cause, consequence, common, request
):
    (alert, labels), (held_alert, held_labels) = cause, consequence
    # Labels that nothing looks at keep the cases apart.
    first = alertmanager.fire(alert, case=request.node.name, **labels, **common)
    slack.wait_until_told(first)
    held = alertmanager.fire(held_alert, case=request.node.name, **held_labels, **common)
    alertmanager.wait_until_held_back(held)

    # The watchdog's repetitions are the clock: three of them are longer than a group waits.
    watchdog = alertmanager.fire("LLMWatchdog")
    slack.wait_for_posts("/switch", 3)
    assert not slack.tells_of(held)

    alertmanager.resolve(first)
    slack.wait_until_told(held)
    alertmanager.resolve(held)
    alertmanager.resolve(watchdog)


@pytest.mark.parametrize(
    ("cause", "other"),
    [
        (
            ("LLMSLOBurnRateCritical", {"slo": "duration", "gen_ai_request_model": "m4"}),
            ("LLMSLOBurnRateWarning", {"slo": "duration", "gen_ai_request_model": "m5"}),
        ),
        (
            ("LLMQualityBelowFloor", {"severity": "warning", **SLICE}),
            ("LLMQualityDrop", {"severity": "critical", **SLICE}),
        ),
        (
            ("LLMQualityBelowFloor", {"severity": "critical", **SLICE}),
            ("LLMQualityDrop", {"severity": "warning", **SLICE, "dimension": "faithfulness"}),
        ),
        (
            ("LLMCollectorDown", {"instance": "a"}),
            ("LLMSLOBurnRateCritical", {"slo": "availability", "gen_ai_request_model": "m6"}),
        ),
        (("LLMJudgeUnreliable", SLICE), ("LLMQualityDrop", {"severity": "warning", **SLICE})),
        # A service without a name is not all services.
        (("LLMTelemetryStopped", {"service_name": ""}), ("LLMJudgeErrors", {})),
    ],
    ids=lambda value: value[0],
)
def test_what_does_not_follow_is_told(alertmanager, slack, cause, other, request):
    (alert, labels), (other_alert, other_labels) = cause, other
    fired = [alertmanager.fire(alert, case=request.node.name, **labels)]
    slack.wait_until_told(fired[0])
    fired.append(alertmanager.fire(other_alert, case=request.node.name, **other_labels))
    slack.wait_until_told(fired[1])
    for each in fired:
        alertmanager.resolve(each)


def test_what_is_critical_of_quality_reaches_both_who_is_on_call_and_who_knows_what_is_good(alertmanager, slack):
    alertmanager.fire("LLMSafetyEvent", template="refund", service_name="shop")
    for channel in ("/slack_oncall", "/slack_quality"):
        slack.message(channel, "[CRITICAL] LLMSafetyEvent · refund · shop")


def test_series_limits_of_several_metrics_are_one_message(alertmanager, slack):
    for metric in ("llm_calls_total", "llm_tokens_total"):
        alertmanager.fire("LLMSeriesLimitReached", metric=metric)
    assert slack.message("/slack_llm", "[WARNING:2] LLMSeriesLimitReached")["color"] == "warning"


def test_a_message_that_slack_fails_to_take_is_sent_again_and_comes_once(alertmanager, slack):
    title = "[WARNING] LLMSLOBurnRateWarning · m7"
    slack.failing = {title}
    alertmanager.fire("LLMSLOBurnRateWarning", slo="duration", gen_ai_request_model="m7")
    slack.message("/slack_llm", title)
    assert not slack.failing
    assert slack.titles("/slack_llm").count(title) == 1


def test_the_watchdog_reaches_its_switch_again_and_again_and_never_slack(alertmanager, slack):
    watchdog = alertmanager.fire("LLMWatchdog")
    slack.wait_for_posts("/switch", 2)
    assert not slack.tells_of(watchdog)
