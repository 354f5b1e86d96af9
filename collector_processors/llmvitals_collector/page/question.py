"""What a page asks for: over how long, and of which services, templates and models."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.page.history import HOUR, RECENT, Counted
from llmvitals_collector.page.reading import Key

# Name in the address, as Grafana's boards have their variables there -> the label.
FILTERS = {"service": semconv.LABEL_SERVICE, "template": semconv.LABEL_TEMPLATE, "model": semconv.LABEL_MODEL}
PREFIX = "var-"
# Name in the address -> seconds; all is since the collector began.
WINDOWS: dict[str, float | None] = {"5m": RECENT, "1h": HOUR, "all": None}
# What Grafana writes for a variable that leaves nothing out.
_EVERYTHING = {"$__all", "All", ".*"}
_MOST_VALUES, _MOST_CHARACTERS = 100, 8192


class Question(NamedTuple):
    """window: one of WINDOWS. chosen: label -> the values to be shown, without the labels of which all are."""

    window: str
    chosen: frozenset[tuple[str, frozenset[str]]]

    def of(self, names: Sequence[str], keys: Iterable[Key]) -> NDArray[np.bool_]:
        """Which label sets are asked for; what does not have a label is not told apart by it."""
        wanted = [(names.index(label), values) for label, values in self.chosen if label in names]
        if not wanted:
            return np.fromiter(map(bool, keys), np.bool_)
        return np.array([bool(key) and all(key[place] in values for place, values in wanted) for key in keys], np.bool_)


def asked(query: bytes) -> Question:
    """Read the query of an address; what is not understood in it is left out.

    Raises:
        ValueError: the window is unknown, or it is too long.
    """
    if len(query) > _MOST_CHARACTERS:
        raise ValueError(f"the query has {len(query)} characters; valid: at most {_MOST_CHARACTERS}")
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    window = given.get("window", ["5m"])[-1]
    if window not in WINDOWS:
        raise ValueError(f"the window {window[:20]!r} is unknown; valid: {', '.join(WINDOWS)}")
    chosen = {label: frozenset(given.get(PREFIX + name, ())[:_MOST_VALUES]) for name, label in FILTERS.items()}
    return Question(
        window, frozenset((label, some) for label, some in chosen.items() if some and not some & _EVERYTHING)
    )


class Sums(NamedTuple):
    """What was counted by a label's value: the values, and float64 (values, members, buckets)."""

    names: list[str]
    cells: NDArray[np.float64]


def together(counted: Counted, question: Question, by: str | None = None) -> Sums:
    """The sums of what is asked for by a label's value, or of all under "".

    Without the label there is nothing; neither has a value anything by which nothing was counted.
    """
    form, keys, values = counted
    rows: defaultdict[str, list[int]] = defaultdict(list)
    if by is None or by in form.names:
        place = -1 if by is None else form.names.index(by)
        for row in np.flatnonzero(question.of(form.names, keys) & values.any(axis=1)).tolist():
            rows[keys[row][place] if by else ""].append(row)
    ends = np.cumsum([0, *map(len, rows.values())])
    sums = np.add.reduceat(values[list(chain.from_iterable(rows.values()))], ends[:-1], axis=0)
    return Sums(list(rows), sums.reshape(len(rows), len(form.members), form.buckets))
