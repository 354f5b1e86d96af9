"""The numbers of the page are those of the metrics, filtered as the address says."""

import pytest

from llmvitals import semconv
from llmvitals_collector.expose import Format, render
from llmvitals_collector.page.question import asked
from llmvitals_collector.rates import chosen, rate, samples
from llmvitals_collector.statistics import wilson


def exposed(seen):
    return samples(b"".join(render(seen.state.snapshot(), Format.TEXT)).decode())


def total(of, family, **labels):
    return sum(sample.value for sample in chosen(of, family.name, labels))


def test_the_totals_are_those_of_the_metrics(seen):
    seen.calls(90, cost=0.25)
    seen.calls(6, failed=True, ending=semconv.ERROR, error_type="429")
    seen.calls(4, failed=True, ending=semconv.ERROR, error_type="timeout")
    seen.calls(10, input_tokens=100.0, cache_read_tokens=80.0)
    page, of = seen.page("window=all")["totals"], exposed(seen)
    assert page["calls"] == total(of, semconv.CALLS) == 110
    assert page["errors"] == {"rate_limit": 6, "timeout": 4}
    assert page["cost"] == pytest.approx(total(of, semconv.COST), rel=1e-3)
    assert page["cache"] == {"hits": 10, "n": total(of, semconv.CACHE_LOOKUPS)}
    assert page["duration"]["n"] == sum(each.value for each in of[f"{semconv.DURATION.name}_count"])


def test_a_percentile_of_all_templates_is_of_their_calls_together(seen):
    seen.calls(90, template="quick", duration=0.1)
    seen.calls(10, template="slow", duration=10.0)
    page = seen.page()
    rows = {row["name"]: row["duration"] for row in page["templates"]}
    assert rows["quick"]["p95"] <= 0.1 < 9 < rows["slow"]["p50"]
    assert page["totals"]["duration"]["p50"] <= 0.1 < 9 < page["totals"]["duration"]["p95"]


def test_of_speed_the_slow_end_is_told(seen):
    for tokens in range(1, 101):
        seen.calls(1, output_tokens_per_second=float(tokens))
    speed = seen.page()["totals"]["speed"]
    assert speed["p5"] == pytest.approx(5, abs=1)
    assert speed["p50"] == pytest.approx(50, abs=2)


def test_filters_are_grafana_s_variables(seen):
    seen.calls(1)
    seen.calls(2, template="summary")
    seen.calls(4, template="summary", model="gpt-5-mini")
    seen.calls(8, service="desk", template="")
    for query, calls in (
        ("", 15),
        ("var-template=summary", 6),
        ("var-template=summary&var-model=gpt-5", 2),
        ("var-template=summary&var-template=letter", 7),
        ("var-template=", 8),
        ("var-service=desk", 8),
        ("var-template=$__all&var-model=All&var-service=.*", 15),
        ("from=now-1h&to=now&orgId=1", 15),
    ):
        assert seen.page(query)["totals"]["calls"] == calls, query
    nothing = seen.page("var-template=none")
    assert (nothing["totals"], nothing["templates"]) == ({}, [])
    assert nothing["choices"]["template"] == ["", "letter", "summary"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (b"window=2h", "the window '2h' is unknown; valid: 5m, 1h, all"),
        (b"var-template=" + b"x" * 9000, "the query has 9013 characters; valid: at most 8192"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(query, sentence):
    with pytest.raises(ValueError, match="valid") as told:
        asked(query)
    assert str(told.value) == sentence


def test_quality_is_the_best_estimate_there_is_with_its_versions(seen):
    seen.verdicts(40)
    seen.verdicts(10, verdict=semconv.FAIL)
    seen.verdicts(50, template_version="2")
    seen.verdicts(30, dimension="format_valid", source=semconv.SOURCE_HEURISTIC)
    rows = {row["dimension"]: row for row in seen.page()["quality"]}
    found = rate(exposed(seen), "letter", "tone")
    assert (rows["tone"]["rate"], rows["tone"]["how"], rows["tone"]["looked_at"]) == (0.9, "uncalibrated", 100)
    assert [rows["tone"][key] for key in ("low", "high")] == pytest.approx(found.estimate[1:3], abs=1e-4)
    assert [(each["version"], each["rate"]) for each in rows["tone"]["versions"]] == [("1", 0.8), ("2", 1)]
    assert rows["format_valid"]["how"] == "check"


def test_a_judge_that_people_have_checked_is_corrected(seen):
    seen.verdicts(80)
    seen.verdicts(20, verdict=semconv.FAIL)
    graded = {"source": semconv.SOURCE_HUMAN, "judge_verdict": semconv.PASS}
    seen.verdicts(50, **graded)
    seen.verdicts(10, **graded, verdict=semconv.FAIL)
    (row,) = [row for row in seen.page()["quality"] if row["dimension"] == "tone"]
    assert row["how"] == "corrected"
    assert row["rate"] == pytest.approx(rate(exposed(seen), "letter", "tone").estimate.rate, abs=1e-4)


def test_negative_feedback_is_of_all_answers_with_its_interval(seen):
    seen.calls(100)
    for kind in ("thumb_down", "regenerate", "thumb_up", "copy"):
        seen.verdicts(2, dimension="", verdict="", kind=kind, source=semconv.SOURCE_USER, model="gpt-5")
    negative = seen.page()["totals"]["negative"]
    expected = wilson(4, 100)
    assert list(negative.values()) == pytest.approx(list(expected), abs=1e-4)


def test_the_heatmap_has_every_call_of_the_hour(seen):
    for minute in range(5):
        seen.calls(minute + 1, duration=0.1 * 2**minute)
        seen.minutes()
    seen.calls(7, duration=0.1)
    seen.minutes(0.5)
    trend = seen.page()["trend"]
    heat = trend["duration"]
    assert [sum(row) for row in heat["counts"]] == [1, 2, 3, 4, 5, 7] == trend["calls"]
    assert {len(row) for row in heat["counts"]} == {len(heat["bounds"]) - 1}
    assert heat["bounds"][0] < 0.1 <= heat["bounds"][1]


def test_a_minute_that_has_just_begun_is_not_in_the_trend(seen):
    """Three calls in its first second are not 180 a minute."""
    seen.calls(60)
    seen.minutes(1)
    seen.calls(3)
    seen.minutes(1 / 60)
    page = seen.page()
    assert page["trend"]["calls"] == [60]
    assert page["totals"]["calls"] == 63


def test_what_was_not_observed_in_a_minute_is_nothing_in_the_trend(seen):
    seen.minutes(0.5)
    assert seen.page()["trend"]["duration"]["tail"] == [None]


def test_what_is_most_in_need_of_a_look_comes_first_and_few_answers_last(seen):
    seen.verdicts(1, dimension="safety", verdict=semconv.FAIL)
    seen.verdicts(100)
    seen.verdicts(60, dimension="helpfulness")
    seen.verdicts(40, dimension="helpfulness", verdict=semconv.FAIL)
    page = seen.page()
    assert [row["dimension"] for row in page["quality"]] == ["helpfulness", "tone", "safety"]
    assert all("floor" in row for row in page["quality"])
