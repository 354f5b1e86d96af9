"""Tables on their way to people and back."""

import contextlib
import csv
import io
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.review import sheet

NEEDED = ("item", "token")
HEADINGS = ["item", "Answer", "tone.polite: Is it polite? [no | yes]", "token"]
COLUMNS = ["item", "answer", "tone.polite", "token"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FORMULAS = st.sampled_from(["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@x", "'", "\uff1d1"])


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("sheets") / "sheet.csv"


def cells(file):
    return [dict(row.cells) for row in sheet.read(file, NEEDED)]


@given(
    rows=st.lists(st.lists(TEXTS | FORMULAS, min_size=4, max_size=4), max_size=4), form=st.sampled_from(sheet.FORMATS)
)
def test_what_is_written_is_read(file, rows, form):
    """Whatever is in the cells: newlines of every kind, quotes, what looks like a formula."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    table = [dict(zip(HEADINGS, row, strict=True)) for row in rows]
    file.write_bytes(sheet.written(HEADINGS, table, form).encode())
    if form == sheet.CSV or table:
        assert cells(file) == [dict(zip(COLUMNS, row, strict=True)) for row in rows]


@given(TEXTS | FORMULAS)
def test_no_cell_of_csv_begins_as_a_formula_does(text):
    written = sheet.written(["item"], [{"item": text}], sheet.CSV)
    [_, [cell]] = csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline=""))
    assert cell[:1] not in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def test_csv_begins_with_the_mark_by_which_excel_knows_utf_8():
    assert sheet.written(["item"], [], sheet.CSV).encode().startswith(b"\xef\xbb\xbf")


def test_a_cell_is_cut_where_a_spreadsheet_would_cut_it_and_says_so(file):
    long = "=" + "é" * 40_000
    file.write_text(sheet.written(["item", "token"], [{"item": long, "token": "t"}], sheet.CSV), "utf-8")
    [row] = csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
    assert len(row["item"]) <= 32_767
    assert row["item"].endswith("the rest is too long for a spreadsheet; JSON lines have it")
    file.write_text(sheet.written(["item", "token"], [{"item": long, "token": "t"}], sheet.JSONL), "utf-8")
    assert cells(file)[0]["item"] == long


ROWS = [["item-1", 'a;b\nc, "d"', "yes", "t1"], ["item-2", "é", "", "t2"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_make_of_it_is_read(file, encoding, delimiter, end):
    """Other delimiters, encodings and line ends, other columns and another order of them, empty rows and columns."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    order = [3, 1, 0, 2]
    writer.writerow([*(HEADINGS[place] for place in order), "My remarks", "", ""])
    for row in ROWS:
        writer.writerow([*(row[place] for place in order), "good, or not?", "", ""])
    writer.writerow([""] * 7)
    file.write_bytes(text.getvalue().encode(encoding))
    assert [{name: row[name] for name in COLUMNS} for row in cells(file)] == [
        dict(zip(COLUMNS, row, strict=True)) for row in ROWS
    ]


def test_a_row_is_found_by_the_line_on_which_it_begins(file):
    file.write_text('item,token\na,"1\n2\n3"\nb,4\n\nc,5\n')
    assert [(row.where, row.cells["item"]) for row in sheet.read(file, NEEDED)] == [
        (f"{file}:2", "a"),
        (f"{file}:5", "b"),
        (f"{file}:7", "c"),
    ]
    file.write_text('{"item": "a"}\n\n{"item": "b\u2028", "token": null, "n": 3}\n', "utf-8")
    assert [(row.where, row.cells) for row in sheet.read(file, NEEDED)] == [
        (f"{file}:1", {"item": "a"}),
        (f"{file}:3", {"item": "b\u2028", "token": "", "n": "3"}),
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"item;answer\n1;2\n", "{}: has no column token; valid: a sheet of `llmvitals review export`"),
        (b"", "{}: has no column item, token; valid: a sheet of `llmvitals review export`"),
        (b"item,token,notes,Notes: mine\n", "{}: the column notes stands twice; valid: each once"),
        (b'item,token\na,b\n"c,d\ne,f\n', "{}:3: is no CSV: unexpected end of data"),
        (b"item,token\na,b\nc,d,e\n", "{}:3: has 3 cells, where the first line has 2"),
        (
            "item,token\né,b\n".encode("latin-1"),
            "{}: is no text in UTF-8; valid: JSON lines, or what is saved as CSV UTF-8",
        ),
        (b"PK\x03\x04\xff\xfe", "{}: is no text in UTF-8; valid: JSON lines, or what is saved as CSV UTF-8"),
        (b'{"item": "a"}\n{"item": \n', "{}:2: is no JSON: Expecting value: line 1 column 10 (char 9)"),
        (b'{"item": "a"}\n[1]\n', "{}:2: is no JSON object; valid: one of columns and texts"),
    ],
)
def test_what_is_no_sheet_is_refused_in_a_sentence(file, data, sentence):
    file.write_bytes(data)
    with pytest.raises(sheet.SheetError) as refused:
        sheet.read(file, NEEDED)
    assert str(refused.value) == sentence.format(file)


def test_a_file_that_is_not_there_is_told(file):
    with pytest.raises(sheet.SheetError, match="cannot be read: No such file or directory"):
        sheet.read(file.with_name("no.csv"), NEEDED)


@given(st.binary(max_size=200) | st.text(string.printable, max_size=200).map(str.encode))
def test_no_file_whatever_is_in_it_is_more_than_refused(file, data):
    file.write_bytes(data)
    with contextlib.suppress(sheet.SheetError):
        assert all(isinstance(cell, str) for row in sheet.read(file, NEEDED) for cell in row.cells.values())


def test_json_lines_have_each_cell_as_it_is():
    [line] = sheet.written(["item"], [{"item": "=«1»\n"}], sheet.JSONL).splitlines()
    assert json.loads(line) == {"item": "=«1»\n"}
