"""The boards' PromQL: what the variables select is exactly what a series can be told apart by."""

import pytest

import expressions
from llmvitals import semconv
from llmvitals.semconv import recorded as contract

RECORDED = [
    name
    for name in vars(contract).values()
    if isinstance(name, str) and ":" in name and not name.startswith("catalogue:")
]


@pytest.mark.parametrize("name", RECORDED)
def test_of_a_recorded_series_the_variables_select_the_labels_that_it_has(name, labels_of):
    selected = {label for label in expressions.VARIABLES if f'{label}=~"$' in expressions.recorded(name)}
    assert selected == labels_of[name] & expressions.VARIABLES.keys()


@pytest.mark.parametrize("family", semconv.FAMILIES, ids=lambda family: family.name)
def test_of_a_family_the_variables_select_the_labels_that_it_has(family):
    selected = {label for label in expressions.VARIABLES if f'{label}=~"$' in expressions.rate(family)}
    assert selected == set(family.labels) & expressions.VARIABLES.keys()


def test_a_series_without_such_labels_is_taken_whole():
    assert expressions.rate(semconv.COLLECTOR_UNPRICED) == (
        "sum(rate(llm_collector_unpriced_calls_total[$__rate_interval]))"
    )


def test_a_quantile_asks_for_the_native_histogram_first_and_for_the_buckets_where_there_is_none():
    assert expressions.quantile(0.95, semconv.COLLECTOR_LAG, where='instance="a"', window="5m", offset="1d") == (
        '(histogram_quantile(0.95, sum(rate(llm_collector_lag_seconds{instance="a"}[5m] offset 1d))) or '
        'histogram_quantile(0.95, sum by (le) (rate(llm_collector_lag_seconds_bucket{instance="a"}[5m] offset 1d))))'
    )


def test_a_window_is_that_of_the_recorded_series():
    assert expressions.recorded(semconv.RECORDED_FAILURES_N, "1d", where='mode="empty"') == (
        'template_mode:llm_failures:n{service_name=~"$service", template=~"$template", window="1d", mode="empty"}'
    )


def test_a_release_is_marked_when_the_first_of_several_collectors_saw_it():
    first = "min by (kind, name, version) (llm_release_timestamp_seconds{kind="
    assert expressions.releases().count(first) == expressions.releases().count("llm_release_timestamp_seconds") == 3
