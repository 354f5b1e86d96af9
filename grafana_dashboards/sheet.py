"""Draws boards from a Prometheus, without Grafana: `python grafana_dashboards/sheet.py --prometheus URL`.

It is a sketch, to look at a board, and not what Grafana draws.
"""

import argparse
import difflib
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import sheet_graphs
import sheet_tables
from queries import FOLDER, filled_in, of_choices, opened
from sheet_data import NotAnsweredError, QueryError, Series, Server, buckets_by_time
from sheet_graphs import Line, Span
from sheet_style import PALETTE, colour, legend, properties

COLUMN, ROW, GAP, LETTER = 50, 38, 8, 6  # pixels
POINTS = 150  # of a graph
COLUMNS_OF_HEAT = 60
MOST_LEGENDS = 14
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Moment:
    """What all panels of a sheet have in common.

    span: the time of the graphs; numbers are at its end.
    values: what stands in for each variable.
    events: the texts of the annotations, by Unix seconds.
    """

    server: Server
    span: Span
    values: Mapping[str, str]
    events: Mapping[float, str]

    def answers(self, panel: Mapping[str, Any], step: float) -> sheet_tables.Answers:
        """What comes back for each target; raises QueryError."""
        found = []
        for target in panel.get("targets", ()):
            expression = filled_in(target["expr"], self.values)
            if target.get("instant"):
                answer = self.server.at(expression, self.span.end)
            else:
                answer = self.server.over(expression, self.span.start, self.span.end, step)
            found.append((target, answer))
        return found


