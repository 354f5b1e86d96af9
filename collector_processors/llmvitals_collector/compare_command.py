"""`llmvitals compare`: whether one version of a prompt is better than another, by what collectors have counted."""

import argparse
import sys
import urllib.request

from llmvitals_collector import comparison, rates

DEFAULT = "http://127.0.0.1:9464/metrics"
_SECONDS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("template", help="the prompt's name")
    parser.add_argument("first", help="one version of it")
    parser.add_argument("second", help="another")
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=[DEFAULT],
        metavar="URL",
        help=f"of all collectors that share the traffic (default: {DEFAULT})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print each dimension's rates and their difference; 1 where there is nothing to compare."""
    try:
        # Several collectors' counters add up.
        counted = rates.samples("".join(map(_exposition, arguments.metrics)))
        found = comparison.compared(counted, arguments.template, arguments.first, arguments.second)
    except ValueError as error:
        sys.stderr.write(f"llmvitals: {error}\n")
        return 1
    for each in found:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(each)))
    return 0


def _exposition(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the user's own address
            text: str = answer.read().decode("utf-8", "replace")
    except OSError as error:
        raise ValueError(f"{url} cannot be read: {getattr(error, 'reason', error)}") from error
    except ValueError as error:
        raise ValueError(f"{url!r} is no address of a collector's metrics; valid: {DEFAULT}") from error
    return text


def _lines(compared: comparison.Comparison) -> list[str]:
    lines = [f"{compared.dimension}, {compared.first.source}"]
    for version, rate in zip(compared.versions, (compared.first, compared.second), strict=True):
        share, low, high, n = rate.estimate[:4]
        lines.append(f"  version {version}: {share:.2f} of the answers pass ({low:.2f} to {high:.2f}), n = {n:.0f}")
    return [*lines, f"  {comparison.told(compared)}."]
