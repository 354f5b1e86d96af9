"""`llmvitals debug`: what became of what a running collector got, in the terminal."""

import argparse
import sys
import urllib.error
import urllib.parse
import urllib.request

DEFAULT = "http://127.0.0.1:9464/debug"
_SECONDS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("url", nargs="?", default=DEFAULT, metavar="URL", help=f"the collector's (default: {DEFAULT})")


def run(arguments: argparse.Namespace) -> int:
    """Print the page; 1 where there is none."""
    try:
        sys.stdout.write(page(arguments.url))
    except ValueError as error:
        sys.stderr.write(f"llmvitals: {error}\n")
        return 1
    return 0


def page(url: str) -> str:
    """The page as text; `url` may leave out the scheme and the path.

    Raises:
        ValueError: there is no such page: one sentence.
    """
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a collector; valid: {DEFAULT}")
    whole = parts._replace(path=parts.path.rstrip("/") or "/debug").geturl()
    request = urllib.request.Request(whole, headers={"Accept": "text/plain"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            text: str = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(f"{whole} answers {error.code}; debug.enabled switches the page on") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ValueError(f"{whole} cannot be reached: {reason}; metrics.address sets where it listens") from error
    return text
