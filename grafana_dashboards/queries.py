"""Every query of the committed boards, as Prometheus can run it: for tests, and to try a board without Grafana."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# What Grafana puts in for its own variables, over a day.
A_DAY = {"__rate_interval": "5m", "__interval": "5m", "__range": "1d", "__range_s": "86400"}


@dataclass(frozen=True)
class Query:
    """One expression of a board.

    board: uid of the board.
    place: title of the panel, or `variable NAME`, or `annotation NAME`.
    written: the expression with its variables, as the board has it.
    expression: PromQL, with the variables replaced.
    panel, target: where it is in the board's JSON; empty for variables and annotations.
    """

    board: str
    place: str
    written: str
    expression: str
    panel: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)


def queries(times: Mapping[str, str] = A_DAY, folder: Path = FOLDER) -> Iterator[Query]:
    """All queries of all boards in a folder, of panels, variables and annotations, as the boards are opened.

    times: what stands in for Grafana's own variables, as in `A_DAY`.
    """
    for file in sorted(folder.glob("*.json")):
        board = json.loads(file.read_text("utf-8"))
        values = {**opened(board), **times}
        for panel in panels(board):
            for target in panel.get("targets", ()):
                written = target["expr"]
                yield Query(board["uid"], panel["title"], written, filled_in(written, values), panel, target)
        for place, written in _beside_panels(board):
            yield Query(board["uid"], place, written, filled_in(written, values))


def opened(board: Mapping[str, Any]) -> dict[str, str]:
    """What stands in for each variable of a board's JSON while nobody has chosen anything."""
    values = {}
    for variable in board["templating"]["list"]:
        if variable["type"] != "datasource":
            value = variable["current"]["value"]
            chosen = value if isinstance(value, list) else [value]
            values[variable["name"]] = variable["allValue"] if chosen == ["$__all"] else "|".join(chosen)
    return values


def filled_in(written: str, values: Mapping[str, str]) -> str:
    """An expression with its variables, `$name` or `${name}`, replaced; a KeyError names one that has no value."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)(?::\w+)?\})", lambda found: values[found[1] or found[2]], written)


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a board's JSON, those in rows included, rows themselves not."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def _beside_panels(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Place and expression of variables and annotations."""
    for variable in board["templating"]["list"]:
        if choices := of_choices(variable):
            yield f"variable {variable['name']}", choices
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]


def of_choices(variable: Mapping[str, Any]) -> str:
    """The expression whose label has the choices of a variable; empty where it asks for none."""
    if variable["type"] != "query":
        return ""
    # Grafana's own function; Prometheus has the same answer in the labels of a count.
    series, _, label = variable["query"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
    return f"count by ({label}) ({series})"
