"""Snapshots to text that Prometheus scrapes, in either of its two text formats."""

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import groupby

import numpy as np

from llmvitals.semconv import Family
from llmvitals_collector.series import Histograms, Series, Snapshot


class Format(Enum):
    """The text formats, by their content type.

    https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
    https://prometheus.io/docs/specs/om/open_metrics_spec/
    """

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


# OpenMetrics wants a unit to be the end of the name.
_UNITS = ("seconds", "ratio")
# Stands for a series' labels in the pattern of a family's lines.
_LABELS = "\0"


class Renderer:
    """Renders snapshots; it keeps the label text of each series, which never changes."""

    def __init__(self) -> None:
        self._label_text: dict[tuple[Series, int, int], str] = {}
        self._patterns: dict[Family, str] = {}

    def render(self, snapshots: Iterable[Snapshot], format: Format) -> bytes:
        """The body of a scrape; the snapshots of one family must follow one another."""
        parts: list[str] = []
        for family, group in groupby(snapshots, key=lambda each: each.series.family):
            parts.extend(_metadata(family, format))
            for each in group:
                parts.extend(self._lines(each))
        if format is Format.OPENMETRICS:
            parts.append("# EOF\n")
        return "".join(parts).encode()

    def _lines(self, snapshot: Snapshot) -> Iterator[str]:
        series = snapshot.series
        pattern = self._patterns.setdefault(series.family, _pattern(series.family))
        numbers = snapshot.cells
        if isinstance(series, Histograms):
            cumulative = np.cumsum(numbers[..., :-1], axis=-1)
            numbers = np.concatenate([cumulative, numbers[..., -1:], cumulative[..., -1:]], axis=-1)
        for row, member in np.argwhere(snapshot.shown).tolist():
            yield pattern.replace(_LABELS, self._labels(series, row, member)) % tuple(numbers[row, member].tolist())

    def _labels(self, series: Series, row: int, member: int) -> str:
        """A series' labels, ready for a pattern of the % operator."""
        key = (series, row, member)
        text = self._label_text.get(key)
        if text is None:
            names = series.label_sets.names
            values = dict(zip(names, series.label_sets.values[row], strict=True))
            values |= zip((n for n in series.family.labels if n not in names), series.members[member], strict=True)
            text = ",".join(f'{name}="{_escaped(values[name])}"' for name in series.family.labels)
            text = self._label_text[key] = text.replace("%", "%%")
        return text


def _metadata(family: Family, format: Format) -> Iterator[str]:
    name = family.name
    if format is Format.OPENMETRICS:
        # Here a counter's family is named without the suffix that its samples have.
        name = name.removesuffix("_total")
    yield f"# HELP {name} {_escaped(family.help) if format is Format.OPENMETRICS else family.help}\n"
    yield f"# TYPE {name} {family.kind}\n"
    unit = next((unit for unit in _UNITS if name.endswith(f"_{unit}")), None)
    if unit and format is Format.OPENMETRICS:
        yield f"# UNIT {name} {unit}\n"


def _pattern(family: Family) -> str:
    """The lines of one series, with a place for its labels and one for each number."""
    name = family.name
    if not family.bounds:
        return f"{name}{{{_LABELS}}} %r\n"
    # Bounds are written as floats, 1.0 and never 1, so that series keep their name in every version of Prometheus.
    buckets = "".join(f'{name}_bucket{{{_LABELS},le="{bound!r}"}} %d\n' for bound in family.bounds)
    total = f'{name}_bucket{{{_LABELS},le="+Inf"}} %d\n'
    return f"{buckets}{total}{name}_sum{{{_LABELS}}} %r\n{name}_count{{{_LABELS}}} %d\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
