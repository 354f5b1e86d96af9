"""`llmvitals review import`: grades from sheets to a collector, each once."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from llmvitals import semconv
from llmvitals_collector.forward.config import Destination, DestinationTls
from llmvitals_collector.forward.otlp_http import Http
from llmvitals_collector.forward.transport import SendError
from llmvitals_collector.review import events, grades, ledger, sheet, summary
from llmvitals_collector.review.grades import Graded
from llmvitals_collector.review.item import Item
from llmvitals_collector.review.ledger import Entry

_COLLECTOR = "http://127.0.0.1:4318"
_AT_A_TIME = 200
_MISTAKES_TOLD = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("files", type=Path, nargs="+", metavar="FILE", help="a graded sheet, CSV or JSON lines")
    add("--collector", default=_COLLECTOR, metavar="URL", help=f"where it takes OTLP/HTTP (default: {_COLLECTOR})")
    add("--grader", default="", metavar="NAME", help="who has graded the rows that don't say")
    add("--from", dest="directory", type=Path, metavar="DIR", help="of whose ledger (default: the first FILE's folder)")
    add("--partial", action="store_true", help="import the rows that are right, although others are wrong")
    add("--dry-run", action="store_true", help="check the files, and import nothing")


def run(arguments: argparse.Namespace) -> None:
    """Import what is new, and tell on standard output what it says.

    Raises:
        ValueError: something in the sheets or the arguments is wrong: one sentence; mistakes are told before.
        SendError, LedgerError: not all was imported; to import the same files again does the rest, and no more.
    """
    transport = _transport(arguments.collector)
    found = _graded(arguments)
    path = (arguments.directory or arguments.files[0].parent) / ledger.NAME
    with contextlib.nullcontext() if arguments.dry_run else ledger.claimed(path):
        before = ledger.read(path)
        due = ledger.due(before, found.grades)
        for sentence in due.changed:
            sys.stderr.write(f"{sentence}\n")
        if not arguments.dry_run:
            _send(due.new, path, transport, arguments.collector)
    verb = "would be imported" if arguments.dry_run else "imported"
    sys.stdout.write(
        f"{len(due.new)} grades {verb}, {due.repeated} were imported before; "
        f"{found.ungraded} rows are not graded yet, {len(found.mistakes)} are wrong\n"
    )
    entries = [*before, *(entry for _, entry in due.new)]
    graded = {(grade.item.dimension, grade.item.rubric) for grade in found.grades}
    for sentence in summary.told(entry for entry in entries if (entry.dimension, entry.rubric) in graded):
        sys.stdout.write(f"{sentence}\n")


def _graded(arguments: argparse.Namespace) -> Graded:
    """The grades of all files; mistakes are told on standard error.

    Raises:
        ValueError: there are mistakes, and the rest is not wanted alone.
    """
    files = {file.resolve(): file for file in arguments.files}.values()
    rows = [row for file in files for row in sheet.read(file, (grades.ITEM, grades.TOKEN))]
    found = grades.graded(rows, arguments.grader)
    for mistake in found.mistakes[:_MISTAKES_TOLD]:
        sys.stderr.write(f"{mistake}\n")
    if untold := found.mistakes[_MISTAKES_TOLD:]:
        sys.stderr.write(f"and {len(untold)} more\n")
    if found.mistakes and not arguments.partial:
        wrong = f"{len(found.mistakes)} of {len(rows)} rows are wrong"
        raise ValueError(f"{wrong}, and nothing is imported; correct them, or import the others with --partial")
    return found


def _send(new: Sequence[tuple[Item, Entry]], path: Path, transport: Http, collector: str) -> None:
    """Send grades, and write down in the ledger at `path` what is acknowledged."""
    for start in range(0, len(new), _AT_A_TIME):
        batch = new[start : start + _AT_A_TIME]
        try:
            events.deliver(events.request(batch, time.time()), transport)
        except SendError as error:
            done = f"{start} of {len(new)} grades are imported; import the same files again for the others"
            raise SendError(f"{collector} {error}; {done}") from error
        # A crash before this sends them again under the same ids, by which the collector tells them.
        ledger.add(path, [entry for _, entry in batch])


def _transport(collector: str) -> Http:
    """The way to the collector, with the headers and the authority of the environment.

    Raises:
        ValueError: the address or a header is none.
    """
    told = [pair.partition("=") for pair in os.environ.get(semconv.EXPORTER_HEADERS, "").split(",") if pair.strip()]
    headers = {name.strip(): unquote(value.strip()) for name, _, value in told}
    tls = DestinationTls(ca_file=os.environ.get(semconv.EXPORTER_CERTIFICATE, ""))
    try:
        return Http(Destination(endpoint=collector, protocol="http", headers=headers, tls=tls), "collector")
    except ValueError as error:
        key, _, sentence = str(error).partition(": ")
        told_by = semconv.EXPORTER_HEADERS if key == "headers" else "--collector"
        raise ValueError(f"{told_by}: {sentence}") from error
