"""The demo's course: start everything, show what the collector measures, and end it so that the last table is whole."""

import argparse
import contextlib
import json
import math
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live

from llmvitals import semconv
from llmvitals_collector import rates
from llmvitals_collector.demo import programs, quality, slack, table
from llmvitals_collector.demo.breakage import Breakage
from llmvitals_collector.demo.children import Child, DemoError, loopback_port, read
from llmvitals_collector.rates import Samples

JSON_SECONDS = 15.0
BREAK_AFTER_SECONDS = 60.0
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
    _refuse_what_has_no_effect(arguments)
    seconds = arguments.seconds or (JSON_SECONDS if arguments.json else math.inf)
    break_after = arguments.break_after or BREAK_AFTER_SECONDS
    if arguments.breakage and break_after >= seconds:
        raise DemoError(f"it ends after {seconds:g} seconds, before anything is broken; choose a lower --break-after")
    stream = sys.stderr if arguments.json else sys.stdout
    console = Console(file=stream, force_terminal=stream.isatty(), width=None if stream.isatty() else 120)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmvitals-")))
    otlp_port = loopback_port(arguments.otlp_port, "--otlp-port")
    handle_key = secrets.token_hex()
    provider = stack.enter_context(programs.provider(folder, arguments.seed))
    collector = stack.enter_context(
        programs.collector(folder, otlp_port, arguments.metrics_port, provider.url, handle_key)
    )
    # The app takes longest to load, so it is not kept waiting until the others are ready.
    app = stack.enter_context(programs.app(arguments.rate, arguments.seed, provider.url, otlp_port, handle_key))
    provider.wait_until_ready()
    collector.wait_until_ready("/healthz")
    readers = stack.enter_context(programs.readers(folder, otlp_port))
    console.print(f"The collector's metrics: {collector.url}/metrics", soft_wrap=True)
    console.print(f"The page: {collector.url}/", soft_wrap=True)
    children = [collector, provider, app, readers, *_servers(arguments, stack, console, folder, collector.url)]

    readings = _readings(collector, children, seconds)
    if arguments.breakage:
        readings = _breaking(readings, arguments.breakage, break_after, folder / programs.ORDER, console)
    try:
        _follow(console, readings)
    except KeyboardInterrupt:
        if not _calls(_samples(collector)):
            raise  # there is nothing to show yet

    # The app first, which sends what it has left; then what is judged and graded of it: so the last table is whole.
    console.print("Waiting for the last answers, and for what people say of them.")
    app.stop()
    made = _calls_made(app)
    _complete(collector, made)
    readers.stop()
    found = _complete(collector, made)
    if arguments.json:
        print(json.dumps(_told(found) | {"calls_made": made}, indent=2))  # noqa: T201
    else:
        console.print(_rendered(found))
        for sentence in quality.differences(found, rates.templates(found)):
            console.print(sentence)
    console.print(f"The app made {made} calls; the table has {_calls(found)}.")


def _refuse_what_has_no_effect(arguments: argparse.Namespace) -> None:
    alerting = arguments.alertmanager or arguments.slack_webhook_file
    for option, given, needed, there in (
        ("--break-after", arguments.break_after, "--break", arguments.breakage),
        ("--alertmanager-port", arguments.alertmanager_port, "--alertmanager", alerting),
        ("--prometheus-port", arguments.prometheus_port, "--prometheus", alerting or arguments.prometheus),
    ):
        if given and not there:
            raise DemoError(f"{option} has no effect without {needed}")


def _servers(
    arguments: argparse.Namespace, stack: contextlib.ExitStack, console: Console, folder: Path, collector_url: str
) -> list[Child]:
    """Starts Prometheus and Alertmanager, as far as they are wanted, and says where they are."""
    started = []
    if wanted := arguments.alertmanager or arguments.slack_webhook_file:
        webhook = _webhook(arguments.slack_webhook_file, stack, console)
        alertmanager = programs.alertmanager(folder, arguments.alertmanager_port, collector_url, webhook)
        started.append(stack.enter_context(alertmanager))
    if wanted or arguments.prometheus:
        alerted = started[0].url if started else ""
        prometheus = programs.prometheus(folder, arguments.prometheus_port, collector_url, alerted)
        started.append(stack.enter_context(prometheus))
    for server in started:
        console.print(f"{server.name}: {server.url}", soft_wrap=True)
    return started


