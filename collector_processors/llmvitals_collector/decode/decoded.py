"""What decoding a batch yields."""

from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

from llmvitals_collector.columns import Columns

Record = TypeVar("Record", bound=Columns, covariant=True)


@dataclass(frozen=True)
class Decoded(Generic[Record]):
    """The records of a batch, and what it held.

    records: the calls, or the verdicts about calls.
    received: spans or log records, by service.
    ignored: those of them that are no record, by reason.
    """

    records: Record
    received: Counter[str]
    ignored: Counter[str]
