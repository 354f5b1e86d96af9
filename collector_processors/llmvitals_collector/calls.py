"""The first of the records: one row per LLM call."""

from llmvitals import semconv
from llmvitals_collector.columns import LABELS, Column, Columns, Kind

# An outcome with its error class, as the two labels of llm_calls_total have them.
OUTCOMES_BY_CLASS = (
    (semconv.OK, ""),
    (semconv.STOPPED, ""),
    *((semconv.ERROR, error_class) for error_class in semconv.ERROR_CLASSES),
)
CONTENT = ("input_messages", "output_messages", "system_instructions")


class Calls(Columns):
    """A batch of LLM calls. Times are in seconds, tokens are counts; what the sender did not tell is absent."""

    decoded = (
        *LABELS,
        Column("template_version", Kind.TEXT),
        Column("response_model", Kind.TEXT),
        Column("release", Kind.TEXT),  # service.version
        Column("scope", Kind.TEXT),  # of the instrumentation
        Column("dialect", Kind.TEXT),  # the name of the module in dialects/
        Column("error_type", Kind.TEXT),  # as the sender wrote it
        Column("ending", Kind.TEXT),  # one of semconv.ENDINGS
        Column("finish_reason", Kind.TEXT),  # as the sender wrote it
        Column("server_address", Kind.TEXT),
        Column("trace_state", Kind.TEXT),
        Column("checks", Kind.TEXT),  # what evaluators in the app found, as semconv.CHECKS has it
        Column("language", Kind.TEXT),  # of the answer
        # Content, as JSON in the conventions' form, where something is to be evaluated here.
        *(Column(name, Kind.TEXT, kept=False) for name in CONTENT),
        Column("trace_id_high", Kind.ID),
        Column("trace_id_low", Kind.ID),
        Column("span_id", Kind.ID),
        Column("parent_id", Kind.ID),
        Column("response_id", Kind.ID),
        Column("failed", Kind.FLAG),
        Column("client", Kind.FLAG),  # the span's kind is CLIENT
        Column("sampled", Kind.FLAG),  # the trace can be looked up
        Column("streamed", Kind.FLAG),
        Column("end_time", Kind.AMOUNT),  # since the epoch
        Column("duration", Kind.AMOUNT),
        Column("time_to_first_chunk", Kind.AMOUNT),
        Column("time_to_first_token", Kind.AMOUNT),
        Column("time_to_first_answer_token", Kind.AMOUNT),
        Column("output_tokens_per_second", Kind.AMOUNT),
        Column("gaps", Kind.VECTOR, width=len(semconv.GAP_BOUNDS) + 1),  # between chunks, how many in each bucket
        Column("gaps_time", Kind.AMOUNT),  # the sum of them all
        Column("input_tokens", Kind.AMOUNT),  # all of them, cached included
        Column("output_tokens", Kind.AMOUNT),  # all of them, reasoning included
        Column("cache_read_tokens", Kind.AMOUNT),
        Column("cache_write_tokens", Kind.AMOUNT),
        Column("reasoning_tokens", Kind.AMOUNT),
        Column("cost", Kind.AMOUNT),  # in US dollars
        Column("attempts", Kind.AMOUNT),
        Column("queue_time", Kind.AMOUNT),
        Column("status_code", Kind.AMOUNT),  # HTTP's
    )
    derived = (
        Column("weight", Kind.AMOUNT),  # how many calls this one stands for
        Column("weighted", Kind.MEMBER, semconv.WEIGHTED),
        Column("priced", Kind.MEMBER, semconv.PRICED),
        Column("input_band", Kind.MEMBER, semconv.INPUT_BANDS),
        Column("latency_band", Kind.MEMBER, semconv.LATENCY_BANDS),
        Column("answered", Kind.FLAG),  # a user got an answer, or a part of one
        Column("failure", Kind.FLAG),  # it counts in some failure mode
        Column("outcome", Kind.MEMBER, semconv.OUTCOMES),
        Column("outcome_by_class", Kind.MEMBER, OUTCOMES_BY_CLASS),
        Column("prompt_cache", Kind.MEMBER, semconv.CACHE_OUTCOMES),
        *(Column(f"slo_{slo}", Kind.MEMBER, semconv.SLO_OUTCOMES) for slo in semconv.SLOS),
    )
