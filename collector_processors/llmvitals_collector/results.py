"""The second of the records: one row per verdict about an LLM call, whoever gave it."""

from llmvitals import semconv
from llmvitals_collector.columns import LABELS, Column, Columns, Kind


class Results(Columns):
    """A batch of results, with the labels of the call that they are about. What a result does not say is absent.

    A row is a verdict in a `dimension`, or feedback of a `kind`, or a failure in a `mode`, or a verdict and a failure.
    """

    decoded = (
        *LABELS,
        Column("template_version", Kind.TEXT),
        Column("release", Kind.TEXT),
        Column("dimension", Kind.TEXT),
        Column("source", Kind.TEXT),  # one of semconv.SOURCES
        Column("set", Kind.TEXT),  # one of semconv.SETS
        Column("evaluator", Kind.TEXT),  # a judge's model, the name of a heuristic; of a person's result, the judge's
        Column("evaluator_version", Kind.TEXT),
        Column("rubric", Kind.TEXT),  # the hash of its canonical form
        Column("language", Kind.TEXT),  # of the answer
        Column("kind", Kind.MEMBER, semconv.FEEDBACK_KINDS),
        Column("verdict", Kind.MEMBER, semconv.RESULT_VERDICTS),
        Column("stratum", Kind.MEMBER, semconv.STRATA),
        Column("mode", Kind.MEMBER, semconv.FAILURE_MODES),
        Column("primary", Kind.MEMBER, semconv.PRIMARY),
        Column("latency_band", Kind.MEMBER, semconv.LATENCY_BANDS),
        Column("judge_verdict", Kind.MEMBER, semconv.DECIDED),  # on an answer that a person has graded, too
        Column("judge_score", Kind.AMOUNT),
        Column("peer_verdict", Kind.MEMBER, semconv.DECIDED),  # of the person who graded the answer first
        Column("score", Kind.NUMBER),  # as told; from 0 (bad) to 1 (good) once it is rated
        Column("score_min", Kind.NUMBER),
        Column("score_max", Kind.NUMBER),
        Column("threshold", Kind.NUMBER),
        Column("sample_weight", Kind.AMOUNT),  # one over the probability that the answer was looked at
        Column("set_time", Kind.AMOUNT),  # when the set was put together, in seconds since the epoch
        Column("lag", Kind.AMOUNT),  # seconds from the answer to the verdict
        Column("record_id", Kind.ID),  # by which a repetition is told
    )
    derived = (
        Column("weight", Kind.AMOUNT),  # how many calls this one stands for
        Column("told_weight", Kind.AMOUNT),  # for how many answers a failure or feedback stands
        Column("decided_weight", Kind.AMOUNT),
        Column("decided_weight_squared", Kind.AMOUNT),
        Column("pass_weight", Kind.AMOUNT),
        Column("live_score", Kind.AMOUNT),
        Column("live_verdict", Kind.MEMBER, semconv.RESULT_VERDICTS),
        Column("language_verdict", Kind.MEMBER, semconv.RESULT_VERDICTS),
        Column("judged", Kind.MEMBER, semconv.RESULT_VERDICTS),  # by a judge, in the uniform sample
        Column("pair_judge", Kind.MEMBER, semconv.DECIDED),
        Column("pair_human", Kind.MEMBER, semconv.DECIDED),
        Column("first_human", Kind.MEMBER, semconv.DECIDED),
        Column("second_human", Kind.MEMBER, semconv.DECIDED),
        *(Column(f"moment_{moment}", Kind.AMOUNT) for moment in semconv.MOMENTS),
    )
