"""The programs of the demo, and how each is told where the others are."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from llmvitals import semconv
from llmvitals_collector import assets
from llmvitals_collector.demo import alerting, desk, servers
from llmvitals_collector.demo.children import Child, loopback_port
from llmvitals_collector.demo.grading import JUDGE, RUBRICS

REVIEW = "review"
ORDER = "order"
# The price of a prompt below 200,000 tokens, as all are here: the shipped list has no price that depends on the length.
_SONNET = {
    "input": 3,
    "output": 15,
    "cache_read": 0.3,
    "cache_write": 3.75,
    "date": "2026-11-21",
    "source": "https://platform.claude.com/docs/en/about-claude/pricing",
}
_DIRECT = {"NO_PROXY": "127.0.0.1"}


def collector(
    folder: Path, otlp_port: int, metrics_port: int, provider_url: str, handle_key: str, **sections: Any
) -> Child:
    """The collector; its url is where its metrics are. What people are to grade is in `folder / REVIEW`.

    sections: others of its configuration, such as `storage`.
    """
    metrics_port = loopback_port(metrics_port, "--metrics-port")
    configuration = {
        "receivers": {
            "grpc": {"address": f"127.0.0.1:{loopback_port(0, '')}"},
            "http": {"address": f"127.0.0.1:{otlp_port}"},
            # All users are on this host.
            "feedback": {"client_requests_per_minute": 100_000, "cors": {"allowed_origins": [desk.PAGE]}},
        },
        "metrics": {"address": f"127.0.0.1:{metrics_port}"},
        "processors": {"price": {"models": {"claude-sonnet-4-5": _SONNET}}},
        # Where thousands are answered each day, a share of 0.02 is enough. Here all are judged, and most are graded.
        "evaluation": {
            "judge": {
                "model": JUDGE,
                "base_url": f"{provider_url}/v1",
                "api_key": "any",
                "rubrics": list(RUBRICS),
                # Nobody's: it is the demo's own.
                "price": {"input": 0.25, "output": 2},
                "budget": {"usd_per_day": 50},
            },
            "sampling": {"share": 1.0},
            "review": {"directory": str(folder / REVIEW), "share": 0.8},
        },
    }
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump({**configuration, **sections}))
    command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(path)]
    url = f"http://127.0.0.1:{metrics_port}"
    return Child("The collector", command, url, {**os.environ, **_DIRECT, semconv.HANDLE_KEY: handle_key})


def provider(folder: Path, seed: int) -> Child:
    """The provider of all models; what is to be broken is written to `folder / ORDER`."""
    port = loopback_port(0, "")
    arguments = [str(port), str(seed), str(folder / ORDER)]
    command = [sys.executable, "-m", "llmvitals_collector.demo.scenario", *arguments]
    return Child("The provider", command, url=f"http://127.0.0.1:{port}")


def app(rate: float, seed: int, provider_url: str, otlp_port: int, handle_key: str) -> Child:
    """The app and its users."""
    collector_url = f"http://127.0.0.1:{otlp_port}"
    # Configured by the standard variables alone: nobody's own keys, endpoints and samplers get in.
    foreign = ("OTEL_", "OPENAI_", "ANTHROPIC_", "LLMVITALS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "OPENAI_BASE_URL": f"{provider_url}/v1",
        "OPENAI_API_KEY": "any",
        "ANTHROPIC_BASE_URL": provider_url,
        "ANTHROPIC_API_KEY": "any",
        **_DIRECT,
        semconv.HANDLE_KEY: handle_key,
        "OTEL_SERVICE_NAME": "support-desk",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
        # Not five seconds and one, as is usual: here someone is looking on.
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
    }
    command = [sys.executable, "-m", "llmvitals_collector.demo.traffic", str(rate), str(seed), collector_url]
    return Child("The app", command, environment=environment)


def readers(folder: Path, otlp_port: int) -> Child:
    """The people who grade answers."""
    arguments = [str(folder / REVIEW), f"http://127.0.0.1:{otlp_port}"]
    command = [sys.executable, "-m", "llmvitals_collector.demo.readers", *arguments]
    return Child("The readers", command, environment={**os.environ, **_DIRECT})


def alertmanager(folder: Path, port: int, page: str, webhook: Callable[[str], str]) -> Child:
    """An Alertmanager with the shipped configuration, whose messages lead to the page.

    webhook: from the name of a secret, such as "slack_oncall", to the address of a Slack webhook.
    """
    # Not minutes, as is usual: here someone is waiting.
    configuration = alerting.configuration(folder, webhook, group_wait="2s", group_interval="10s")
    alerting.leading_to(page, folder)
    # Nobody would hear it.
    next(each for each in configuration["receivers"] if "webhook_configs" in each).pop("webhook_configs")
    return servers.alertmanager(configuration, folder, port)


def prometheus(folder: Path, port: int, collector_url: str, alertmanager_url: str = "") -> Child:
    """A Prometheus that scrapes the collector, has the shipped rules, and tells the Alertmanager, if there is one."""
    rules = assets.prometheus_rules()
    port = loopback_port(port, "--prometheus-port")
    configuration = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "5s"},
        "rule_files": [str(rules / "*.rules.yml"), str(rules / "*.alerts.yml")],
        "scrape_configs": [
            {"job_name": "llm-collector", **_targets(collector_url)},  # by this name the rules know it
            {"job_name": "prometheus", **_targets(f"127.0.0.1:{port}")},
        ],
    }
    if alertmanager_url:
        configuration["alerting"] = {"alertmanagers": [_targets(alertmanager_url)]}
    return servers.prometheus(configuration, folder, port)


def _targets(url: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [url.removeprefix("http://")]}]}
