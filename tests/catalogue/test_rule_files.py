"""The shipped rule files with a catalogue's differences: those, and nothing else."""

import copy

import msgspec
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.catalogue import rule_files
from llmvitals_collector.catalogue.catalogue import Catalogue, Override, Owners
from llmvitals_collector.catalogue.thresholds import Thresholds

TEXTS = rule_files.shipped()
ALERTS = rule_files.alerts(TEXTS)
PARSED = {name: yaml.safe_load(text) for name, text in TEXTS.items() if name.endswith(".alerts.yml")}
OVERRIDES = st.builds(
    Override,
    enabled=st.booleans(),
    severity=st.sampled_from(["", "critical", "info"]),
    for_=st.sampled_from(["", "7m", "2d"]),
    owner=st.sampled_from(["", "web-platform", 'the "web": # people, {all}', "true", "12"]),
)


def meant(name, catalogue):
    """What a rule file is to hold: worked out on its data, where `different` edits its text."""
    document = copy.deepcopy(PARSED[name])
    for group in document["groups"]:
        kept = []
        for rule in group["rules"]:
            override = catalogue.alerts.get(rule.get("alert"), Override())
            if "alert" in rule and override.enabled:
                labels = rule["labels"]
                if "owner" in labels:
                    labels["owner"] = getattr(catalogue.owners, labels["category"])
                labels |= {name: value for name in ("severity", "owner") if (value := getattr(override, name))}
                rule |= {"for": override.for_} if override.for_ else {}
            if override.enabled:
                kept.append(rule)
        group["rules"] = kept
    return document


def test_without_differences_the_files_stay_as_they_are():
    assert rule_files.different(TEXTS, Catalogue()) == TEXTS


@settings(deadline=None, max_examples=15, phases=(Phase.generate,))
@given(st.dictionaries(st.sampled_from(sorted(ALERTS)), OVERRIDES), st.sampled_from(["llm-platform", "we: all"]))
def test_only_what_the_catalogue_says_is_different(overrides, owner):
    catalogue = Catalogue(alerts=overrides, owners=Owners(slo=owner, telemetry=owner))
    different = rule_files.different({name: TEXTS[name] for name in PARSED}, catalogue)
    for name, text in different.items():
        assert yaml.safe_load(text) == meant(name, catalogue)


def test_comments_and_the_form_of_expressions_stay():
    off = Catalogue(
        alerts={"LLMCollectorDown": Override(for_="9m", owner="me"), "LLMWatchdog": Override(enabled=False)}
    )
    lines = TEXTS["telemetry.alerts.yml"].splitlines()
    different = rule_files.different(TEXTS, off)["telemetry.alerts.yml"].splitlines()
    new = [line.strip() for line in different if line not in lines]
    assert new == ["for: 9m", "labels: {severity: critical, category: telemetry, owner: me}"]
    gone = [line.strip() for line in lines if line not in different]
    assert "- alert: LLMWatchdog" in gone
    assert not any(line.startswith("#") for line in gone)


@pytest.mark.servers
def test_a_file_of_which_every_alert_is_left_out_is_still_one(program, tmp_path, run):
    catalogue = Catalogue(alerts={name: Override(enabled=False) for name in ALERTS})
    file = tmp_path / "telemetry.alerts.yml"
    file.write_text(rule_files.different(TEXTS, catalogue)[file.name])
    assert "0 rules" in run(program("promtool"), "check", "rules", file)


def test_what_an_alert_says_is_read_from_its_rules():
    burn = ALERTS["LLMSLOBurnRateCritical"]
    assert (burn.category, burn.severities, burn.owners, burn.for_) == ("slo", ("critical",), ("llm-platform",), "2m")
    assert ALERTS["LLMQualityDrop"].severities == ("critical", "warning")
    below = ALERTS[semconv.ALERT_BELOW_FLOOR]
    assert (below.severities, below.owners) == ((), ())
    assert {"cost_factor", "cost_usd_per_hour"} == set(ALERTS["LLMCostAnomaly"].thresholds)


def test_every_threshold_is_asked_for_by_a_rule_and_no_other():
    asked = {name for text in TEXTS.values() for name in rule_files.thresholds(text)}
    assert asked == msgspec.structs.asdict(Thresholds()).keys()