def _webhook(file: Path | None, stack: contextlib.ExitStack, console: Console) -> Callable[[str], str]:
    """From a channel to where its messages go: to the webhook in the file, or to the terminal."""
    if file:
        address = slack.address(file)
        return lambda _: address
    local = slack.Webhook(lambda message: console.print(message.rendered(), soft_wrap=True))
    return stack.enter_context(local).address


def _breaking(
    readings: Iterator[Samples], broken: Breakage, after: float, order: Path, console: Console
) -> Iterator[Samples]:
    """The readings, during which it breaks, after so many seconds, what is to be broken."""
    due = 0.0
    for found in readings:
        due = due or time.monotonic() + after
        if time.monotonic() >= due:
            broken.order(order)
            console.print(f"{time.strftime('%H:%M:%S')} From now on {broken.says}.", style="bold", soft_wrap=True)
            due = math.inf
        yield found


def _told(found: Samples) -> dict[str, Any]:
    rows = table.measured(found)
    return {
        "templates": {template: row | quality.outcomes(found, template) for template, row in rows.items()},
        "tasks": quality.tasks(found),
    }


def _rendered(found: Samples) -> Group:
    rows = table.measured(found)
    return Group(table.rendered(rows), quality.rendered(found, list(rows)))


def _follow(console: Console, readings: Iterator[Samples]) -> None:
    if console.is_terminal:
        with Live(console=console, transient=True, auto_refresh=False) as live:
            for found in readings:
                live.update(_rendered(found), refresh=True)
        return
    due = 0.0
    for found in readings:
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_SECONDS
            errors = _sum(found, semconv.CALLS, {semconv.LABEL_OUTCOME: semconv.ERROR})
            console.print(f"{_calls(found)} calls measured, {errors} of them errors")


def _readings(collector: Child, children: list[Child], seconds: float) -> Iterator[Samples]:
    """What is measured, once a second, for so long from the first call that is.

    Raises DemoError when a child ends, or when nothing is measured in the first minute.
    """
    deadline = time.monotonic() + FIRST_SECONDS
    begun = False
    while time.monotonic() < deadline:
        for child in children:
            child.check()
        if _calls(found := _samples(collector)):
            if not begun:
                begun, deadline = True, time.monotonic() + seconds
            yield found
        time.sleep(min(max(deadline - time.monotonic(), 0), REFRESH_SECONDS))
    if not begun:
        raise DemoError(f"no call was measured in {FIRST_SECONDS:.0f} seconds")


def _complete(collector: Child, made: int) -> Samples:
    """What is measured once all calls are there, and all verdicts on them: the app has sent them, so it is not long."""
    deadline = time.monotonic() + COMPLETE_SECONDS
    while True:
        found = _samples(collector)
        waiting = _sum(found, semconv.EVALUATIONS_WAITING) + _sum(found, semconv.COLLECTOR_WAITING_ROWS)
        if (_calls(found) >= made and not waiting) or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _samples(collector: Child) -> Samples:
    try:
        return rates.samples(read(f"{collector.url}/metrics"))
    except OSError as error:
        raise collector.failure(f"does not answer ({error})") from error


def _calls(found: Samples) -> int:
    return _sum(found, semconv.CALLS)


def _sum(found: Samples, family: semconv.Family, labels: Mapping[str, str] = table.ALL) -> int:
    return round(sum(sample.value for sample in rates.chosen(found, family.name, labels)))


def _calls_made(app: Child) -> int:
    for line in app.output().splitlines():
        if line.startswith('{"calls": '):
            return int(json.loads(line)["calls"])
    raise app.failure("did not say how many calls it made")
