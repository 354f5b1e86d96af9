"""The fourth of the records: one row per lookup in a cache of the app's own."""

from llmvitals import semconv
from llmvitals_collector.columns import Column, Columns, Kind


class CacheLookups(Columns):
    """A batch of lookups. Times are in seconds."""

    decoded = (
        Column("service", Kind.TEXT),
        Column("cache", Kind.TEXT),
        Column("outcome", Kind.MEMBER, semconv.CACHE_OUTCOMES),
        Column("duration", Kind.AMOUNT),
        Column("saved_seconds", Kind.AMOUNT),  # that the call took which the hit saves
        Column("saved_input_tokens", Kind.AMOUNT),
        Column("saved_output_tokens", Kind.AMOUNT),
        Column("record_id", Kind.ID),
    )
