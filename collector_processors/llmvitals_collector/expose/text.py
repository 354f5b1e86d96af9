"""Prometheus' text format and OpenMetrics."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial

import numpy as np

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.counters import CounterSnapshot
from llmvitals_collector.expose.slices import Slice, slices
from llmvitals_collector.histograms import HistogramSnapshot
from llmvitals_collector.labels import LabelSetSnapshot

# OpenMetrics wants a unit to be the end of the name.
_UNITS = ("seconds", "ratio")
# Stands for a series' labels in the pattern of its lines.
_LABELS = "\0"


def pieces(
    series: CounterSnapshot | HistogramSnapshot, label_sets: LabelSetSnapshot, openmetrics: bool
) -> Iterator[bytes]:
    """The lines of a family, slice by slice."""
    yield _metadata(series.family, openmetrics).encode()
    closed = [name for name in series.family.labels if name not in label_sets.names]
    members = [f",{_labels(tuple(closed), member)}" if closed else "" for member in series.members]
    lines: Callable[[Slice, list[str], list[float]], Iterator[str]]
    if isinstance(series, HistogramSnapshot):
        lines = _HistogramLines(series, openmetrics)
    else:
        lines = partial(_counter_lines, series, openmetrics)
    for some in slices(series):
        labels = [_labels(label_sets.names, label_sets.texts[row]) + members[member] for row, member in some.pairs()]
        yield "".join(lines(some, labels, label_sets.created[some.rows].tolist())).encode()


def _metadata(family: Family, openmetrics: bool) -> str:
    # In OpenMetrics a counter's family is named without the suffix that its samples have.
    name = family.name.removesuffix("_total") if openmetrics else family.name
    unit = next((unit for unit in _UNITS if name.endswith(f"_{unit}")), None)
    lines = [f"# HELP {name} {_escaped(family.help)}\n", f"# TYPE {name} {family.kind}\n"]
    return "".join([*lines, f"# UNIT {name} {unit}\n"] if unit and openmetrics else lines)


def _counter_lines(
    counters: CounterSnapshot, openmetrics: bool, some: Slice, labels: list[str], created: list[float]
) -> Iterator[str]:
    name = counters.family.name
    values = counters.cells[some.rows, some.members].tolist()
    if not openmetrics:
        return (f"{name}{{{each}}} {value!r}\n" for each, value in zip(labels, values, strict=True))
    birth = f"{name.removesuffix('_total')}_created"
    return (
        f"{name}{{{each}}} {value!r}\n{birth}{{{each}}} {time!r}\n"
        for each, value, time in zip(labels, values, created, strict=True)
    )


class _HistogramLines:
    """The lines of a histogram, with a place for its labels and one for each number."""

    def __init__(self, histograms: HistogramSnapshot, openmetrics: bool) -> None:
        self._histograms = histograms
        self._openmetrics = openmetrics
        grid = histograms.grid
        self._bounds = grid.bounds[grid.classic]
        name = histograms.family.name
        # Bounds are written as floats, 1.0 and never 1, so that series keep their name in every version of Prometheus.
        bounds = [*map(repr, self._bounds.tolist()), "+Inf"]
        buckets = [f'{name}_bucket{{{_LABELS},le="{bound}"}} %d' for bound in bounds]
        rest = f"{name}_sum{{{_LABELS}}} %r\n{name}_count{{{_LABELS}}} %d\n"
        if openmetrics:
            rest += f"{name}_created{{{_LABELS}}} %r\n"
        self._plain = "".join(f"{bucket}\n" for bucket in buckets) + rest
        self._with_exemplars = "".join(f"{bucket}%s\n" for bucket in buckets) + rest

    def __call__(self, some: Slice, labels: list[str], created: list[float]) -> Iterator[str]:
        """The lines of each histogram of a slice."""
        histograms = self._histograms
        cumulative = np.cumsum(histograms.counts(some.rows, some.members), axis=1)
        # Calls that stand for several may make fractions. To round what is cumulative keeps it rising, over the
        # buckets and over time.
        numbers = np.rint(cumulative[:, [*histograms.grid.classic, -1]]).astype(np.int64).tolist()
        sums = histograms.sums[some.rows, some.members].tolist()
        exemplars = self._exemplars(some) if self._openmetrics else {}
        for place, (each, counts, sum_, time) in enumerate(zip(labels, numbers, sums, created, strict=True)):
            rest = (sum_, counts[-1], time) if self._openmetrics else (sum_, counts[-1])
            each = each.replace("%", "%%")
            if place in exemplars:
                marked = (number for pair in zip(counts, exemplars[place], strict=True) for number in pair)
                yield self._with_exemplars.replace(_LABELS, each) % (*marked, *rest)
            else:
                yield self._plain.replace(_LABELS, each) % (*counts, *rest)

    def _exemplars(self, some: Slice) -> dict[int, list[str]]:
        """Of those histograms of a slice that have exemplars, the end of the line of each bucket."""
        found: dict[int, list[str]] = {}
        kept = self._histograms.exemplars[:, some.rows, some.members]
        # The largest is in the first slot: it comes last, and stays where both are in the same bucket.
        for slot, place in np.argwhere(kept["taken"])[::-1].tolist():
            value, (time, high, low, span), _ = kept[slot, place].item()
            ids = f'{semconv.LABEL_TRACE_ID}="{high:016x}{low:016x}",{semconv.LABEL_SPAN_ID}="{span:016x}"'
            ends = found.setdefault(place, [""] * (len(self._bounds) + 1))
            ends[np.searchsorted(self._bounds, value)] = f" # {{{ids}}} {value!r} {time!r}"
        return found


# For as many label sets as fit into a few megabytes; the others are written anew at each scrape.
@lru_cache(maxsize=1 << 14)
def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
