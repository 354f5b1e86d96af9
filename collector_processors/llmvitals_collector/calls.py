"""The first of the two records: one row per LLM call."""

from llmvitals import semconv
from llmvitals_collector.columns import LABELS, Column, Columns, Kind

# An outcome with its error class, as the two labels of llm_calls_total have them.
OUTCOMES_BY_CLASS = (
    (semconv.OK, ""),
    (semconv.STOPPED, ""),
    *((semconv.ERROR, error_class) for error_class in semconv.ERROR_CLASSES),
)


class Calls(Columns):
    """A batch of LLM calls. Times are in seconds, tokens are counts; what the sender did not tell is absent."""

    decoded = (
        *LABELS,
        Column("error_type", Kind.TEXT),  # as the sender wrote it
        Column("ending", Kind.TEXT),  # one of semconv.ENDINGS
        Column("failed", Kind.FLAG),
        Column("streamed", Kind.FLAG),
        Column("end_time", Kind.AMOUNT),  # since the epoch
        Column("duration", Kind.AMOUNT),
        Column("time_to_first_chunk", Kind.AMOUNT),
        Column("time_to_first_token", Kind.AMOUNT),
        Column("output_tokens_per_second", Kind.AMOUNT),
        Column("input_tokens", Kind.AMOUNT),
        Column("output_tokens", Kind.AMOUNT),
        Column("cache_read_tokens", Kind.AMOUNT),
        Column("cache_write_tokens", Kind.AMOUNT),
        Column("reasoning_tokens", Kind.AMOUNT),
    )
    derived = (
        Column("outcome", Kind.MEMBER, semconv.OUTCOMES),
        Column("outcome_by_class", Kind.MEMBER, OUTCOMES_BY_CLASS),
        Column("prompt_cache", Kind.MEMBER, semconv.CACHE_OUTCOMES),
        *(Column(f"slo_{slo}", Kind.MEMBER, semconv.SLO_OUTCOMES) for slo in semconv.SLOS),
    )
