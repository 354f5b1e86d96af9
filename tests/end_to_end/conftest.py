"""The whole path on real parts: app, collector, Prometheus with the shipped rules, Alertmanager, a loopback Slack."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo_prometheus import faster
from llmvitals_collector.demo import servers
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.children import Child, loopback_port
from llmvitals_collector.demo.provider import Provider

RULES = Path(__file__).parents[2] / "prometheus_rules"
PATIENCE = 60  # seconds that a wait may take
# The shipped rules speak of minutes, hours and days. For a test their time is made to run 60 times as
# fast; their real windows are tested in prometheus_rules/tests.
TIMES = 60
LEAST_WINDOW = 5  # seconds, in which there are several scrapes


class App:
    """The shop, in a process of its own, sending to the collector."""

    def __init__(self, otlp: str, provider: str) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LLMVITALS_"))},
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            "OPENAI_BASE_URL": f"{provider}/v1",
            "OPENAI_API_KEY": "any",
            "ANTHROPIC_BASE_URL": provider,
            "ANTHROPIC_API_KEY": "any",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("shop.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def call(self, what: str, template: str, count: int) -> list[tuple[float, float]]:
        """Make so many calls, several at a time, and wait for their ends.

        Returns what the app's users saw of its streams: the seconds to the first word, and to the end.
        """
        self._process.stdin.write(f"{what} {template} {count}\n")
        self._process.stdin.flush()
        return [(first, end) for first, end in json.loads(self._process.stdout.readline())]

    def stop(self) -> None:
        self._process.stdin.close()
        assert self._process.wait(PATIENCE) == 0
        self._process.stdout.close()


class WholePath:
    """What the tests speak to: the provider's behaviour, the app, the collector's metrics, Prometheus."""

    def __init__(self, provider: Provider, app: App, collector: Child, prometheus: Child, behave: dict) -> None:
        self.provider = provider
        self.app = app
        self.metrics = f"{collector.url}/metrics"
        self._behave = behave
        self._prometheus = prometheus.url

    def behave(self, behave: Callable[[], Behaviour]) -> None:
        """What the provider does with each call from now on."""
        self._behave["now"] = behave

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query, as Prometheus' API gives it."""
        encoded = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self._prometheus}/api/v1/query?{encoded}", timeout=PATIENCE) as answer:
            return json.load(answer)["data"]["result"]

    def value(self, expression: str) -> float:
        """The value of an expression that has one; NaN where it has none."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else float("nan")

    def until(self, expression: str, patience: float = PATIENCE) -> list[dict[str, Any]]:
        """Wait until a query has a result."""
        deadline = time.monotonic() + patience
        while not (result := self.query(expression)):
            assert time.monotonic() < deadline, f"still empty: {expression}"
            time.sleep(0.2)
        return result


@pytest.fixture(scope="session")
def path(program, slack, alertmanager_configuration, tmp_path_factory) -> Iterator[WholePath]:
    program("prometheus")
    program("prometheus-alertmanager", "alertmanager")
    folder = tmp_path_factory.mktemp("path")
    behave = {"now": Behaviour}
    ports = {name: loopback_port(0, name) for name in ("grpc", "http", "metrics")}
    collector_configuration = folder / "collector.yml"
    collector_configuration.write_text(
        yaml.safe_dump(
            {
                "receivers": {name: {"address": f"127.0.0.1:{ports[name]}"} for name in ("grpc", "http")},
                "metrics": {"address": f"127.0.0.1:{ports['metrics']}"},
            }
        )
    )
    collector = Child(
        "the collector",
        [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(collector_configuration)],
        url=f"http://127.0.0.1:{ports['metrics']}",
    )
    with collector, Provider(lambda _: behave["now"]()) as provider:
        collector.wait_until_ready("/healthz")
        with servers.alertmanager(alertmanager_configuration(folder), folder) as alertmanager:
            rules = prometheus_configuration(folder, ports["metrics"], alertmanager.url)
            with servers.prometheus(rules, folder) as prometheus:
                app = App(f"http://127.0.0.1:{ports['http']}", provider.url)
                yield WholePath(provider, app, collector, prometheus, behave)
                app.stop()


def prometheus_configuration(folder: Path, metrics_port: int, alertmanager: str) -> dict[str, Any]:
    """The shipped configuration: only addresses and times are the test's own."""
    for file in RULES.glob("*.*.yml"):
        (folder / file.name).write_text(faster(file.read_text(), TIMES, LEAST_WINDOW))
    configuration = yaml.safe_load((RULES / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(folder / pattern) for pattern in configuration["rule_files"]]
    configuration["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{metrics_port}"]}]
    configuration["alerting"]["alertmanagers"][0]["static_configs"] = [
        {"targets": [alertmanager.removeprefix("http://")]}
    ]
    return configuration
