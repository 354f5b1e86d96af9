"""Every query of the committed boards, as Prometheus can run it: for tests, and to try a board without Grafana."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# What Grafana puts in for the variables when everything is selected.
EVERYTHING = {
    "service": ".*",
    "model": ".*",
    "template": ".*",
    "__rate_interval": "5m",
    "__range": "1d",
}


@dataclass(frozen=True)
class Query:
    """One expression of a board.

    board: uid of the board.
    place: title of the panel, or `variable NAME`, or `annotation NAME`.
    written: the expression with its variables, as the board has it.
    expression: PromQL, with the variables replaced.
    """

    board: str
    place: str
    written: str
    expression: str


def queries(values: Mapping[str, str] = EVERYTHING, folder: Path = FOLDER) -> Iterator[Query]:
    """All queries of all boards in a folder, of panels, variables and annotations.

    values: what stands in for each `$variable`; a KeyError names a variable that has no value.
    """
    for file in sorted(folder.glob("*.json")):
        board = json.loads(file.read_text("utf-8"))
        for place, written in _expressions(board):
            expression = re.sub(r"\$(\w+)", lambda found: values[found[1]], written)
            yield Query(board["uid"], place, written, expression)


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a board's JSON, those in rows included, rows themselves not."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def _expressions(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            # Grafana's own function; Prometheus has the same answer in the labels of a count.
            series, _, label = variable["query"].removeprefix("label_values(").removesuffix(")").rpartition(", ")
            yield f"variable {variable['name']}", f"count by ({label}) ({series})"
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]
