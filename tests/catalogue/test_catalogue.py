"""A catalogue is read as written, and each mistake in it is told in one sentence."""

import msgspec
import pytest

from llmvitals_collector.catalogue import catalogue
from llmvitals_collector.catalogue.thresholds import Thresholds
from llmvitals_collector.config import Config


def test_every_section_is_read(own):
    read = catalogue.read(own, {})
    assert read.objectives.first_token.objective == 0.9
    assert read.objectives.availability == Config().processors.slo.availability
    assert read.budgets == {"all": 900, "shop": 250.5}
    assert read.thresholds == Thresholds(cost_factor=2)
    assert read.alerts["LLMCollectorDown"].for_ == "10m"
    assert read.links.runbooks == "https://wiki.shop.example/llm"
    assert [metric.name for metric in read.metrics()][:3] == ["support.helpfulness", "support.tone", "support.safety"]


def test_a_metric_has_its_feature_s_owner_and_runbook_or_its_own(own):
    helpfulness, tone, _ = list(catalogue.read(own, {}).metrics())[:3]
    assert (helpfulness.owner, helpfulness.runbook) == ("support-quality", "pages/support.md")
    assert (tone.owner, tone.runbook) == ("brand", "https://wiki.shop.example/tone")


def test_a_feature_s_templates_are_taken_out_of_the_one_for_all_where_both_have_the_dimension(own):
    read = catalogue.read(own, {})
    elsewhere = {metric.name: read.elsewhere(metric) for metric in read.metrics()}
    assert elsewhere["any.helpfulness"] == ("support-*", "faq.v1 (old)")
    assert elsewhere["any.relevance"] == elsewhere["support.helpfulness"] == ()


@pytest.mark.parametrize(("window", "watched"), [("1h", ("1h",)), ("1d", ("1h", "6h", "1d"))])
def test_a_floor_is_looked_at_in_its_window_and_the_shorter_ones(window, watched):
    assert catalogue.Metric(floor=0.5, target=0.6, window=window).windows == watched


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("featurs: {}", "featurs: unknown key; did you mean 'features'?"),
        ("thresholds: {quality_dorp: 1}", "thresholds.quality_dorp: unknown key; did you mean 'quality_drop'?"),
        ("thresholds: {quality_drop: -1}", "thresholds.quality_drop: -1 is not a number from 0 to 1"),
        ("thresholds: {quality_drop: 5}", "thresholds.quality_drop: 5 is not a number from 0 to 1"),
        ("thresholds: {cost_factor: .inf}", "thresholds.cost_factor: inf is not a number from 0 to 1e9"),
        ("thresholds: {cost_factor: .nan}", "thresholds.cost_factor: nan is not a number from 0 to 1e9"),
        ("thresholds: {safety_events: 0}", "thresholds.safety_events: 0 is not a number from 1 to 1e9"),
        ("thresholds: {safety_mistakes: 0}", "thresholds.safety_mistakes: 0 is not a number above 0, at most 1"),
        (
            "objectives: {duration: {objective: 1}}",
            "objectives.duration.objective: 1 is not a number above 0 and below 1",
        ),
        ("budgets: {all: 0}", "budgets: {'all': 0} is not a mapping of services, or all, to US dollars above 0"),
        ("links: {grafana: grafana}", "links.grafana: 'grafana' is not an address such as https://grafana.example.com"),
        (
            "alerts: {LLMWatchdog: {for: soon}}",
            "alerts.LLMWatchdog.for: 'soon' is not a duration such as 30m, 4h or 2d",
        ),
        (
            "alerts: {LLMWatchdog: {severity: page}}",
            "alerts.LLMWatchdog.severity: 'page' is not one of critical, warning, info",
        ),
        (
            'alerts: {LLMWatchdog: {owner: "{{ x"}}',
            "alerts.LLMWatchdog.owner: '{{ x' is not a name without braces, such as web-platform",
        ),
        (
            'owners: {slo: "{{ x"}',
            "owners.slo: '{{ x' is not a name without braces, such as web-platform",
        ),
        ("features: {a: {}}", "features.a.templates: is missing, and is to be a list such as [support-*, checkout]"),
        (
            "features: {a: {templates: [x], metrics: {tone: {target: 1}}}}",
            "features.a.metrics.tone.floor: is missing, and is to be a number above 0, at most 1",
        ),
        (
            "features: {a: {templates: [x], metrics: {tone: {floor: 1, target: 1, window: 2d}}}}",
            "features.a.metrics.tone.window: '2d' is not one of the windows 1h, 6h, 1d, 7d, 28d",
        ),
        ("features: {a: {templates: ['x?']}}", "features.a.templates: 'x?' has one of ? [ ]; only * has a meaning"),
        (
            'features: {a: {templates: [x], says: "1\\n2"}}',
            "features.a.says: '1\\n2' is not one line of printable text",
        ),
        (
            f"features: {{a: {{templates: [x], owner: {'o' * 201}}}}}",
            "features.a.owner: has 201 characters; valid: at most 200",
        ),
    ],
)
def test_a_mistake_is_told_with_its_path(read, text, sentence):
    with pytest.raises(ValueError, match="mine") as caught:
        read(text)
    assert str(caught.value).partition("mine.yaml: ")[2] == sentence


def test_every_threshold_is_documented():
    documented = (Thresholds.__doc__ or "").partition("Attributes:")[2]
    assert [name for name in msgspec.structs.asdict(Thresholds()) if f"\n        {name}: " not in documented] == []
