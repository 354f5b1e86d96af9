"""`llmvitals catalogue`: from one file to rules, alerts, runbooks, boards and their documentation."""

import argparse
import sys
from pathlib import Path

from llmvitals_collector.catalogue import building, catalogue, linting

_FOUND = 1
_MISTAKEN = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="print the catalogue that ships, as a file to begin with")
    show.set_defaults(act=_show)
    lint = commands.add_parser("lint", help="say what a catalogue lacks")
    lint.add_argument("catalogue", type=Path, nargs="?", metavar="FILE", help="(default: the one that ships)")
    lint.set_defaults(act=_lint)
    build = commands.add_parser("build", help="write everything that follows from a catalogue")
    build.add_argument("directory", type=Path, metavar="DIR", help="new, empty, or built before")
    build.add_argument("--catalogue", type=Path, metavar="FILE", help="(default: the one that ships)")
    build.set_defaults(act=_build)


def run(arguments: argparse.Namespace) -> int:
    """Show, lint or build; 1 where a catalogue lacks something or nothing can be written, 2 where it cannot be read."""
    try:
        return int(arguments.act(arguments))
    except ValueError as error:
        sys.stderr.write(f"llmvitals: {error}\n")
        return _MISTAKEN
    except OSError as error:
        sys.stderr.write(f"llmvitals: {error.filename or arguments.directory}: {error.strerror}\n")
        return _FOUND


def _show(_arguments: argparse.Namespace) -> int:
    sys.stdout.write(catalogue.shipped().read_text("utf-8"))
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    file = arguments.catalogue or catalogue.shipped()
    return _told(file, catalogue.read(file))


def _build(arguments: argparse.Namespace) -> int:
    file = arguments.catalogue or catalogue.shipped()
    read = catalogue.read(file)
    if _told(file, read):
        return _FOUND
    texts = building.files(read, file)
    building.write(texts, arguments.directory)
    sys.stdout.write(f"{arguments.directory}: {len(texts)} files\n")
    return 0


def _told(file: Path, read: catalogue.Catalogue) -> int:
    """Print what it lacks."""
    found = list(linting.findings(read, file.parent))
    sys.stdout.write("".join(f"{file}: {finding}\n" for finding in found))
    return _FOUND if found else 0
