"""What was imported, for ever: so that no grade counts twice, and the second one of an answer finds the first."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from llmvitals import semconv
from llmvitals_collector.review import lines
from llmvitals_collector.review.grades import Grade
from llmvitals_collector.review.item import UNIFORM, Item
from llmvitals_collector.storage.directory import sync_names

NAME = "imported.jsonl"


class LedgerError(Exception):
    """The ledger cannot be used: one sentence, with the path."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A grade that was imported.

    item: its id. uniform: whether it was drawn at random. peer: the verdict of who graded it first; "" for the first.
    """

    item: str
    grader: str
    dimension: str
    rubric: str
    judge: str
    judge_verdict: str
    uniform: bool
    verdict: str
    score: float | None = None
    peer: str = ""


class Due(NamedTuple):
    """What is to be imported of some grades.

    new: items and what will stand in the ledger of each. repeated: how many were imported before.
    changed: sentences about those of them which now say something else, with file and line.
    """

    new: list[tuple[Item, Entry]]
    repeated: int
    changed: list[str]


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Make the ledger if it is missing, and keep other imports away from it.

    Raises:
        LedgerError: it cannot be written, or another import has it.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        _lock(handle, path)
        yield
    finally:
        os.close(handle)


def read(path: Path) -> list[Entry]:
    """The entries, none of a ledger that is not there.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        # A line that a crash has cut is no loss: its grade goes out again, and the collector knows it.
        return lines.read(path, Entry)[0] if path.exists() else []
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read: {error.strerror}") from error


def add(path: Path, entries: Iterable[Entry]) -> None:
    """Write down what the collector has acknowledged.

    Raises:
        LedgerError: it may be lost.
    """
    try:
        lines.append(path, list(entries), sync=True)
    except OSError as error:
        raise LedgerError(
            f"{path}: cannot be written: {error.strerror or error}; import the same files again"
        ) from error


def due(entries: Iterable[Entry], grades: Iterable[Grade]) -> Due:
    """Compare grades with what was imported, and with one another."""
    before = {(entry.item, entry.grader): entry for entry in entries}
    first = {entry.item: entry.verdict for entry in reversed(before.values()) if entry.verdict in semconv.DECIDED}
    repeated = 0
    new: list[tuple[Item, Entry]] = []
    changed: list[str] = []
    for grade in grades:
        item = grade.item
        if known := before.get((item.id, grade.grader)):
            repeated += 1
            if (known.verdict, known.score) != (grade.verdict, grade.score):
                changed.append(f"{grade.where}: was imported before as {known.verdict}, and that counts")
            continue
        entry = Entry(
            item=item.id,
            grader=grade.grader,
            dimension=item.dimension,
            rubric=item.rubric,
            judge=item.judge,
            judge_verdict=item.judge_verdict,
            uniform=item.why == UNIFORM and item.stratum == semconv.UNIFORM,
            verdict=grade.verdict,
            score=grade.score,
            peer=first.get(item.id, ""),
        )
        if grade.verdict in semconv.DECIDED:
            first.setdefault(item.id, grade.verdict)
        new.append((item, entry))
    return Due(new, repeated, changed)


def _lock(handle: int, path: Path) -> None:
    import fcntl  # here, as Windows has none

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sync_names(path.parent)
    except BlockingIOError as error:
        raise LedgerError(f"{path}: is in use by another import; valid: one at a time") from error
    except OSError as error:
        raise LedgerError(f"{path}: cannot be locked: {error.strerror}") from error
