"""Numbers, tables and text of a board as HTML."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sheet_data import Series
from sheet_style import colour, legend, level_colour, mapped, properties
from sheet_units import shown

Answers = Sequence[tuple[Mapping[str, Any], Sequence[Series]]]
"""What came back for each target of a panel."""

MOST_ROWS = 15
NUMBER = ' class="number"'
# What of Grafana's transformations the sheet knows; it says so where a panel has others.
TRANSFORMATIONS = {"merge", "organize", "joinByField", "sortBy", "limit"}


def numbers(panel: Mapping[str, Any], answers: Answers) -> str:
    """A stat: its values with their names, the last of each series."""
    items = []
    for target, answer in answers:
        for series in answer:
            if not series.points:
                continue
            name = legend(target.get("legendFormat", ""), series.labels)
            text, ink = cell(panel, name, target.get("refId", ""), series.points[-1][1])
            style = f' style="color:{ink}"' if ink else ""
            items.append(f'<div class="stat"><span>{escape(name)}</span><b{style}>{escape(text)}</b></div>')
    return f'<div class="stats">{"".join(items)}</div>' if items else ""


def cell(panel: Mapping[str, Any], name: str, ref: str, value: float) -> tuple[str, str]:
    """The text and the colour of a value; no colour where the panel shows none."""
    style = properties(panel, name, ref)
    text, ink = mapped(value, style)
    wanted = panel.get("options", {}).get("colorMode", "none") != "none"
    wanted = wanted or style.get("custom.cellOptions", {}).get("type", "auto").startswith("color")
    if wanted and not ink:
        fixed = style.get("color", {}).get("fixedColor")
        ink = colour(fixed) if fixed else level_colour(value, style)
    return text or shown(value, style.get("unit", ""), style.get("decimals")), ink


def table(panel: Mapping[str, Any], answers: Answers) -> str:
    """A table: a row for each set of labels, the columns and the order as the panel says."""
    rows: dict[tuple[tuple[str, str], ...], dict[str, str | float]] = {}
    values = _values(panel)
    for target, answer in answers:
        for series in answer:
            labels = {label: value for label, value in series.labels.items() if label != "__name__"}
            row = rows.setdefault(tuple(sorted(labels.items())), dict(labels))
            if series.points:
                row[values[target["refId"]]] = series.points[-1][1]
    refs = {column: ref for ref, column in values.items()}
    names, columns = _organised(panel, list(dict.fromkeys([*(c for row in rows.values() for c in row), *refs])))
    ordered = _sorted(panel, list(rows.values()), names)
    if not ordered:
        return ""
    columns.sort(key=lambda column: column in refs)
    head = "".join(f"<th{NUMBER if column in refs else ''}>{escape(names[column])}</th>" for column in columns)
    body = [_row(panel, row, columns, names, refs) for row in ordered[:MOST_ROWS]]
    rest = f"<p>and {len(ordered) - MOST_ROWS} more rows</p>" if len(ordered) > MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{rest}"


def columns_of(panel: Mapping[str, Any]) -> dict[str, str]:
    """The name of the column of each target of a table, by its refId."""
    values = _values(panel)
    names, _ = _organised(panel, list(values.values()))
    return {ref: names[column] for ref, column in values.items()}


def _values(panel: Mapping[str, Any]) -> dict[str, str]:
    """What Grafana calls the values of each target, by its refId, before they are renamed."""
    refs = [target["refId"] for target in panel["targets"]]
    return {ref: f"Value #{ref}" if len(refs) > 1 else "Value" for ref in refs}


def unknown_transformations(panel: Mapping[str, Any]) -> list[str]:
    """Ids of the panel's transformations that the sheet leaves out."""
    return [each["id"] for each in panel.get("transformations") or () if each["id"] not in TRANSFORMATIONS]


def text(panel: Mapping[str, Any]) -> str:
    """A text panel: paragraphs, headings, lists, bold, code and links of Markdown."""
    blocks = []
    for block in re.split(r"\n\s*\n", panel["options"].get("content", "").strip()):
        lines = block.splitlines()
        if all(re.match(r"\s*[-*] ", line) for line in lines):
            items = [line.strip()[2:] for line in lines]
            blocks.append(f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>")
        elif heading := re.match(r"(#+) (.*)", block):
            blocks.append(f"<h4>{_inline(heading[2])}</h4>")
        else:
            blocks.append(f"<p>{_inline(' '.join(lines))}</p>")
    return f'<div class="text">{"".join(blocks)}</div>'


def _organised(panel: Mapping[str, Any], columns: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Display name by column, and the columns that are shown, in order."""
    names, left = {column: column for column in columns}, list(columns)
    for each in panel.get("transformations") or ():
        if each["id"] == "organize":
            options = each["options"]
            left = [column for column in left if not (options.get("excludeByName") or {}).get(column)]
            names |= options.get("renameByName") or {}
            places = options.get("indexByName") or {}
            left.sort(key=lambda column: places.get(column, len(columns)))
    shown_names = {column: properties(panel, names[column]).get("displayName", names[column]) for column in columns}
    hidden = [column for column in left if properties(panel, names[column]).get("custom.hidden")]
    return shown_names, [column for column in left if column not in hidden]


def _sorted(
    panel: Mapping[str, Any], rows: list[dict[str, str | float]], names: Mapping[str, str]
) -> list[dict[str, str | float]]:
    by_name = {name: column for column, name in names.items()}
    for each in reversed(panel.get("options", {}).get("sortBy") or ()):
        column, down = by_name.get(each["displayName"], each["displayName"]), bool(each.get("desc"))
        there = [row for row in rows if _is_there(row.get(column))]
        # Without a value a row comes last, in either order.
        gone = [row for row in rows if not _is_there(row.get(column))]
        rows = sorted(there, key=lambda row: row[column], reverse=down) + gone
    return rows


def _is_there(value: str | float | None) -> bool:
    # NaN is not itself.
    return value is not None and value == value


def _row(
    panel: Mapping[str, Any],
    row: Mapping[str, str | float],
    columns: Sequence[str],
    names: Mapping[str, str],
    refs: Mapping[str, str],
) -> str:
    cells = []
    for column in columns:
        value = row.get(column, "")
        if isinstance(value, str):
            cells.append(f"<td>{escape(value)}</td>")
            continue
        said, ink = cell(panel, names[column], refs[column], value)
        style = f' style="color:{ink}"' if ink else ""
        cells.append(f"<td{NUMBER}{style}>{escape(said)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _inline(words: str) -> str:
    done = escape(words, quote=False)
    done = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", done)
    done = re.sub(r"\*(.+?)\*", r"<i>\1</i>", done)
    done = re.sub(r"`(.+?)`", r"<code>\1</code>", done)
    return re.sub(r"\[(.+?)\]\((.+?)\)", r"\1", done)
