"""What decoding a request yields."""

from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.columns import Columns
from llmvitals_collector.records import Records

Record = TypeVar("Record", bound=Columns, covariant=True)


@dataclass(frozen=True)
class Decoded(Generic[Record]):
    """The calls, or the results, of a request, and what became of the rest of it.

    records: the calls, or the results.
    received: spans or log records, by service.
    ignored: those of them that are no record, which is no fault of the sender, by reason.
    rejected: those that should have been one and cannot be, by reason.
    told: all spans or log records of the request, as they were told.
    verdicts: what became of each of those: its place in `semconv.VERDICTS`. Shape (n,).
    dialects: which convention each of those speaks: its place in `dialects.DIALECTS`, -1 for none. Shape (n,).
    beside: what traces tell beside calls: tasks, lookups in caches, results.
    """

    records: Record
    received: Counter[str]
    ignored: Counter[str]
    rejected: Counter[str]
    told: Records
    verdicts: NDArray[np.int8]
    dialects: NDArray[np.int8]
    beside: tuple[Columns, ...] = ()
