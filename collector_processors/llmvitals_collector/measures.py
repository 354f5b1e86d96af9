"""What each family takes from the records of a batch."""

from typing import NamedTuple

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.cache_lookups import CacheLookups
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns
from llmvitals_collector.results import Results
from llmvitals_collector.tasks import Tasks

# The column behind each label whose values come from outside; the other labels are closed vocabularies.
LABEL_COLUMNS = {
    semconv.LABEL_SERVICE: "service",
    semconv.LABEL_PROVIDER: "provider",
    semconv.LABEL_OPERATION: "operation",
    semconv.LABEL_MODEL: "model",
    semconv.LABEL_TEMPLATE: "template",
    semconv.LABEL_TEMPLATE_VERSION: "template_version",
    semconv.LABEL_RELEASE: "release",
    semconv.LABEL_DIMENSION: "dimension",
    semconv.LABEL_SOURCE: "source",
    semconv.LABEL_SET: "set",
    semconv.LABEL_EVALUATOR: "evaluator",
    semconv.LABEL_RUBRIC: "rubric",
    semconv.LABEL_LANGUAGE: "language",
    semconv.LABEL_TASK: "task",
    semconv.LABEL_FAILURE_MODE: "failure_mode",
    semconv.LABEL_RESPONSE_CACHE: "cache",
}


class Measure(NamedTuple):
    """What a family takes from each record of a batch.

    value: the column that is observed or added up; "" counts records.
    beyond: of the value only what exceeds this much.
    labels: values of the family's first closed labels, the same for every record.
    by: the MEMBER columns that give the values of the closed labels after those. A record without one is not counted.
    untold: it is counted for all that, under "" for the last of these labels.
    where: the FLAG column that must be set.
    counts: the VECTOR column with counts of values for each bucket of the classic bounds, of which `value` is the sum.
    """

    family: Family
    value: str = ""
    beyond: float = 0.0
    labels: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    untold: bool = False
    where: str = ""
    counts: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns without which nothing is counted."""
        return tuple(column for column in (self.value, *self.by, self.where, self.counts) if column)


MEASURES: dict[type[Columns], tuple[Measure, ...]] = {
    Calls: (
        Measure(semconv.CALLS, by=("outcome_by_class",)),
        Measure(semconv.DURATION, "duration", by=("outcome",)),
        Measure(semconv.FIRST_CHUNK, "time_to_first_chunk", where="streamed"),
        Measure(semconv.FIRST_TOKEN, "time_to_first_token", where="streamed"),
        Measure(semconv.ANSWER_TOKEN, "time_to_first_answer_token", where="streamed"),
        Measure(semconv.CHUNK_GAPS, "gaps_time", where="streamed", counts="gaps"),
        Measure(semconv.OUTPUT_SPEED, "output_tokens_per_second", where="streamed"),
        Measure(semconv.QUEUE, "queue_time"),
        *(Measure(semconv.TOKEN_USAGE, f"{kind}_tokens", labels=(kind,)) for kind in semconv.TOKEN_TYPES),
        Measure(semconv.COST, "cost"),
        Measure(semconv.CALL_COST, "cost"),
        Measure(semconv.RETRIES, "attempts", beyond=1),
        Measure(semconv.CACHE_LOOKUPS, labels=(semconv.PROMPT_CACHE,), by=("prompt_cache",)),
        Measure(
            semconv.FIRST_TOKEN_BY_INPUT,
            "time_to_first_token",
            by=("input_band", "prompt_cache"),
            untold=True,
            where="streamed",
        ),
        Measure(semconv.DURATION_BY_INPUT, "duration", by=("input_band", "prompt_cache"), untold=True),
        Measure(semconv.CALLS_BY_LATENCY, by=("latency_band",)),
        Measure(semconv.RESPONSES, where="answered"),
        *(Measure(semconv.SLO_EVENTS, labels=(slo,), by=(f"slo_{slo}",)) for slo in semconv.SLOS),
    ),
    Results: (
        Measure(semconv.FEEDBACK, "told_weight", by=("kind",)),
        Measure(semconv.FAILURES, "told_weight", by=("mode", "primary")),
        Measure(semconv.QUALITY_RESULTS, by=("verdict",)),
        Measure(semconv.QUALITY_SCORE, "live_score"),
        Measure(semconv.QUALITY_WEIGHT, "decided_weight"),
        Measure(semconv.QUALITY_WEIGHT_SQUARED, "decided_weight_squared"),
        Measure(semconv.QUALITY_WEIGHTED_PASS, "pass_weight"),
        Measure(semconv.QUALITY_JUDGED, by=("judged",)),
        Measure(semconv.QUALITY_PAIRS, by=("pair_judge", "pair_human")),
        *(Measure(semconv.QUALITY_PAIR_SUMS, f"moment_{name}", labels=(name,)) for name in semconv.MOMENTS),
        Measure(semconv.HUMAN_PAIRS, by=("first_human", "second_human")),
        Measure(semconv.QUALITY_BY_LATENCY, by=("live_verdict", "latency_band")),
        Measure(semconv.QUALITY_BY_LANGUAGE, by=("language_verdict",)),
        Measure(semconv.EVALUATION_LAG, "lag"),
    ),
    Tasks: (
        Measure(semconv.TASKS, by=("outcome",)),
        Measure(semconv.TASK_DURATION, "duration", by=("outcome",)),
        Measure(semconv.TASK_FAILURES, where="failed"),
    ),
    CacheLookups: (
        Measure(semconv.RESPONSE_CACHE_LOOKUPS, by=("outcome",)),
        Measure(semconv.RESPONSE_CACHE_DURATION, "duration", by=("outcome",)),
        Measure(semconv.RESPONSE_CACHE_SAVED_SECONDS, "saved_seconds"),
        *(
            Measure(semconv.RESPONSE_CACHE_SAVED_TOKENS, f"saved_{kind}_tokens", labels=(kind,))
            for kind in ("input", "output")
        ),
    ),
}

# Histograms whose sums are a counter as well.
SUMS = {semconv.TOKEN_USAGE: semconv.TOKENS}
