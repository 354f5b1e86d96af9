"""The conventions in which a span can tell of an LLM call, in the order in which they are tried.

A dialect is a module of one shape, listed here: `COLUMNS` maps each attribute key to the column of
`calls.Calls` that takes its value (of two keys for one column the first that is present counts),
and `is_mine` says whether a span speaks it.
"""

from collections.abc import Mapping
from typing import Protocol

from llmvitals_collector.dialects import genai


class Dialect(Protocol):
    COLUMNS: Mapping[str, str]

    def is_mine(self, scope: str, attributes: Mapping[str, object], /) -> bool:
        """Whether a span of the instrumentation scope `scope`, with these attributes, speaks this dialect."""
        ...


DIALECTS: tuple[Dialect, ...] = (genai,)
