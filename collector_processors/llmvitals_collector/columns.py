"""Records of one kind in columns: the form in which a batch goes from decoding to aggregation."""

import math
from collections.abc import Callable, Mapping, Sequence
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
    ID = "id"  # only ever compared
    VECTOR = "vector"  # several numbers for each record, 0 where they are absent


# Each kind's dtype, and the value that means absent.
FORMS: dict[Kind, tuple[type[np.generic], Any]] = {
    Kind.TEXT: (np.int32, ""),
    Kind.NUMBER: (np.float64, math.nan),
    Kind.AMOUNT: (np.float64, math.nan),
    Kind.FLAG: (np.bool_, False),
    Kind.MEMBER: (np.int8, None),
    Kind.ID: (np.uint64, 0),
    Kind.VECTOR: (np.float64, 0.0),
}
ABSENT_MEMBER = -1
# Texts come from outside; whoever works on them looks at no more of each.
TEXT_CHARACTERS = 400


class Column(NamedTuple):
    """One column of a record.

    members: the vocabulary of a MEMBER column, in the order of its codes. width: how many numbers a VECTOR has.
    kept: whether the journal has it.
    """

    name: str
    kind: Kind
    members: tuple[Any, ...] = ()
    width: int = 0
    kept: bool = True


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

    A subclass names its columns: `decoded` are there from the start, `derived` once a processor has added them. A
    decoded column in which no record has anything need not be among the arrays; whoever asks for it gets absence.
    """

    decoded: ClassVar[tuple[Column, ...]]
    derived: ClassVar[tuple[Column, ...]] = ()

    def __init__(
        self, strings: list[str], arrays: dict[str, NDArray[Any]], codes: dict[str, int] | None = None
    ) -> None:
        """`codes` are those of the strings, where the caller has them already."""
        self.strings = strings
        self.arrays = arrays
        self._codes = codes

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Build a batch from one mapping of column name to value per record.

        A name that is missing is absent, and so are an amount that is negative or infinite, and an unknown member.
        """
        codes = {"": 0}
        arrays: dict[str, NDArray[Any]] = {}
        for name, kind, members, width, _ in cls.decoded:
            dtype, absent = FORMS[kind]
            values = [row.get(name, [absent] * width if width else absent) for row in rows]
            if kind is Kind.TEXT:
                values = [codes.setdefault(value, len(codes)) for value in values]
            elif kind is Kind.MEMBER:
                values = [members.index(value) if value in members else ABSENT_MEMBER for value in values]
            arrays[name] = np.array(values, dtype)
            if kind is Kind.AMOUNT:
                arrays[name][~((arrays[name] >= 0) & (arrays[name] < np.inf))] = np.nan
        return cls(list(codes), arrays, codes)

    @classmethod
    def formed(cls, strings: list[str], columns: Mapping[str, NDArray[Any]]) -> Self:
        """Build a batch from columns as they were read: numbers for flags, and amounts that are none, are made fit."""
        kinds = {column.name: column.kind for column in cls.decoded}
        amounts = {name: array for name, array in columns.items() if kinds[name] is Kind.AMOUNT}
        formed = {}
        for name, array in columns.items():
            if name not in amounts:
                flag = kinds[name] is Kind.FLAG and array.dtype != np.bool_
                formed[name] = (array == 1 if flag else array).astype(FORMS[kinds[name]][0], copy=False)
        if amounts:
            # All at once: for so few rows each of numpy's steps costs more than its work.
            every = np.array(list(amounts.values()), np.float64)
            every = np.where((every >= 0) & (every < np.inf), every, np.nan)
            formed |= dict(zip(amounts, every, strict=True))
        return cls(strings, formed)

    @classmethod
    def joined(cls, batches: Sequence[Self]) -> Self:
        """Put batches together, in their order, before anything is derived from them."""
        codes = {"": 0}
        anew = np.array([codes.setdefault(text, len(codes)) for each in batches for text in each.strings], np.int32)
        # Of each record: where the strings of its batch begin among those of all.
        starts = np.cumsum([0, *(len(each.strings) for each in batches[:-1])])
        start = np.repeat(starts, [len(each) for each in batches])
        arrays = {}
        for column in cls.decoded:
            if any(column.name in batch for batch in batches):
                array = np.concatenate([batch[column.name] for batch in batches])
                arrays[column.name] = anew.take(start + array) if column.kind is Kind.TEXT else array
        return cls(list(codes), arrays, codes)

    def beside(self, others: "Columns") -> Self:
        """The batch with columns of text of the same records that came apart from it."""
        # The first of their strings is "", as of ours.
        more = {name: np.where(codes, codes + len(self.strings) - 1, 0) for name, codes in others.arrays.items()}
        return type(self)([*self.strings, *others.strings[1:]], {**self.arrays, **more})

    def where(self, kept: NDArray[np.bool_]) -> Self:
        """The batch without the records that are not kept; kept: bool (n,)."""
        rows = np.flatnonzero(kept)  # numpy takes rows by their number much faster than by a mask
        return type(self)(
            self.strings, {name: each.take(rows, axis=0) for name, each in self.arrays.items()}, self._codes
        )

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __contains__(self, name: object) -> bool:
        """Whether any record may have something in a column."""
        return name in self.arrays

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.arrays:
            self.arrays[name] = self._absent(name, len(self))
        return self.arrays[name]

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Add one of the derived columns: an array of n elements, of the dtype of the column's kind."""
        column = next(column for column in self.derived if column.name == name)
        self.arrays[name] = array.astype(FORMS[column.kind][0], copy=False)

    def of_texts(self, name: str, value: Callable[[str], Any], dtype: type[np.generic]) -> NDArray[Any]:
        """What a function gives for the text that each record has in a column; it sees each distinct text once."""
        values = np.zeros(len(self.strings), dtype)
        for code, text in self._texts(name):
            values[code] = value(text[:TEXT_CHARACTERS])
        result: NDArray[Any] = values[self[name]]
        return result

    def rewrite(self, name: str, written: Callable[[str], str]) -> None:
        """Put what a function makes of it in place of each distinct text of a column."""
        texts = self._texts(name) if name in self else []
        anew = {code: new for code, text in texts if (new := written(text[:TEXT_CHARACTERS])) != text}
        if anew:
            codes = np.arange(len(self.strings), dtype=np.int32)
            codes[list(anew)] = [self.code(text) for text in anew.values()]
            self.arrays[name] = codes[self[name]]

    def _texts(self, name: str) -> list[tuple[int, str]]:
        """The distinct texts of a column, each with its code."""
        used = np.flatnonzero(np.bincount(self[name])).tolist()
        return [(code, self.strings[code]) for code in used]

    def code(self, text: str) -> int:
        """The code of a text, which is added to the strings if it is not among them."""
        if self._codes is None:
            self._codes = {known: code for code, known in enumerate(self.strings)}
        code = self._codes.setdefault(text, len(self.strings))
        if code == len(self.strings):
            self.strings.append(text)
        return code

    @classmethod
    def _absent(cls, name: str, rows: int) -> NDArray[Any]:
        column = next(column for column in cls.decoded if column.name == name)
        dtype, absent = FORMS[column.kind]
        shape = (rows, column.width) if column.width else rows
        return np.full(shape, {Kind.TEXT: 0, Kind.MEMBER: ABSENT_MEMBER}.get(column.kind, absent), dtype)
