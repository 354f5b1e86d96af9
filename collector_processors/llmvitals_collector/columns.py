"""Records of one kind in columns: the form in which a batch goes from decoding to aggregation."""

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"  # codes into the batch's strings, of which the first is "" and means absent
    NUMBER = "number"
    AMOUNT = "amount"  # a number that is never negative
    FLAG = "flag"
    MEMBER = "member"  # places in a closed vocabulary


# Each kind's dtype, and the value that means absent.
FORMS: dict[Kind, tuple[type[np.generic], Any]] = {
    Kind.TEXT: (np.int32, ""),
    Kind.NUMBER: (np.float64, math.nan),
    Kind.AMOUNT: (np.float64, math.nan),
    Kind.FLAG: (np.bool_, False),
    Kind.MEMBER: (np.int8, None),
}
ABSENT_MEMBER = -1


class Column(NamedTuple):
    """One column of a record; `members` is the vocabulary of a MEMBER column, in the order of its codes."""

    name: str
    kind: Kind
    members: tuple[Any, ...] = ()


# The labels of a call, with which both records begin.
LABELS = (
    Column("service", Kind.TEXT),
    Column("provider", Kind.TEXT),
    Column("operation", Kind.TEXT),
    Column("model", Kind.TEXT),
    Column("template", Kind.TEXT),
)


class Columns:
    """A batch of n records: an array of n elements per column, and the strings that TEXT columns point into.

    A subclass names its columns: `decoded` are there from the start, `derived` once a processor has added them.
    """

    decoded: ClassVar[tuple[Column, ...]]
    derived: ClassVar[tuple[Column, ...]] = ()

    def __init__(self, strings: list[str], arrays: dict[str, NDArray[Any]]) -> None:
        self.strings = strings
        self.arrays = arrays

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Build a batch from one mapping of column name to value per record.

        A name that is missing is absent, and so are an amount that is negative or infinite, and an unknown member.
        """
        codes = {"": 0}
        arrays: dict[str, NDArray[Any]] = {}
        for name, kind, members in cls.decoded:
            dtype, absent = FORMS[kind]
            values = [row.get(name, absent) for row in rows]
            if kind is Kind.TEXT:
                values = [codes.setdefault(value, len(codes)) for value in values]
            elif kind is Kind.MEMBER:
                values = [members.index(value) if value in members else ABSENT_MEMBER for value in values]
            arrays[name] = np.array(values, dtype)
            if kind is Kind.AMOUNT:
                arrays[name][~((arrays[name] >= 0) & (arrays[name] < np.inf))] = np.nan
        return cls(list(codes), arrays)

    def __len__(self) -> int:
        return len(self.arrays[self.decoded[0].name])

    def __contains__(self, name: object) -> bool:
        return name in self.arrays

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Add one of the derived columns: an array of n elements, of the dtype of the column's kind."""
        column = next(column for column in self.derived if column.name == name)
        self.arrays[name] = array.astype(FORMS[column.kind][0], copy=False)
