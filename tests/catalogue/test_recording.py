"""What a catalogue says, Prometheus knows as series."""

import subprocess
import sys

import msgspec
import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector.catalogue import catalogue, recording
from llmvitals_collector.catalogue.thresholds import Thresholds


def recorded(of):
    """Name -> labels and expression of each rule."""
    found = {}
    for rule in yaml.safe_load(recording.rules(of))["groups"][0]["rules"]:
        found.setdefault(rule["record"], []).append((rule["labels"], rule["expr"]))
    return found


def test_every_threshold_is_a_series(read):
    told = recorded(read("thresholds: {cost_factor: 2.5}"))[semconv.CATALOGUE_THRESHOLD]
    values = {labels[semconv.LABEL_THRESHOLD]: float(expr.removeprefix("vector(").rstrip(")")) for labels, expr in told}
    assert values == {**msgspec.structs.asdict(Thresholds()), "cost_factor": 2.5}


def test_budgets_are_by_service_and_of_all_together(own):
    budgets = recorded(catalogue.read(own, {}))[semconv.CATALOGUE_BUDGET]
    assert budgets == [({"service_name": "all"}, "vector(900)"), ({"service_name": "shop"}, "vector(250.5)")]


def test_what_an_annotation_says_of_a_metric_is_a_series_of_1(own):
    told = [
        labels for labels, expr in recorded(catalogue.read(own, {}))[semconv.CATALOGUE_METRIC] if expr == "vector(1)"
    ]
    assert told[:3] == [
        {
            "catalogue_metric": "support.helpfulness",
            "says": "Answers that help",
            "runbook": "/runbooks/support.md",
            "respond_within": "4h",
        },
        {
            "catalogue_metric": "support.tone",
            "says": "Friendly answers",
            "runbook": "https://wiki.shop.example/tone",
        },
        {
            "catalogue_metric": "support.safety",
            "says": "Answers that harm nobody",
            "runbook": "/runbooks/support.md",
            "rollback": 'flag "old"',
        },
    ]


@pytest.mark.servers
def test_prometheus_knows_each_bound_of_each_slice_and_no_other(own, program, tmp_path, run):
    """Of templates with odd names, too; a floor in every window, the least n where it is looked at."""
    (tmp_path / recording.FILE_NAME).write_text(recording.rules(catalogue.read(own, {})))
    rates = [
        ("1h", "support-billing", "helpfulness"),
        ("28d", "support-billing", "helpfulness"),
        ("1h", "faq.v1 (old)", "helpfulness"),
        ("1h", "faqXv1 (old)", "helpfulness"),
        ("7d", "faqXv1 (old)", "helpfulness"),
        ("1h", "", "helpfulness"),
        ("1h", "support-billing", "relevance"),
        ("1h", "support-billing", "wit"),
    ]
    bounds = [
        (*rates[0], "support.helpfulness", 0.85, 0.92, 200),
        (*rates[1], "support.helpfulness", 0.85, 0.92, None),
        (*rates[2], "support.helpfulness", 0.85, 0.92, 200),
        *((*rate, "any.helpfulness", 0.7, 0.8, 50) for rate in rates[3:6]),
        (*rates[6], "any.relevance", 0.7, 0.8, 50),
    ]
    owners = {"support": "support-quality", "any": "product"}

    def labels(window, template, dimension, metric=None):
        told = {"window": window, "service_name": "shop", "template": template, "dimension": dimension}
        if metric:
            told |= {"catalogue_metric": metric, "owner": owners[metric.partition(".")[0]], "severity": "warning"}
        return "{" + ", ".join(f'{name}="{value}"' for name, value in told.items()) + "}"

    test = {
        "rule_files": [recording.FILE_NAME],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    # Two versions of a template have one floor.
                    {
                        "series": f'{semconv.RECORDED_QUALITY}{labels(*rate)[:-1]}, template_version="{version}"}}',
                        "values": "1x5",
                    }
                    for rate in rates
                    for version in (1, 2)
                ],
                "promql_expr_test": [
                    {
                        "expr": name,
                        "eval_time": "5m",
                        "exp_samples": [
                            {"labels": name + labels(*bound[:4]), "value": bound[place]}
                            for bound in bounds
                            if bound[place] is not None
                        ],
                    }
                    for place, name in enumerate(
                        (semconv.CATALOGUE_FLOOR, semconv.CATALOGUE_TARGET, semconv.CATALOGUE_MIN_N), start=4
                    )
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    run(program("promtool"), "test", "rules", tmp_path / "test.yml")


@pytest.mark.servers
def test_a_text_with_quotes_backslashes_and_hashes_stays_as_it_is(read, program, tmp_path, run):
    odd = read(
        r"""
        features:
          'a "b" \ #c':
            templates: ['"\d: #*']
            metrics: {"x: {y}": {floor: 0.5, target: 0.6, says: 'It''s "so" # \ {{ $x }} 100 % ✓'}}
        """
    )
    (tmp_path / recording.FILE_NAME).write_text(recording.rules(odd))
    run(program("promtool"), "check", "rules", tmp_path / recording.FILE_NAME)
    labels = recorded(odd)[semconv.CATALOGUE_METRIC][0][0]
    assert labels["says"] == 'It\'s "so" # \\ {{ $x }} 100 % ✓'
    assert labels["catalogue_metric"] == 'a "b" \\ #c.x: {y}'


def test_the_shipped_rules_are_those_of_the_shipped_catalogue():
    generator = catalogue.shipped().with_name("generate.py")
    done = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
