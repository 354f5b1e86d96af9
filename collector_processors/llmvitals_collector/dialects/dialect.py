"""The one shape of a dialect."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from llmvitals_collector.dialects.table import Reading, Source
from llmvitals_collector.records import Mask, Records

# Column name -> array of n elements, one for each record of the request, whether it speaks the dialect or not.
ColumnsByName: TypeAlias = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Dialect:
    """A convention in which spans tell of LLM calls.

    name: of its module, and as the collector's own metrics have it.
    is_mine: which of the records speak it; bool, shape (n,). A span is read by the first dialect that says so.
    table: where the columns of `Calls` stand. A span whose `operation` is none of `semconv.CALL_OPERATIONS` is no
        call: that of an agent, a tool, a wrapper.
    adjust: puts other columns in place of those that the table gave (their arrays are not its own to write to), where
        the table can't say it. A column that no record has is missing.
        A span whose operation it sets to 0, the code of "", is not counted.
        A call's duration is its span's unless `duration` says another; a negative one means that it is not known.
    further: keys of attributes beside those of the table that `is_mine` and `adjust` look at.
    """

    name: str
    is_mine: Callable[[Records], Mask]
    table: tuple[Source, ...]
    adjust: Callable[[ColumnsByName, Reading], None] | None = None
    further: tuple[str, ...] = ()
