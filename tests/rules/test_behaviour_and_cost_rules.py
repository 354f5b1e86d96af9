"""The rules and alerts about behaviour, failures, cost and the collector: they ask for values that there are."""

import re
from pathlib import Path

import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector.catalogue.thresholds import Thresholds

RULES = Path(__file__).parents[2] / "prometheus_rules"
FILES = ("behaviour.rules.yml", "behaviour.alerts.yml", "cost.rules.yml", "cost.alerts.yml", "telemetry.alerts.yml")
GROUPS = [group for file in FILES for group in yaml.safe_load((RULES / file).read_text())["groups"]]
ASKING = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ASKING if "alert" in rule}
# What a matcher may ask for, by label.
VALUES = {
    semconv.LABEL_WINDOW: semconv.WINDOWS,
    semconv.LABEL_SOURCE: semconv.SOURCES,
    semconv.LABEL_MODE: semconv.FAILURE_MODES,
    semconv.LABEL_OUTCOME: (*semconv.CACHE_OUTCOMES, *semconv.OUTCOMES),
    semconv.LABEL_KIND: (*semconv.FEEDBACK_SCORES, semconv.RELEASE_PROMPT, semconv.RELEASE_APP),
    semconv.LABEL_THRESHOLD: Thresholds.__struct_fields__,
    semconv.LABEL_SERVICE: ("all",),
    "job": ("llm-collector",),
    "rule_group": (".*;llm-.*",),
}


def texts(rule: dict) -> list[str]:
    """Where a rule asks: its expression, and the queries in its annotations, which have their quotes the other way."""
    return [rule["expr"], *(text.replace("'", '"') for text in rule.get("annotations", {}).values())]


@pytest.mark.parametrize("rule", ASKING, ids=lambda rule: rule.get("record") or rule["alert"])
def test_matchers_ask_for_values_that_exist(rule):
    asked = [pair for text in texts(rule) for pair in re.findall(r'(\w+)(?:=~|!=|=)"([^"%]+)"', text)]
    assert [
        (label, value) for label, values in asked for value in values.split("|") if value not in VALUES[label]
    ] == []


def test_what_users_say_most_of_is_looked_for_in_every_kind_whose_score_is_bad():
    (kinds,) = re.findall(r"kind=~'([^']+)'", ALERTS["LLMFeedbackDivergence"]["annotations"]["description"])
    assert set(kinds.split("|")) == {kind for kind, score in semconv.FEEDBACK_SCORES.items() if score == 0.0}


def test_what_a_prompts_cache_is_called_is_what_the_alert_looks_for():
    description = ALERTS["LLMCacheHitRatioDrop"]["annotations"]["description"]
    assert f'eq $labels.cache "{semconv.PROMPT_CACHE}"' in description
