"""A running Alertmanager with the shipped configuration, and a way to fire alerts as Prometheus would."""

import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import pytest

from llmvitals_collector.demo import servers

# Waits for what shall happen are this long at most, in seconds.
PATIENCE = 20
GENERATOR = "http://prometheus.example/graph?g0.expr=up&g0.tab=1"


class Alertmanager:
    """A running Alertmanager: fire and resolve alerts as Prometheus would."""

    def __init__(self, url: str, rules: dict[str, dict]) -> None:
        self.url = url
        self.rules = rules
        self._numbers = itertools.count()  # two summaries are never the same

    def fire(self, alert: str, annotations: Mapping[str, str] = {}, **labels: str) -> dict:
        """Fire an alert of our rules with their labels and the given ones; what it returns can be resolved.

        It starts now: one older than group_wait is sent at once, before an inhibiting alert is seen.
        """
        rule = self.rules[alert]
        fired = {
            "labels": {"alertname": alert, **rule["labels"], **labels},
            "annotations": {
                **rule["annotations"],
                "summary": f"summary {next(self._numbers)} of {alert}",
                "description": f"description of {alert}",
                "dashboard_url": "/d/board?var-x=1",
                **annotations,
            },
            "generatorURL": GENERATOR,
            "startsAt": datetime.now(UTC).isoformat(),
        }
        self._post(fired)
        return fired

    def resolve(self, *fired: dict) -> None:
        self._post(*({**alert, "endsAt": datetime.now(UTC).isoformat()} for alert in fired))

    def wait_until_held_back(self, fired: dict) -> None:
        """Wait until another alert inhibits this one."""

        def held_back() -> bool:
            with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=PATIENCE) as answer:
                alerts = json.load(answer)
            return any(alert["labels"] == fired["labels"] and alert["status"]["inhibitedBy"] for alert in alerts)

        _until(held_back, f"{fired['labels']} is held back")

    def _post(self, *alerts: dict) -> None:
        body = json.dumps(alerts).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=PATIENCE).close()


def _until(condition: Callable[[], bool], what: str) -> None:
    """Poll until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def alertmanager(program, rule_groups, alertmanager_configuration, tmp_path_factory) -> Iterator[Alertmanager]:
    program("prometheus-alertmanager", "alertmanager")
    folder = tmp_path_factory.mktemp("alertmanager")
    with servers.alertmanager(alertmanager_configuration(folder), folder) as running:
        rules = {rule["alert"]: rule for group in rule_groups for rule in group["rules"] if "alert" in rule}
        yield Alertmanager(running.url, rules)
