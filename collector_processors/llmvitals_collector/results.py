"""The second of the two records: one row per verdict about an LLM call."""

from llmvitals import semconv
from llmvitals_collector.columns import LABELS, Column, Columns, Kind

FEEDBACK_KINDS = (*semconv.FEEDBACK_SCORES, semconv.OTHER)


class Results(Columns):
    """A batch of verdicts, today those of users, with the labels of the call that they are about."""

    decoded = (
        *LABELS,
        Column("name", Kind.TEXT),  # of the evaluation
        Column("source", Kind.TEXT),  # one of semconv.SOURCES
        Column("kind", Kind.MEMBER, FEEDBACK_KINDS),
        Column("score", Kind.NUMBER),
        Column("record_id", Kind.ID),  # by which a repetition is told
    )
