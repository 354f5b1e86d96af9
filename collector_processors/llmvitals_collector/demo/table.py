"""What the collector's own /metrics say of each prompt template, and as a table for a terminal."""

import math
from collections import defaultdict
from typing import NamedTuple

from rich import box
from rich.table import Table

from llmvitals import semconv
from llmvitals_collector.quantiles import histogram_quantile
from llmvitals_collector.rates import Samples, chosen

Row = dict[str, float | int | None]


class Percentile(NamedTuple):
    """A percentile of the observations that a histogram family has under the given labels."""

    heading: str
    family: semconv.Family
    quantile: float
    labels: dict[str, str]


class Count(NamedTuple):
    """What a counter family has counted under the given labels."""

    heading: str
    family: semconv.Family
    labels: dict[str, str]


ALL: dict[str, str] = {}
# An error is no answer, so the time that it took says nothing of how long answers take.
OK = {semconv.LABEL_OUTCOME: "ok"}
HIT = {semconv.LABEL_CACHE: semconv.PROMPT_CACHE, semconv.LABEL_OUTCOME: "hit"}

COLUMNS: dict[str, Percentile | Count] = {
    "calls": Count("calls", semconv.CALLS, ALL),
    "duration_p50_seconds": Percentile("time\np50", semconv.DURATION, 0.5, OK),
    "duration_p95_seconds": Percentile("\np95", semconv.DURATION, 0.95, OK),
    "duration_p99_seconds": Percentile("\np99", semconv.DURATION, 0.99, OK),
    "time_to_first_token_p50_seconds": Percentile("first\np50", semconv.FIRST_TOKEN, 0.5, ALL),
    "time_to_first_token_p95_seconds": Percentile("\np95", semconv.FIRST_TOKEN, 0.95, ALL),
    "output_tokens_per_second_p50": Percentile("tok/s\np50", semconv.OUTPUT_SPEED, 0.5, ALL),
    "errors": Count("errors", semconv.CALLS, {semconv.LABEL_OUTCOME: "error"}),
    "cache_hits": Count("cache\nhits", semconv.CACHE_LOOKUPS, HIT),
    "thumbs_up": Count("thumb\nup", semconv.FEEDBACK, {semconv.LABEL_KIND: "thumb_up"}),
    "thumbs_down": Count("\ndown", semconv.FEEDBACK, {semconv.LABEL_KIND: "thumb_down"}),
}


def measured(of: Samples) -> dict[str, Row]:
    """Template -> column -> value, where None is a percentile of nothing."""
    templates = sorted({sample.labels[semconv.LABEL_TEMPLATE] for sample in of.get(semconv.CALLS.name, ())})
    return {template: {key: _value(column, template, of) for key, column in COLUMNS.items()} for template in templates}


def rendered(rows: dict[str, Row]) -> Table:
    """The rows for people, no wider than a terminal of 80 columns."""
    caption = "time to the end of the answer and to its first token, in seconds"
    table = Table("template", box=box.SIMPLE_HEAD, show_edge=False, padding=0, caption=caption)
    for column in COLUMNS.values():
        table.add_column(column.heading, justify="right")
    for template, row in rows.items():
        table.add_row(template, *(_figure(value) for value in row.values()))
    return table


def _value(column: Percentile | Count, template: str, of: Samples) -> float | int | None:
    labels = column.labels | {semconv.LABEL_TEMPLATE: template}

    if isinstance(column, Count):
        return round(sum(sample.value for sample in chosen(of, column.family.name, labels)))
    buckets: dict[float, float] = defaultdict(float)
    for sample in chosen(of, f"{column.family.name}_bucket", labels):
        buckets[float(sample.labels["le"])] += sample.value
    value = histogram_quantile(column.quantile, buckets)
    return None if math.isnan(value) else round(value, 6)


def _figure(value: float | int | None) -> str:
    match value:
        case None:
            return "-"
        case int():
            return str(value)
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"
