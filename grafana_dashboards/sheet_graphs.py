"""Graphs over time and heatmaps as SVG: lines, bands, bars, stacks, thresholds, exemplars, events, gaps."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape

from sheet_data import Bucket
from sheet_style import Properties, colour
from sheet_units import shown

RIGHT, TOP, BOTTOM = 12, 8, 22  # pixels around the drawing
WIDTH_OF_A_LETTER = 6.2
_NICE = (1, 2, 2.5, 5, 10)
_STEPS = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)


@dataclass(frozen=True)
class Span:
    """The time of a graph: Unix seconds, and seconds between two points."""

    start: float
    end: float
    step: float


@dataclass
class Line:
    """One series as it is drawn.

    floor: down to which value it is filled, by Unix seconds; where there is none, down to the ground.
    """

    name: str
    points: list[tuple[float, float]]
    style: Properties
    colour: str
    exemplars: list[tuple[float, float]] = field(default_factory=list)
    floor: Mapping[float, float] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        return str(self.style.get("unit", ""))

    @property
    def on_the_right(self) -> bool:
        return self.style.get("custom.axisPlacement") == "right"


@dataclass(frozen=True)
class Axis:
    """From values to pixels above the ground line."""

    low: float
    high: float
    height: float
    unit: str
    logarithmic: bool = False

    def up(self, value: float) -> float:
        """Pixels from the top; beyond the ends it is clipped."""
        if self.logarithmic:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return TOP + self.height * (1 - min(max(share, 0), 1))

    def ticks(self) -> list[float]:
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            return [10.0**power for power in powers if self.low <= 10.0**power <= self.high]
        step = _nice((self.high - self.low) / 4)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def graph(lines: Sequence[Line], span: Span, events: Mapping[float, str], width: int, height: int) -> str:
    """A time series panel as SVG; events are marked by dashed lines, each with its text, by Unix seconds."""
    lines = stacked(lines)
    inner = height - TOP - BOTTOM
    axes = {side: axis([line for line in lines if line.on_the_right is side], inner) for side in (False, True)}
    left = _widest(shown(tick, axes[False].unit) for tick in axes[False].ticks())
    right: float = width - RIGHT
    if any(line.on_the_right for line in lines):
        right = width - _widest(shown(tick, axes[True].unit) for tick in axes[True].ticks())
    across = _across(span, left, right)
    drawn = [*_grid(axes[False], left, right), *_hours(span, across, height)]
    if right < width - RIGHT:
        drawn += [
            _label(right + 5, axes[True].up(at), shown(at, axes[True].unit), "start") for at in axes[True].ticks()
        ]
    drawn += [drawing for line in lines for drawing in _threshold_lines(line, axes[line.on_the_right], left, right)]
    # Bars are behind lines.
    for line in sorted(lines, key=lambda each: not _is_bars(each)):
        form = _bars if _is_bars(line) else _curve
        drawn += form(line, axes[line.on_the_right], across, span)
    for moment, text in events.items():
        drawn.append(
            f'<line class="event" x1="{across(moment):.1f}" x2="{across(moment):.1f}" y1="{TOP}" '
            f'y2="{height - BOTTOM}"><title>{escape(text)}</title></line>'
        )
    return _svg(drawn, width, height)


def heatmap(by_time: Mapping[float, Sequence[Bucket]], span: Span, unit: str, width: int, height: int) -> str:
    """A heatmap as SVG: a row for each bucket from the lowest to the highest that has anything, darker for more."""
    cells = [(moment, each) for moment, buckets in by_time.items() for each in buckets if each.count > 0]
    edges = {(each.low, each.high) for _, each in cells}
    every = {(each.low, each.high) for buckets in by_time.values() for each in buckets}
    rows = {row: number for number, row in enumerate(sorted(row for row in every if min(edges) <= row <= max(edges)))}
    left = _widest(shown(low, unit) for low, _ in rows)
    across = _across(span, left, width - RIGHT)
    tall, wide = (height - TOP - BOTTOM) / len(rows), across(span.start + span.step) - left
    most = max(each.count for _, each in cells)
    drawn = _hours(span, across, height)
    for moment, each in cells:
        top = height - BOTTOM - (rows[each.low, each.high] + 1) * tall
        shade = 0.1 + 0.9 * math.sqrt(each.count / most)
        place = f'x="{max(across(moment) - wide, left):.1f}" y="{top:.1f}" width="{wide:.2f}" height="{tall:.2f}"'
        drawn.append(f'<rect class="heat" {place} fill-opacity="{shade:.2f}"/>')
    for (low, _), number in rows.items():
        if number % math.ceil(14 / tall) == 0:
            drawn.append(_label(left - 5, height - BOTTOM - number * tall, shown(low, unit), "end"))
    return _svg(drawn, width, height)


def axis(lines: Sequence[Line], height: float) -> Axis:
    values = [value for line in lines for _, value in line.points if math.isfinite(value)] or [0.0, 1.0]
    style = lines[0].style if lines else {}
    logarithmic = style.get("custom.scaleDistribution", {}).get("type") == "log"
    low, high = min(values), max(values)
    unit = lines[0].unit if lines else ""
    if logarithmic:
        low = min((value for value in values if value > 0), default=0.1)
        high = max(high, low)
        return Axis(low * 0.8, high * 1.2, height, unit, logarithmic=True)
    for step in _drawn_thresholds(style):
        low, high = min(low, step), max(high, step)
    low = min(low, style["min"]) if style.get("min") is not None else low
    high = style["max"] if style.get("max") is not None else high
    if high <= low:
        high = low + (abs(low) or 1.0)
    margin = (high - low) * 0.05
    return Axis(low if style.get("min") == low or low == 0 else low - margin, high + margin, height, unit)


def stacked(lines: Sequence[Line]) -> list[Line]:
    """Lines of a stack on top of each other, bands down to the line that they name; others as they are."""
    tops: dict[tuple[str, float], float] = {}
    by_name = {line.name: line for line in lines}
    done = []
    for line in lines:
        stacking = line.style.get("custom.stacking", {})
        lower = by_name.get(line.style.get("custom.fillBelowTo", ""))
        if stacking.get("mode") in (None, "none"):
            done.append(replace(line, floor=dict(lower.points)) if lower else line)
            continue
        group = stacking.get("group", "A")
        there = [(moment, value) for moment, value in line.points if math.isfinite(value)]
        floor = {moment: tops.get((group, moment), 0.0) for moment, _ in there}
        points = [(moment, floor[moment] + value) for moment, value in there]
        tops |= {(group, moment): top for moment, top in points}
        done.append(replace(line, points=points, floor=floor))
    return done


def _curve(line: Line, axis: Axis, across: Callable[[float], float], span: Span) -> Iterator[str]:
    fill = line.style.get("custom.fillOpacity", 0) or (12 if line.floor else 0)
    dash = line.style.get("custom.lineStyle", {})
    dashes = f' stroke-dasharray="{" ".join(map(str, dash.get("dash", [4, 4])))}"' if dash.get("fill") == "dash" else ""
    thickness = line.style.get("custom.lineWidth", 1)
    for run in runs(line.points, span.step):
        upper = [(across(moment), axis.up(value)) for moment, value in run]
        if fill:
            lower = [(across(moment), axis.up(line.floor.get(moment, axis.low))) for moment, _ in reversed(run)]
            yield f'<polygon points="{_points(upper + lower)}" fill="{line.colour}" fill-opacity="{fill / 100:.2f}"/>'
        if thickness and len(run) == 1:
            x, y = upper[0]
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.7" fill="{line.colour}"/>'
        elif thickness:
            stroke = f'stroke="{line.colour}" stroke-width="{max(thickness, 1.3)}"{dashes}'
            yield f'<polyline points="{_points(upper)}" fill="none" {stroke}/>'
    for moment, value in line.exemplars:
        yield f'<path class="exemplar" d="M{across(moment):.1f} {axis.up(value) - 3:.1f}l3 3l-3 3l-3-3z"/>'


def _bars(line: Line, axis: Axis, across: Callable[[float], float], span: Span) -> Iterator[str]:
    wide = max((across(span.start + span.step) - across(span.start)) * 0.8, 0.8)
    opacity = max(line.style.get("custom.fillOpacity", 0), 15) / 100
    ground = axis.up(axis.low)
    for moment, value in line.points:
        if math.isfinite(value):
            top = axis.up(value)
            yield (
                f'<rect x="{across(moment) - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" '
                f'height="{ground - top:.1f}" fill="{line.colour}" fill-opacity="{opacity:.2f}"/>'
            )


def runs(points: Sequence[tuple[float, float]], step: float) -> Iterator[list[tuple[float, float]]]:
    """Points that follow each other; between two runs is a gap, where there is no value."""
    run: list[tuple[float, float]] = []
    for moment, value in points:
        if run and (moment - run[-1][0] > 1.5 * step or not math.isfinite(value)):
            yield run
            run = []
        if math.isfinite(value):
            run.append((moment, value))
    if run:
        yield run


def _is_bars(line: Line) -> bool:
    return line.style.get("custom.drawStyle") == "bars"


def _drawn_thresholds(style: Properties) -> list[float]:
    if style.get("custom.thresholdsStyle", {}).get("mode", "off") == "off":
        return []
    return [step["value"] for step in style.get("thresholds", {}).get("steps", ()) if step.get("value") is not None]


def _threshold_lines(line: Line, axis: Axis, left: float, right: float) -> Iterator[str]:
    drawn = _drawn_thresholds(line.style)
    for step in line.style.get("thresholds", {}).get("steps", ()):
        if step.get("value") in drawn and axis.low <= step["value"] <= axis.high:
            y = axis.up(step["value"])
            yield (
                f'<line x1="{left:.0f}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour(step["color"])}" '
                'stroke-dasharray="6 4"/>'
            )


def _grid(axis: Axis, left: float, right: float) -> Iterator[str]:
    for tick in axis.ticks():
        y = axis.up(tick)
        yield f'<line class="grid" x1="{left:.0f}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _label(left - 5, y, shown(tick, axis.unit), "end")


def _hours(span: Span, across: Callable[[float], float], height: int) -> list[str]:
    """Labels of the time axis, in UTC."""
    long = span.end - span.start
    step = next((step for step in _STEPS if long / step <= 6), 604800)
    form = "%d %b" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S"
    first = math.ceil(span.start / step) * step
    moments = [first + step * number for number in range(int((span.end - first) / step) + 1)]
    return [
        _label(across(each), height - BOTTOM + 14, time.strftime(form, time.gmtime(each)), "middle") for each in moments
    ]


def _across(span: Span, left: float, right: float) -> Callable[[float], float]:
    """From Unix seconds to pixels from the left."""
    return lambda moment: left + (right - left) * min(max((moment - span.start) / (span.end - span.start), 0), 1)


def _widest(labels: Iterable[str]) -> float:
    return 8 + WIDTH_OF_A_LETTER * max((len(label) for label in labels), default=0)


def _nice(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _NICE if step * power >= rough * 0.999)


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _svg(drawn: Sequence[str], width: int, height: int) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(drawn)}</svg>'
