"""What the series of a family have in common, whether they are counters or histograms."""

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals.semconv import Family
from llmvitals_collector.labels import LabelSets

# What a family's labels of a closed vocabulary may be, in the family's order: one array column for each.
Members: TypeAlias = tuple[tuple[str, ...], ...]


class Series(ABC):
    """The series of one family, in arrays with one row per label set and one column per member.

    overflowed: how many values went to the overflow row, which is the first.
    """

    def __init__(self, family: Family, label_sets: LabelSets, members: Members) -> None:
        self.family = family
        self.label_sets = label_sets
        self.members = members
        self.overflowed = 0.0

    @abstractmethod
    def clear(self, rows: NDArray[np.intp]) -> None:
        """Set label sets back to nothing, so that others can have their rows."""

    @abstractmethod
    def snapshot(self) -> Any:
        """Copy the numbers; the caller sees to it that nobody counts meanwhile."""

    def _overflow(self, overflowed: NDArray[np.bool_], amounts: NDArray[np.float64]) -> None:
        if overflowed.any():
            self.overflowed += float(amounts[overflowed].sum())
