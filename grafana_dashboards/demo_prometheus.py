"""The demo with real Prometheus servers in which the rules' hours are seconds: data for boards that look back days."""

import contextlib
import re
import secrets
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from llmvitals_collector import assets
from llmvitals_collector.demo import programs, servers
from llmvitals_collector.demo.children import Child, loopback_port
from llmvitals_collector.receivers import Signal

SCRAPE_SECONDS = 2
LEAST_WINDOW = 5 * SCRAPE_SECONDS
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = r"(\d+)([smhd])"


def faster(text: str, times: int, least_window: int = LEAST_WINDOW) -> str:
    """PromQL, or a file of rules, whose windows, offsets, waits and intervals are so many times shorter.

    What is counted in seconds by arithmetic stays.

    least_window: in seconds; a window has to have several scrapes.
    """

    def shorter(number: str, unit: str, least: int) -> str:
        return f"{max(int(number) * _SECONDS[unit] // times, least)}s"

    text = re.sub(rf"(?<=[\[:]){_DURATION}(?=[\]:])", lambda found: shorter(found[1], found[2], least_window), text)
    # An offset in an expression, and what an alert or a group of a file has.
    other = re.compile(rf"(\boffset |^ *(?:- )?(?:for|interval|keep_firing_for): ){_DURATION}\b", re.MULTILINE)
    return other.sub(lambda found: found[1] + shorter(found[2], found[3], 1), text)


class _Backend(ThreadingHTTPServer):
    """Takes what the collector forwards and pushes, and tells what it forwards: the path, and the body."""

    def __init__(self, forwarded: Callable[[str, bytes], object]) -> None:
        super().__init__(("127.0.0.1", 0), _Forwarded)
        self.forwarded = forwarded
        endpoint = f"http://127.0.0.1:{self.server_port}"
        self.destination = {"endpoint": endpoint, "protocol": "http", "compression": "none"}


class _Forwarded(BaseHTTPRequestHandler):
    server: _Backend

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != Signal.METRICS.value:  # which are pushed
            self.server.forwarded(self.path, body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def demo(
    folder: Path, rate: float, seed: int = 1, forwarded: Callable[[str, bytes], object] = lambda *_: None
) -> Iterator[Child]:
    """The demo's app, providers, readers and collector; gives the collector, whose url is where its metrics are.

    The collector keeps what it counts on disk, forwards what it gets, and pushes, so that every board has something to
    show.

    folder: where it may write.
    rate: questions per second.
    forwarded: gets the path and the body of all that was forwarded, from any thread.

    Raises DemoError when one of them does not start.
    """
    otlp_port, key = loopback_port(0, ""), secrets.token_hex()
    with (
        _Backend(forwarded) as backend,
        programs.provider(folder, seed) as provider,
        programs.collector(
            folder,
            otlp_port,
            0,
            provider.url,
            key,
            storage={"directory": str(folder / "storage")},
            forward={"backend": backend.destination},
            push={"backend": {**backend.destination, "interval_seconds": 5}},
        ) as collector,
        programs.app(rate, seed, provider.url, otlp_port, key),
    ):
        threading.Thread(target=backend.serve_forever, daemon=True).start()
        provider.wait_until_ready()
        collector.wait_until_ready("/healthz")
        with programs.readers(folder, otlp_port):
            yield collector
        backend.shutdown()


def prometheus(folder: Path, collector: Child, times: int, features: Sequence[str] = ()) -> Child:
    """A Prometheus that scrapes the collector and itself, and evaluates the shipped rules, so many times faster.

    folder: where it may write.
    features: as in `servers.prometheus`.
    """
    for file in assets.prometheus_rules().glob("*.*.yml"):
        (folder / file.name).write_text(faster(file.read_text("utf-8"), times), "utf-8")
    port = loopback_port(0, "")
    jobs = {"llm-collector": urllib.parse.urlsplit(collector.url).netloc, "prometheus": f"127.0.0.1:{port}"}
    each = f"{SCRAPE_SECONDS}s"
    configuration = {
        "global": {"scrape_interval": each, "scrape_timeout": each, "evaluation_interval": each},
        "rule_files": [str(folder / "*.rules.yml"), str(folder / "*.alerts.yml")],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in jobs.items()
        ],
    }
    return servers.prometheus(configuration, folder, port, features)
