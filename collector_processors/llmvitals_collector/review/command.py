"""`llmvitals review`: answers out to people, and their grades back."""

import argparse
import sys

from llmvitals_collector.config import ConfigError
from llmvitals_collector.forward.transport import SendError
from llmvitals_collector.review import exporting, importing
from llmvitals_collector.review.ledger import LedgerError

_FAILED = 1
_MISTAKEN = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module, says in (
        ("export", exporting, "write a sample of judged answers, for people to grade"),
        ("import", importing, "bring their grades to a collector"),
    ):
        command = commands.add_parser(name, help=says, description=says)
        module.add_arguments(command)
        command.set_defaults(act=module.run)


def run(arguments: argparse.Namespace) -> int:
    """Export or import; 1 where it failed, 2 where something that was given is wrong."""
    try:
        arguments.act(arguments)
    except (ValueError, ConfigError) as error:
        return _told(error, _MISTAKEN)
    except (SendError, LedgerError) as error:
        return _told(error, _FAILED)
    except OSError as error:
        return _told(f"{error.filename or 'the output'}: {error.strerror}", _FAILED)
    return 0


def _told(error: object, code: int) -> int:
    sys.stderr.write(f"llmvitals: {error}\n")
    return code
