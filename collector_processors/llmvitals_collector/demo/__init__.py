"""The demo: an app, its providers and the collector on this host, and a live table of what is measured."""

import argparse
import sys
from pathlib import Path

from llmvitals_collector.demo.breakage import WAYS, Breakage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `llmvitals demo`."""
    parser.add_argument("--seconds", type=_positive, help="measure for so long (default: until Ctrl-C; 15 with --json)")
    parser.add_argument("--json", action="store_true", help="print the final table alone, as JSON")
    parser.add_argument("--prometheus", action="store_true", help="start a Prometheus with the shipped rules, too")
    parser.add_argument("--alertmanager", action="store_true", help="start an Alertmanager and a Prometheus, too")
    parser.add_argument(
        "--slack-webhook-file",
        type=Path,
        metavar="FILE",
        help="holds the address of a Slack webhook, to which messages go (default: to this terminal)",
    )
    parser.add_argument(
        "--break",
        type=_breakage,
        metavar="TEMPLATE[=WAY]",
        dest="breakage",
        help=f"break a template, such as support-answer=errors; by {', '.join(WAYS)} (default: errors)",
    )
    parser.add_argument("--break-after", type=_positive, help="after so many seconds (default: 60)")
    parser.add_argument("--rate", type=_positive, default=20.0, help="questions per second (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same calls (default: 1)")
    for of, what in (
        ("metrics", "the collector's /metrics"),
        ("otlp", "the collector's OTLP receiver over HTTP"),
        ("prometheus", "Prometheus"),
        ("alertmanager", "Alertmanager"),
    ):
        parser.add_argument(f"--{of}-port", type=_port, default=0, help=f"of {what} (default: a free one)")


def run(arguments: argparse.Namespace) -> int:
    """Runs the demo to its end; gives the exit code: 0, also after Ctrl-C or SIGTERM, or 1 with one sentence why."""
    try:
        from llmvitals_collector.demo.show import show
    except ModuleNotFoundError as error:
        print(f"llmvitals demo: {error.name} is missing: pip install 'llmvitals[collector]'", file=sys.stderr)  # noqa: T201
        return 1
    return show(arguments)


def _breakage(text: str) -> Breakage:
    try:
        return Breakage.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, such as 8 or 0.5")
    return number


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, from 1 to 65535, or 0 for a free one")
    return int(text)
