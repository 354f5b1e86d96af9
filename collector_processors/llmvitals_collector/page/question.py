"""What a page asks for: over how long, and of which services, templates and models."""

from collections.abc import Iterable, Sequence
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


def together(counted: Counted, question: Question, by: str | None = None) -> dict[str, NDArray[np.float64]]:
    """The sums of what is asked for by a label's value, or of all under ""; float64 (members, buckets) each.

    Without the label there is nothing; neither has a value anything by which nothing was counted.
    """
    form, keys, values = counted
    if by is not None and by not in form.names:
        return {}
    kept = np.flatnonzero(question.of(form.names, keys) & values.any(axis=1))
    place = -1 if by is None else form.names.index(by)
    codes: dict[str, int] = {}
    groups = [codes.setdefault(keys[row][place] if by else "", len(codes)) for row in kept.tolist()]
    sums = np.zeros((len(codes), form.width))
    np.add.at(sums, np.array(groups, np.intp), values[kept])
    return dict(zip(codes, sums.reshape(len(codes), len(form.members), form.buckets), strict=True))