def page(board: Mapping[str, Any], server: Server, last: float, end: float, scrape_interval: float) -> str:
    """A board as an HTML page that needs nothing else.

    last: the time range in seconds, up to `end` in Unix seconds.
    scrape_interval: seconds, as the data source is configured in Grafana.

    Raises NotAnsweredError when there is no Prometheus; what it refuses is said in the panel.
    """
    step = max(last / POINTS, scrape_interval)
    # https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/#use-__rate_interval
    rate_interval = max(step + scrape_interval, 4 * scrape_interval)
    of_time = {"__rate_interval": rate_interval, "__interval": step, "__range": last}
    values = opened(board) | {name: f"{round(seconds)}s" for name, seconds in of_time.items()}
    values["__range_s"] = f"{round(last)}"
    moment = Moment(server, Span(end - last, end, step), values, {})
    moment = replace(moment, events=_events(board, moment))
    choices = {variable["name"]: of_choices(variable) for variable in board["templating"]["list"]}
    parts = [_placed(each, moment, choices) for each in _with_rows(board)]
    chosen = ", ".join(f"{name} {value}" for name, value in opened(board).items() if value != ".*")
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(end))
    return _PAGE.format(
        title=escape(board["title"]),
        description=escape(board["description"]),
        time=escape(f"{_words(last)} until {until}{f'; {chosen}' if chosen else ''}"),
        style=(FOLDER / "sheet.css").read_text("utf-8"),
        parts="\n".join(parts),
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head><body>
<header><h1>{title}</h1><p>{description}</p><p class="small">{time}. A sketch, drawn from Prometheus without Grafana:
what each panel says is as there, how it looks is not.</p></header>
<main>
{parts}
</main></body></html>
"""


def _with_rows(board: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Panels and headings, in the order of the page; collapsed rows are open."""
    return [one for panel in board["panels"] for one in (panel, *panel.get("panels", ()))]


def _placed(panel: Mapping[str, Any], moment: Moment, choices: Mapping[str, str]) -> str:
    """A heading, a panel, or one for each value of the variable that it is repeated for."""
    place = panel["gridPos"]
    across = 24 if panel.get("repeat") else place["w"]
    where = f"grid-area:{place['y'] + 1}/{place['x'] + 1}/span {place['h']}/span {across}"
    if panel["type"] == "row":
        return f'<h2 style="{where}">{escape(panel["title"])}</h2>'
    if variable := panel.get("repeat"):
        answer = moment.server.at(filled_in(choices[variable], moment.values), moment.span.end)
        values = sorted(value for series in answer for value in series.labels.values())
        chosen = [replace(moment, values={**moment.values, variable: value}) for value in values]
        width = f"width:calc({place['w'] / 24 * 100:.2f}% - {GAP}px)"
        return f'<div class="repeated" style="{where}">{"".join(_section(panel, each, width) for each in chosen)}</div>'
    return _section(panel, moment, where)


def _section(panel: Mapping[str, Any], moment: Moment, where: str) -> str:
    try:
        inside = _drawn(panel, moment) or '<p class="none">no data</p>'
    except QueryError as error:
        inside = f'<p class="wrong">Prometheus refuses it: {escape(str(error))}</p>'
    left_out = sheet_tables.unknown_transformations(panel)
    if left_out:
        inside += f'<p class="small">not drawn: the transformations {escape(", ".join(left_out))}</p>'
    description = escape(panel.get("description") or "")
    return (
        f'<section style="{where}"><h3>{escape(filled_in(panel.get("title") or "", moment.values))}</h3>'
        f'<p class="question" title="{description}">{description}</p>{inside}</section>'
    )


def _drawn(panel: Mapping[str, Any], moment: Moment) -> str:
    """The inside of a panel, empty where there is no data."""
    kind = panel["type"]
    if kind == "text":
        return sheet_tables.text(panel)
    if kind in ("stat", "gauge", "bargauge"):
        return sheet_tables.numbers(panel, moment.answers(panel, moment.span.step))
    if kind == "table":
        return sheet_tables.table(panel, moment.answers(panel, moment.span.step))
    width = panel["gridPos"]["w"] * COLUMN - 3 * GAP
    lines_of_question = min(-(-len(panel.get("description") or "") * LETTER // width), 3)
    height = panel["gridPos"]["h"] * ROW - 70 - lines_of_question * 14
    if kind == "heatmap":
        return _heatmap(panel, moment, width, height)
    if kind == "timeseries":
        return _graph(panel, moment, width, height)
    return f'<p class="none">not drawn: a panel of the type {escape(kind)}</p>'


def _graph(panel: Mapping[str, Any], moment: Moment, width: int, height: int) -> str:
    lines: list[Line] = []
    for target, answer in moment.answers(panel, moment.span.step):
        for series in sorted(answer, key=lambda each: sorted(each.labels.items())):
            name = legend(target.get("legendFormat", ""), series.labels)
            style = properties(panel, name, target.get("refId", ""))
            chosen = style.get("color", {}).get("fixedColor")
            lines.append(
                Line(name, series.points, style, colour(chosen) if chosen else PALETTE[len(lines) % len(PALETTE)])
            )
        if target.get("exemplar") and lines:
            expression = filled_in(target["expr"], moment.values)
            lines[-1].exemplars += moment.server.exemplars(expression, moment.span.start, moment.span.end)
    if not any(value == value for line in lines for _, value in line.points):
        return ""
    return sheet_graphs.graph(lines, moment.span, moment.events, width, height) + _legend(lines)


def _legend(lines: Sequence[Line]) -> str:
    told = [line for line in lines if not line.style.get("custom.hideFrom", {}).get("legend")]
    names = [
        f'<span><i style="background:{line.colour}"></i>{escape(line.name)}</span>' for line in told[:MOST_LEGENDS]
    ]
    if len(told) > MOST_LEGENDS:
        names.append(f"<span>and {len(told) - MOST_LEGENDS} more</span>")
    return f'<p class="legend">{"".join(names)}</p>'


def _heatmap(panel: Mapping[str, Any], moment: Moment, width: int, height: int) -> str:
    step = max((moment.span.end - moment.span.start) / COLUMNS_OF_HEAT, moment.span.step)
    answer: list[Series] = [series for _, found in moment.answers(panel, step) for series in found]
    by_time = buckets_by_time(answer)
    if not any(bucket.count > 0 for buckets in by_time.values() for bucket in buckets):
        return ""
    unit = panel.get("options", {}).get("yAxis", {}).get("unit") or properties(panel, "").get("unit", "")
    return sheet_graphs.heatmap(by_time, Span(moment.span.start, moment.span.end, step), unit, width, height)


def _events(board: Mapping[str, Any], moment: Moment) -> dict[float, str]:
    """When each annotation began, or the time that it has as its value, in milliseconds."""
    found: dict[float, str] = {}
    for annotation in board["annotations"]["list"]:
        expression = filled_in(annotation["expr"], moment.values)
        for series in moment.server.over(expression, moment.span.start, moment.span.end, moment.span.step):
            text = " ".join(legend(annotation.get(part, ""), series.labels) for part in ("titleFormat", "textFormat"))
            if annotation.get("useValueForTime"):
                moments = {value / 1000 for _, value in series.points}
            else:
                moments = {run[0][0] for run in sheet_graphs.runs(series.points, moment.span.step)}
            found |= {each: text for each in moments if moment.span.start <= each <= moment.span.end}
    return found


def _words(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} seconds"


def _duration(text: str) -> float:
    found = re.fullmatch(r"([1-9]\d*)([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration, such as 15m, 6h or 7d")
    return int(found[1]) * _SECONDS[found[2]]


def boards(asked: Sequence[str]) -> list[dict[str, Any]]:
    """The boards with these uids, or all. Raises SystemExit with the nearest one where there is none."""
    there = {file.stem: file for file in sorted(FOLDER.glob("*.json"))}
    for uid in asked:
        if uid not in there:
            near = difflib.get_close_matches(uid, there, n=1, cutoff=0)
            raise SystemExit(f"sheet: there is no board {uid!r}; the nearest is {near[0]!r}")
    return [json.loads(there[uid].read_text("utf-8")) for uid in asked or there]


def main() -> int:
    """Writes a page for each board; gives the exit code."""
    parser = argparse.ArgumentParser(description="Draw boards from a Prometheus, without Grafana.")
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://localhost:9090")
    parser.add_argument("--board", action="append", default=[], metavar="UID", help="one of them (default: all)")
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="where to write (default: here)")
    parser.add_argument("--last", type=_duration, help="the time range, such as 6h (default: the board's own)")
    parser.add_argument(
        "--scrape-interval", type=_duration, default=15.0, help="as in the data source in Grafana (default: 15s)"
    )
    arguments = parser.parse_args()
    server = Server(arguments.prometheus)
    try:
        for board in boards(arguments.board):
            last = arguments.last or _duration(board["time"]["from"].removeprefix("now-"))
            written = page(board, server, last, time.time(), arguments.scrape_interval)
            arguments.out.mkdir(parents=True, exist_ok=True)
            file = arguments.out / f"{board['uid']}.html"
            file.write_text(written, "utf-8")
            print(f"wrote {file}")
    except (NotAnsweredError, QueryError, OSError) as error:
        print(f"sheet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
