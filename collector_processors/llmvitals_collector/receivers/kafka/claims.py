"""Who counts which messages of a partition: of each replica that has read them exactly one.

The commit of an offset is what makes messages count. A replica writes what it has decoded to its journal, as prepared;
commits the end of that range of offsets to its consumer group; and then counts it. Whoever dies in between finds the
range prepared when it starts again, and Kafka knows whether its commit was made. Since others may have gone on from
there meanwhile, that is not seen from the offset alone. So whoever gets a partition first claims it: with each commit
goes where each of the latest claims began, as the commit's metadata. Offsets before the next claim were committed under
this one, those behind it were not.

That a replica from which a partition was taken cannot commit any more is what the generations of a consumer group
ensure: the broker refuses a commit of another generation than the present one, and a partition changes its reader with
a new one only; see commits.
"""

import time

import msgspec

from llmvitals_collector.storage import OffsetRange

# The broker takes 4096 bytes of metadata (offset.metadata.max.bytes), and an offset has 19 digits at most.
_KEPT = 150


class Committed(msgspec.Struct, frozen=True):
    """What a consumer group has committed for a partition.

    offset: from which its next reader goes on. claim: the number of the newest one; 0 if the group knows of none.
    starts: where the newest claims began, the newest last.
    """

    offset: int
    claim: int = 0
    starts: tuple[int, ...] = ()

    @classmethod
    def read(cls, offset: int, metadata: str | None) -> "Committed":
        """What the group answers; metadata of others, such as an administrator who sets offsets, tells of no claim."""
        try:
            told = msgspec.json.decode(metadata or "", type=_Metadata)
        except msgspec.DecodeError:
            return cls(offset)
        return cls(offset, told.claim, told.starts)

    @property
    def metadata(self) -> str:
        """To be committed beside the offset."""
        return msgspec.json.encode(_Metadata(self.claim, self.starts)).decode()

    def claimed(self) -> "Committed":
        """As it is to be committed by whoever has just got the partition."""
        # Claims that the group has forgotten, since somebody set its offsets, had smaller numbers: of earlier times.
        number = self.claim + 1 if self.claim else time.time_ns() // 1_000_000
        return Committed(self.offset, number, (*self.starts, self.offset)[-_KEPT:])

    def until(self, offset: int) -> "Committed":
        """As it is to be committed once all before the offset is prepared."""
        return Committed(offset, self.claim, self.starts)


class _Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    claim: int
    starts: tuple[int, ...]


def was_committed(prepared: OffsetRange, committed: Committed) -> bool | None:
    """Whether the commit of a prepared range was made, so that it counts; None if nobody can tell any more.

    committed: of its partition, read by whoever may be sure that no commit of the range is under way: because it has
        got the partition anew since, or another one has.
    """
    later = committed.claim - prepared.claim
    if later == 0:
        return committed.offset >= prepared.end
    if 0 < later <= len(committed.starts):
        return committed.starts[-later] >= prepared.end
    # There were too many claims since, or the group has forgotten this one: it was made anew, or somebody set its
    # offsets. What is to be read again does not count now.
    return False if committed.offset <= prepared.start else None
