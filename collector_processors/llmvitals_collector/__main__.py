"""The `llmvitals` command: demo, collect, check, config, catalogue, debug, review, compare."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_logger = logging.getLogger(__package__)

_STOPPING = (signal.SIGTERM, signal.SIGINT)
# Exit codes, beside 0.
_FAILED = 1
_MISCONFIGURED = 2
_MOST_WORKERS = 64


class _CommandError(Exception):
    """What ends a command early: one sentence for people, and the exit code."""

    def __init__(self, sentence: object, code: int) -> None:
        super().__init__(str(sentence))
        self.code = code


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = _parser(argv).parse_args(argv)
        return int(arguments.run(arguments))
    except _CommandError as error:
        sys.stderr.write(f"llmvitals: {error}\n")
        return error.code


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="llmvitals", description="What an LLM in production does to its users.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    collect = commands.add_parser("collect", help="receive OTLP and serve it as Prometheus metrics")
    collect.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: every default)")
    collect.add_argument(
        "--workers",
        type=_workers,
        default=0,
        metavar="N",
        help="processes that receive for this one, which counts (default: it receives itself)",
    )
    collect.set_defaults(run=_collect)

    check = commands.add_parser("check", help="say whether a configuration is valid")
    check.add_argument("config", type=Path, metavar="FILE")
    check.set_defaults(run=_check)

    config = commands.add_parser("config", help="print every key with its default, as a file to begin with")
    config.set_defaults(run=_config)

    demo = commands.add_parser("demo", help="watch a small chat app, its collector and its numbers")
    catalogue = commands.add_parser("catalogue", help="write rules, alerts, runbooks and boards from one file")
    debug = commands.add_parser("debug", help="say what became of the last spans that a running collector got")
    review = commands.add_parser("review", help="let people grade a sample of the answers, and count their grades")
    compare = commands.add_parser("compare", help="say whether one version of a prompt is better than another")
    # Only the command that is run is loaded: it may need what is not installed.
    for name, module, command in (
        ("demo", "demo", demo),
        ("catalogue", "catalogue.command", catalogue),
        ("debug", "debug_command", debug),
        ("review", "review.command", review),
        ("compare", "compare_command", compare),
    ):
        if argv and argv[0] == name:
            loaded = _load(module)
            loaded.add_arguments(command)
            command.set_defaults(run=loaded.run)
    return parser


def _workers(text: str) -> int:
    if not hasattr(os, "memfd_create"):
        raise argparse.ArgumentTypeError("needs Linux, where processes share a port")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MOST_WORKERS}")
    return int(text)


def _load(module: str) -> ModuleType:
    """Import a module of the collector, whose dependencies come with an extra of the distribution."""
    try:
        return import_module(f"llmvitals_collector.{module}")
    except ModuleNotFoundError as error:
        sentence = f"this needs the collector, of which {error.name} is missing: pip install 'llmvitals[collector]'"
        raise _CommandError(sentence, _FAILED) from error
    except ImportError as error:
        # The environment asks for a decoder that is not there.
        raise _CommandError(error, _MISCONFIGURED) from error


def _check(arguments: argparse.Namespace) -> int:
    """Do everything that `collect` does up to its start."""
    config, pipeline = _load("config"), _load("pipeline")
    try:
        pipeline.Pipeline(config.load(arguments.config))
    except config.ConfigError as error:
        raise _CommandError(error, _MISCONFIGURED) from error
    sys.stdout.write(f"{arguments.config}: valid\n")
    return 0


def _config(_arguments: argparse.Namespace) -> int:
    sys.stdout.write(_load("reference").reference())
    return 0


def _collect(arguments: argparse.Namespace) -> int:
    """Collect until SIGTERM or SIGINT; SIGHUP reads the configuration again."""
    # Blocked before any thread starts, those of numpy's import too, so that a signal waits for the line that waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*_STOPPING, signal.SIGHUP))
    try:
        return _collect_until_stopped(arguments)
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def _collect_until_stopped(arguments: argparse.Namespace) -> int:
    _load("allocation").share_arena()
    config, lifecycle, pipeline, storage = map(_load, ("config", "lifecycle", "pipeline", "storage"))
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _logger.setLevel(logging.INFO)  # of others only warnings: the judge's HTTP client tells of every request
    try:
        settings = config.load(arguments.config) if arguments.config else config.Config()
        collector = pipeline.Pipeline(settings, arguments.workers)
        collector.start()
    except config.ConfigError as error:
        raise _CommandError(error, _MISCONFIGURED) from error
    except (lifecycle.PortError, lifecycle.WorkerError, storage.StorageError) as error:
        raise _CommandError(error, _FAILED) from error
    scheme = "https" if settings.metrics.tls.cert_file else "http"
    url = f"{scheme}://{_listening(settings.metrics.address, collector.metrics.port)}"
    _logger.info(
        "OTLP/gRPC on %s, OTLP/HTTP on %s, %smetrics on %s/metrics",
        _listening(settings.receivers.grpc.address, collector.grpc.port),
        _listening(settings.receivers.http.address, collector.http.port),
        f"a page to look at on {url}/, " if settings.metrics.page else "",
        url,
    )
    while signal.sigwait((*_STOPPING, signal.SIGHUP)) == signal.SIGHUP:
        settings = _reload(collector, settings, arguments.config)
    try:
        collector.stop()
    except storage.StorageError as error:
        raise _CommandError(error, _FAILED) from error
    return 0


def _reload(collector: Any, running: Any, path: Path | None) -> Any:
    """Take over what can be taken of the configuration as it is now, and say what cannot; returns what is in force."""
    config = _load("config")
    try:
        settings, left = config.reloaded(running, config.load(path) if path else config.Config())
        collector.reload(settings)
    except config.ConfigError as error:
        collector.refused()
        _logger.error("%s; the configuration stays as it was", error)  # noqa: TRY400 - one sentence says all
        return running
    _logger.info("the configuration was read again")
    for key in left:
        _logger.warning("%s: takes a restart, and stays as it was", key)
    return settings


def _listening(address: str, port: int) -> str:
    """An address with the port that it got, which the configuration may leave open as 0."""
    return f"{address.rpartition(':')[0]}:{port}"


if __name__ == "__main__":
    sys.exit(main())
