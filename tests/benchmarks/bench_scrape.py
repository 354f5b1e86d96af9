"""What a scrape of 1,000 histograms costs a real Prometheus and us: native, native with classic beside, and classic.

Beside is the default: a Prometheus that wants native histograms reads both and keeps those; to leave the others out,
there is `metrics.classic_histograms`. The counters are those of the same 250 label sets. Every series changes between
two scrapes. The server's CPU is all that it says it has taken over 40 scrapes; ours is all but what counting takes. On
a machine that does other things both are higher: `python tests/benchmarks/bench_scrape.py`
"""

import itertools
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from bench_expose import answered, filled

from llmvitals_collector import expose, rates
from llmvitals_collector.config import Metrics
from llmvitals_collector.debug import Debug, DebugConfig
from llmvitals_collector.demo import servers
from llmvitals_collector.demo.children import read
from llmvitals_collector.expose import Format
from llmvitals_collector.health import Health
from llmvitals_collector.scrape import ScrapeServer

LABEL_SETS = 250  # each with four histograms
EARLIER_CALLS = 360  # of each template: as after some hours, when a call rarely opens a new bucket
INTERVAL = 1.0  # seconds between two scrapes
FIRST_SCRAPES, SCRAPES = 6, 40  # the first ones make the series
GOAL_MS = 20


class Collector:
    """Serves a state to which new calls come; counts the scrapes, and the bytes of the last one."""

    def __init__(self, kinds: Sequence[str], metrics: Metrics) -> None:
        self._kinds = kinds
        self._state = filled(LABEL_SETS, metrics)
        for turn in range(EARLIER_CALLS):
            self._state.add(answered(LABEL_SETS, 1, 1_000_000 + turn))
        self._counting = 0.0
        self.scrapes = self.size = 0

    def rendered(self, format_: Format) -> Iterator[bytes]:
        size, whole = 0, self._state.snapshot()
        chosen = whole._replace(series=[each for each in whole.series if each.family.kind in self._kinds])
        for piece in expose.render(chosen, format_):
            size += len(piece)
            yield piece
        self.size, self.scrapes = size, self.scrapes + 1

    def count(self) -> None:
        """Counts a call of each template for each scrape, for ever."""
        for turn in itertools.count(1):
            time.sleep(INTERVAL)
            began = time.thread_time()
            self._state.add(answered(LABEL_SETS, 1, turn))
            self._counting += time.thread_time() - began

    @property
    def cpu(self) -> float:
        """CPU seconds so far, without those of counting."""
        return time.process_time() - self._counting


def serve(ours: Connection, kinds: Sequence[str], metrics: Metrics) -> None:
    """Tells its port, and at each message its CPU seconds, scrapes and bytes, until this process is ended."""
    collector = Collector(kinds, metrics)
    server = ScrapeServer(metrics, collector.rendered, Health(), Debug(DebugConfig(enabled=False)))
    server.start()
    threading.Thread(target=collector.count, daemon=True).start()
    ours.send(server.port)
    while ours.recv():
        ours.send((collector.cpu, collector.scrapes, collector.size))


def measured(kinds: Sequence[str], metrics: Metrics, features: Sequence[str], folder: Path) -> str:
    """A row of the table; kinds: of the families that are served."""
    theirs, ours = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(ours, kinds, metrics), daemon=True)
    process.start()
    configuration = {
        "global": {"scrape_interval": f"{INTERVAL * 1000:.0f}ms", "scrape_timeout": f"{INTERVAL * 1000:.0f}ms"},
        "scrape_configs": [{"job_name": "bench", "static_configs": [{"targets": [f"127.0.0.1:{theirs.recv()}"]}]}],
    }
    with servers.prometheus(configuration, folder, features=features) as prometheus:

        def after(scrapes: int) -> tuple[float, float, int, int]:
            while True:
                theirs.send("how far?")
                cpu, scraped, size = theirs.recv()
                if scraped >= scrapes:
                    own = rates.samples(read(f"{prometheus.url}/metrics"))
                    total = own["process_cpu_seconds_total"][0].value
                    return cpu, total, scraped, size
                time.sleep(INTERVAL / 5)

        ours_before, theirs_before, before, _ = after(FIRST_SCRAPES)
        ours_after, theirs_after, now, size = after(before + SCRAPES)
        series = rates.samples(read(f"{prometheus.url}/metrics"))["prometheus_tsdb_head_series"][0].value
        # A scrape that is not there in time is served, too, and costs the server nothing.
        up = json.loads(read(f"{prometheus.url}/api/v1/query?query=min_over_time(up[{SCRAPES}s])"))
        if up["data"]["result"][0]["value"][1] != "1":
            sys.exit("bench_scrape: this machine is too busy: scrapes took longer than the interval")
    process.kill()
    server_ms, own_ms = (
        (b - a) * 1e3 / (now - before) for a, b in ((theirs_before, theirs_after), (ours_before, ours_after))
    )
    return f"{server_ms:11.1f} {own_ms:9.1f} {size / 1e6:9.2f} {series:12,.0f}"


def main() -> None:
    print(f"{'1,000 histograms':30}{'server, ms':>11} {'ours, ms':>9} {'body, MB':>9} {'head series':>12}")
    both, alone = Metrics(address="127.0.0.1:0"), Metrics(address="127.0.0.1:0", classic_histograms=False)
    native = ["native-histograms"]
    for name, kinds, metrics, features in (
        ("native", ("histogram",), alone, native),
        ("native, classic beside", ("histogram",), both, native),
        ("the same, and 3,000 counters", ("histogram", "counter"), both, native),
        ("classic", ("histogram",), both, []),
    ):
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name:30}{measured(kinds, metrics, features, Path(folder))}", flush=True)
    print(f"CPU per scrape; the goal is {GOAL_MS} ms of the server for native histograms")


if __name__ == "__main__":
    main()
