"""A table as CSV, as spreadsheets read and write it, or as JSON lines: the form in which people get answers."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CSV, JSONL = "csv", "jsonl"
FORMATS = (CSV, JSONL)

# What spreadsheets take for a formula, or would run: https://owasp.org/www-community/attacks/CSV_Injection
# An apostrophe before it makes it a text; one that was there already gets another, so that it can be taken away again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_CELL_CHARACTERS = 32_767  # what a cell of a spreadsheet holds: Excel would cut the rest without a word
_CUT = " [...] the rest is too long for a spreadsheet; JSON lines have it"
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # what Excel calls Unicode text
_DELIMITERS = (",", ";", "\t")  # the second where a comma stands in numbers


class SheetError(ValueError):
    """A file is no sheet, or cannot be read: one sentence, with the file."""


class Row(NamedTuple):
    """A row of a sheet.

    where: the file, and the line on which the row begins. cells: column -> text; a column's name is what stands before
    the colon in its heading, in lower case.
    """

    where: str
    cells: Mapping[str, str]


def written(headings: Sequence[str], rows: Sequence[Mapping[str, str]], form: str) -> str:
    """The table in one of FORMATS; each row has cells for some of the headings."""
    if form == JSONL:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([_guarded(heading) for heading in headings])
    writer.writerows([_guarded(row.get(heading, "")) for heading in headings] for row in rows)
    # Without the mark Excel takes UTF-8 for the code page of its country.
    return "\ufeff" + text.getvalue()


def read(path: Path, needed: Sequence[str]) -> list[Row]:
    """The rows of a file that have any cell filled; of CSV the delimiter and the order of columns may have changed.

    needed: columns that tell a sheet from other files.

    Raises:
        SheetError: it has not the form of a sheet.
    """
    try:
        data = path.read_bytes()
        text = data.decode(_BOMS.get(data[:2], "utf-8-sig"))
    except OSError as error:
        raise SheetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SheetError(f"{path}: is no text in UTF-8; valid: JSON lines, or what is saved as CSV UTF-8") from error
    rows = _json_rows(text, path) if text.lstrip().startswith("{") else _csv_rows(text, path, needed)
    return [row for row in rows if any(cell.strip() for cell in row.cells.values())]


def _json_rows(text: str, path: Path) -> Iterator[Row]:
    # Not `splitlines`, which would split at characters that JSON leaves in its strings.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SheetError(f"{where}: is no JSON: {error}") from error
        if not isinstance(cells, dict):
            raise SheetError(f"{where}: is no JSON object; valid: one of columns and texts")
        yield Row(where, {_column(key): "" if value is None else str(value) for key, value in cells.items()})


def _csv_rows(text: str, path: Path, needed: Sequence[str]) -> Iterator[Row]:
    delimiter = min(_DELIMITERS, key=lambda each: len(set(needed) - set(_heads(text, each))))
    columns = _heads(text, delimiter)
    if missing := ", ".join(column for column in needed if column not in columns):
        raise SheetError(f"{path}: has no column {missing}; valid: a sheet of `llmvitals review export`")
    if twice := sorted({column for column in columns if column and columns.count(column) > 1}):
        raise SheetError(f"{path}: the column {twice[0]} stands twice; valid: each once")
    # Strict, as else a quote that is not closed would swallow all rows after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for number, cells in enumerate(reader):
            where = f"{path}:{line}"
            line = reader.line_num + 1
            if any(cell.strip() for cell in cells[len(columns) :]):
                raise SheetError(f"{where}: has {len(cells)} cells, where the first line has {len(columns)}")
            if number:
                yield Row(where, {column: _unguarded(cell) for column, cell in zip(columns, cells, strict=False)})
    except csv.Error as error:
        raise SheetError(f"{path}:{line}: is no CSV: {error}") from error


def _heads(text: str, delimiter: str) -> list[str]:
    """The columns by the first line."""
    try:
        first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []
    return [_column(_unguarded(cell)) for cell in first]


def _column(heading: str) -> str:
    return heading.partition(":")[0].strip().casefold()


def _guarded(cell: str) -> str:
    if len(cell) >= _CELL_CHARACTERS:
        cell = cell[: _CELL_CHARACTERS - len(_CUT) - 1] + _CUT
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
