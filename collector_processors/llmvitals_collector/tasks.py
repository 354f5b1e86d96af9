"""The third of the records: one row per task of a user, as the app tells of it."""

from llmvitals import semconv
from llmvitals_collector.columns import Column, Columns, Kind


class Tasks(Columns):
    """A batch of tasks. Times are in seconds."""

    decoded = (
        Column("service", Kind.TEXT),
        Column("task", Kind.TEXT),
        Column("release", Kind.TEXT),
        Column("failure_mode", Kind.TEXT),  # in what way it failed, in the app's words
        Column("outcome", Kind.MEMBER, semconv.TASK_OUTCOMES),
        Column("failed", Kind.FLAG),
        Column("duration", Kind.AMOUNT),
        Column("record_id", Kind.ID),
    )
