"""`llmvitals review export`: a sheet of answers for a person to grade."""

import argparse
import difflib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from llmvitals.judge.rubric import Rubric
from llmvitals_collector.review import grades, ledger, sheet
from llmvitals_collector.review.draw import drawn
from llmvitals_collector.review.item import UNIFORM, Item
from llmvitals_collector.review.sealed import seal
from llmvitals_collector.review.store import ReviewStore

_DAY = 86_400
_TEMPLATES_TOLD = 10
_FROM = "evaluation.review.directory of a collector, or of several"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("--from", dest="directories", type=Path, nargs="+", required=True, metavar="DIR", help=_FROM)
    add("--rubrics", nargs="+", required=True, metavar="RUBRIC", help="a file, or the name of a shipped rubric")
    add("--dimension", help="only this one")
    add("--template", default="*", help="only this one, or a pattern such as support-*")
    add("--days", type=_positive, default=7, help="how old answers may be (default: 7)")
    add("--number", type=_count, default=200, help="answers drawn at random, of each dimension (default: 200)")
    add("--tail", type=_count, default=20, help="odd answers besides, which count for nothing (default: 20)")
    add("--seed", default="", help="another one draws other answers; the same, the same for every grader")
    add("--grader", default="", metavar="NAME", help="who is to grade: leaves out what they have graded")
    add("--format", choices=sheet.FORMATS, help="default: by the name of --out, else csv")
    add("--out", type=Path, metavar="FILE", help="a new file (default: the standard output)")


def run(arguments: argparse.Namespace) -> None:
    """Write the sheet, and tell on standard error what is in it.

    Raises:
        ValueError: what was asked for cannot be had: one sentence.
        OSError, LedgerError: a file cannot be read or written.
    """
    rubrics = _rubrics(arguments.rubrics, arguments.dimension)
    items = _items(arguments, rubrics)
    chosen = drawn(items, arguments.number, arguments.tail, arguments.seed)
    if not chosen:
        raise ValueError("no answers are left to grade; fewer filters, or more --days, may find some")
    by_suffix = sheet.JSONL if arguments.out and arguments.out.suffix == ".jsonl" else sheet.CSV
    text = sheet.written(*_table(chosen, rubrics, arguments.grader), arguments.format or by_suffix)
    _write(text, arguments.out)
    for dimension, count in sorted(Counter(item.dimension for item in chosen).items()):
        random = sum(item.why == UNIFORM for item in chosen if item.dimension == dimension)
        of = sum(item.why == UNIFORM for item in items if item.dimension == dimension)
        sys.stderr.write(f"{dimension}: {random} answers drawn at random from {of}, and {count - random} odd ones\n")


def _rubrics(names: Iterable[str], dimension: str | None) -> dict[str, Rubric]:
    """The rubrics by dimension: all, or that of one dimension."""
    found: dict[str, Rubric] = {}
    for name in names:
        rubric = Rubric.load(name) if Path(name).suffix else Rubric.shipped(name)
        if (other := found.setdefault(rubric.dimension, rubric)).hash != rubric.hash:
            raise ValueError(
                f"--rubrics: {other.name} and {rubric.name} are both of {rubric.dimension}; valid: one of each"
            )
    if dimension and dimension not in found:
        near = difflib.get_close_matches(dimension, found, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(found)}"
        raise ValueError(f"--dimension: {dimension!r} is that of none of the rubrics; {hint}")
    return {dimension: found[dimension]} if dimension else found


def _items(arguments: argparse.Namespace, rubrics: Mapping[str, Rubric]) -> list[Item]:
    """The items that may be drawn."""
    since = time.time() - arguments.days * _DAY
    found = {item.id: item for directory in arguments.directories for item in ReviewStore(directory).read(since)}
    wanted = [
        item for item in found.values() if item.dimension in rubrics and fnmatchcase(item.template, arguments.template)
    ]
    if found and not wanted:
        raise ValueError(_without(arguments.template, {item.template for item in found.values()}, rubrics))
    other = Counter((item.dimension, item.rubric) for item in wanted if item.rubric != rubrics[item.dimension].hash)
    for (dimension, rubric), count in sorted(other.items()):
        left = f"{dimension}: {count} answers were judged by another rubric, {rubric}, and are left out"
        sys.stderr.write(f"{left}; that of --rubrics is {rubrics[dimension].hash}\n")
    done = set()
    if arguments.grader:
        grader = grades.pseudonym(arguments.grader)
        entries = ledger.read(arguments.directories[0] / ledger.NAME)
        done = {entry.item for entry in entries if entry.grader == grader}
    return [item for item in wanted if item.rubric == rubrics[item.dimension].hash and item.id not in done]


def _without(template: str, templates: Iterable[str], dimensions: Iterable[str]) -> str:
    """Why no answers were found, although there are some."""
    if any(fnmatchcase(each, template) for each in templates):
        return f"no answers were judged in {', '.join(dimensions)}; valid: --rubrics of the judge"
    near = difflib.get_close_matches(template, templates, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(sorted(templates)[:_TEMPLATES_TOLD])}"
    return f"--template: {template!r} is that of no answer; {hint}"


def _table(items: Sequence[Item], rubrics: Mapping[str, Rubric], grader: str) -> tuple[list[str], list[dict[str, str]]]:
    """Headings and rows; what the judge said stands in the tokens alone."""
    questions = {dimension: _headings(rubric) for dimension, rubric in rubrics.items()}
    used = [heading for dimension in sorted({item.dimension for item in items}) for heading in questions[dimension]]
    texts = ("query", "context", "expected", grades.ANSWER)
    headings = [grades.ITEM, grades.DIMENSION, *texts, *used, grades.NOTES, grades.GRADER, grades.TOKEN]
    rows = [
        {
            grades.ITEM: grades.shown_id(item),
            grades.DIMENSION: item.dimension,
            **dict(zip(texts, (item.query, item.context, item.expected, item.actual), strict=True)),
            **dict.fromkeys(questions[item.dimension], ""),
            grades.NOTES: "",
            grades.GRADER: grader,
            grades.TOKEN: seal(item, rubrics[item.dimension]),
        }
        for item in items
    ]
    return headings, rows


def _headings(rubric: Rubric) -> list[str]:
    return [
        f"{grades.column(rubric, question.id)}: {question.ask} [{' | '.join(question.options)}]"
        for question in rubric.human_questions
    ]


def _write(text: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.buffer.write(text.encode())
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ValueError(f"--out: {path} is there already, and may have grades; valid: a new file") from error
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number; valid: a whole one from 0 on")
    return int(text)


def _positive(text: str) -> float:
    try:
        if 0 < (number := float(text)) <= 3650:
            return number
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no number of days; valid: one above 0, at most 3650")
