"""The second of the two records: one row per verdict about an LLM call."""

from llmvitals import semconv
from llmvitals_collector.columns import Column, Columns, Kind

FEEDBACK_KINDS = (*semconv.FEEDBACK_SCORES, semconv.OTHER)


class Results(Columns):
    """A batch of verdicts, today those of users; the first five columns are the labels of the call they are about."""

    decoded = (
        Column("service", Kind.TEXT),
        Column("provider", Kind.TEXT),
        Column("operation", Kind.TEXT),
        Column("model", Kind.TEXT),
        Column("template", Kind.TEXT),
        Column("name", Kind.TEXT),  # of the evaluation
        Column("source", Kind.TEXT),  # one of semconv.SOURCES
        Column("kind", Kind.MEMBER, FEEDBACK_KINDS),
        Column("score", Kind.NUMBER),
    )
