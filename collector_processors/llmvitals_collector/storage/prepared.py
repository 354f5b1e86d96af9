"""What is durable, and counts only if and when somebody else says so: ranges of messages, of which Kafka knows."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from llmvitals_collector.columns import Columns

Partition: TypeAlias = tuple[str, int]  # of a topic


class OffsetRange(msgspec.Struct, frozen=True):
    """Messages of one partition that count together, or not at all.

    claim: under which they were read, see receivers.kafka.claims. start, end: the first offset, and the one after the
    last.
    """

    topic: str
    partition: int
    claim: int
    start: int
    end: int

    @property
    def of(self) -> Partition:
        return self.topic, self.partition


class Settled(NamedTuple):
    """What became of a range: whether it counts."""

    range: OffsetRange
    counts: bool


class Prepared(NamedTuple):
    """A range, and what its messages hold, of every kind of record."""

    range: OffsetRange
    batches: Sequence[Columns]


class Ranges(NamedTuple):
    """At one position of the journal.

    prepared: what waits, at most one range of each partition. ends: of each partition, up to where is counted here.
    """

    prepared: dict[Partition, Prepared]
    ends: dict[Partition, int]

    def copy(self) -> "Ranges":
        return Ranges(dict(self.prepared), dict(self.ends))

    def prepare(self, prepared: Prepared) -> None:
        self.prepared[prepared.range.of] = prepared

    def settle(self, settled: Settled) -> Sequence[Columns]:
        """Takes a range away, and gives what counts of it."""
        found = self.prepared.pop(settled.range.of, None)
        if not settled.counts:
            return ()
        self.ends[settled.range.of] = settled.range.end
        return found.batches if found else ()
