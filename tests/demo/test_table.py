"""The table has, for each template, what the collector's families say of it over all other labels."""

from rich.console import Console

from llmvitals import semconv
from llmvitals_collector.demo.table import measured, rendered
from llmvitals_collector.rates import samples

NO_ANSWER = {
    "duration_p50_seconds": None,
    "duration_p95_seconds": None,
    "duration_p99_seconds": None,
    "time_to_first_token_p50_seconds": None,
    "time_to_first_token_p95_seconds": None,
    "output_tokens_per_second_p50": None,
}


def sample(name, value, template="letter", **labels):
    labels = {semconv.LABEL_TEMPLATE: template, **labels}
    written = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{name}{{{written}}} {value}\n"


def buckets(family, counts, **labels):
    return "".join(sample(f"{family.name}_bucket", count, **labels, le=le) for le, count in counts.items())


def test_counters_are_summed_over_models_and_told_apart_by_outcome_and_kind():
    exposition = "".join(
        [
            sample(semconv.CALLS.name, 3, outcome="ok", gen_ai_request_model="a"),
            sample(semconv.CALLS.name, 4, outcome="ok", gen_ai_request_model="b"),
            sample(semconv.CALLS.name, 2, outcome="error", error_class="timeout"),
            sample(semconv.CACHE_LOOKUPS.name, 5, cache="prompt", outcome="hit"),
            sample(semconv.CACHE_LOOKUPS.name, 6, cache="prompt", outcome="miss"),
            sample(semconv.FEEDBACK.name, 7, kind="thumb_up"),
            sample(semconv.FEEDBACK.name, 8, kind="thumb_down"),
            sample(semconv.FEEDBACK.name, 9, kind="copy"),
        ]
    )
    counts = {"calls": 9, "errors": 2, "cache_hits": 5, "thumbs_up": 7, "thumbs_down": 8}
    assert measured(samples(exposition)) == {"letter": NO_ANSWER | counts}


def test_percentiles_are_of_the_summed_buckets_and_durations_leave_errors_out():
    exposition = "".join(
        [
            sample(semconv.CALLS.name, 4, outcome="ok"),
            buckets(semconv.DURATION, {"1.0": 1, "2.0": 1, "+Inf": 1}, outcome="ok", gen_ai_request_model="a"),
            buckets(semconv.DURATION, {"1.0": 0, "2.0": 1, "+Inf": 1}, outcome="ok", gen_ai_request_model="b"),
            buckets(semconv.DURATION, {"1.0": 99, "2.0": 99, "+Inf": 99}, outcome="error"),
            buckets(semconv.FIRST_TOKEN, {"0.4": 0, "0.8": 4, "+Inf": 4}),
            buckets(semconv.OUTPUT_SPEED, {"50.0": 0, "60.0": 4, "+Inf": 4}),
        ]
    )
    row = measured(samples(exposition))["letter"]
    assert row["duration_p50_seconds"] == 1
    assert row["duration_p95_seconds"] == 1.9
    assert row["time_to_first_token_p50_seconds"] == 0.6
    assert row["output_tokens_per_second_p50"] == 55


def test_nothing_measured_is_an_empty_table():
    assert measured(samples("")) == {}


def test_a_terminal_shows_a_line_for_each_template_with_a_dash_for_what_is_not_known():
    exposition = sample(semconv.CALLS.name, 3) + sample(semconv.CALLS.name, 4, template="summary")
    rows = measured(samples(exposition))
    console = Console(width=120)
    with console.capture() as capture:
        console.print(rendered(rows))
    letter, summary = [line.split() for line in capture.get().splitlines() if "letter" in line or "summary" in line]
    assert letter[:3] == ["letter", "3", "-"]
    assert summary[:3] == ["summary", "4", "-"]
