"""The demo's course: start everything, show what the collector measures, and end it so that the last table is whole."""

import argparse
import contextlib
import json
import math
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.live import Live

from llmvitals_collector.demo import programs
from llmvitals_collector.demo.children import Child, DemoError, loopback_port, read
from llmvitals_collector.demo.table import Row, measured, rendered

JSON_SECONDS = 15.0
FIRST_SECONDS = 60.0
REFRESH_SECONDS = 1.0
LINE_SECONDS = 5.0
COMPLETE_SECONDS = 10.0


def show(arguments: argparse.Namespace) -> int:
    """Runs the demo; gives its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as stack:
            _show(arguments, stack)
    except KeyboardInterrupt:
        pass  # before there was anything to show, or again while it was ending
    except DemoError as error:
        print(f"llmvitals demo: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _show(arguments: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    stream = sys.stderr if arguments.json else sys.stdout
    console = Console(file=stream, force_terminal=stream.isatty(), width=None if stream.isatty() else 120)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmvitals-")))
    otlp_port = loopback_port(arguments.otlp_port, "--otlp-port")
    collector = stack.enter_context(programs.collector(folder, otlp_port, arguments.metrics_port))
    provider = stack.enter_context(programs.provider(arguments.seed))
    # The app takes longest to load, so it is not kept waiting until the others are ready.
    app = stack.enter_context(programs.app(arguments.rate, arguments.seed, provider.url, otlp_port))
    provider.wait_until_ready()
    collector.wait_until_ready("/healthz")
    console.print(f"The collector's metrics: {collector.url}/metrics", soft_wrap=True)
    children = [collector, provider, app]
    if arguments.prometheus:
        prometheus = programs.prometheus(folder, arguments.prometheus_port, collector.url)
        children.append(stack.enter_context(prometheus))
        console.print(f"Prometheus: {prometheus.url}", soft_wrap=True)

    seconds = arguments.seconds or (JSON_SECONDS if arguments.json else math.inf)
    try:
        _follow(console, _readings(collector, children, seconds))
    except KeyboardInterrupt:
        if not _rows(collector):
            raise  # there is nothing to show yet

    # The app first, which sends what it has left: so the last table is whole.
    console.print("Waiting for the last answers.")
    app.stop()
    made = _calls_made(app)
    rows = _complete(collector, made)
    if arguments.json:
        print(json.dumps({"templates": rows, "calls_made": made}, indent=2))  # noqa: T201
    else:
        console.print(rendered(rows))
    console.print(f"The app made {made} calls; the table has {_calls(rows)}.")


def _follow(console: Console, readings: Iterator[dict[str, Row]]) -> None:
    if console.is_terminal:
        with Live(console=console, transient=True, auto_refresh=False) as live:
            for rows in readings:
                live.update(rendered(rows), refresh=True)
        return
    due = 0.0
    for rows in readings:
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_SECONDS
            errors = sum(row["errors"] or 0 for row in rows.values())
            console.print(f"{_calls(rows)} calls measured, {errors} of them errors")


def _readings(collector: Child, children: list[Child], seconds: float) -> Iterator[dict[str, Row]]:
    """What is measured, once a second, for so long from the first call that is.

    Raises DemoError when a child ends, or when nothing is measured in the first minute.
    """
    deadline = time.monotonic() + FIRST_SECONDS
    begun = False
    while time.monotonic() < deadline:
        for child in children:
            child.check()
        if rows := _rows(collector):
            if not begun:
                begun, deadline = True, time.monotonic() + seconds
            yield rows
        time.sleep(min(max(deadline - time.monotonic(), 0), REFRESH_SECONDS))
    if not begun:
        raise DemoError(f"no call was measured in {FIRST_SECONDS:.0f} seconds")


def _complete(collector: Child, made: int) -> dict[str, Row]:
    """What is measured once all calls are there; the app has sent them, so this takes but a moment."""
    deadline = time.monotonic() + COMPLETE_SECONDS
    while True:
        rows = _rows(collector)
        if _calls(rows) >= made or time.monotonic() > deadline:
            return rows
        time.sleep(0.1)


def _rows(collector: Child) -> dict[str, Row]:
    try:
        return measured(read(f"{collector.url}/metrics"))
    except OSError as error:
        raise collector.failure(f"does not answer ({error})") from error


def _calls(rows: dict[str, Row]) -> int:
    return int(sum(row["calls"] or 0 for row in rows.values()))


def _calls_made(app: Child) -> int:
    for line in app.output().splitlines():
        if line.startswith('{"calls": '):
            return int(json.loads(line)["calls"])
    raise app.failure("did not say how many calls it made")
