"""The programs of the demo, and how each is told where the others are."""

import os
import sys
from pathlib import Path

import yaml

from llmvitals_collector import assets
from llmvitals_collector.demo import servers
from llmvitals_collector.demo.children import Child, loopback_port


def collector(folder: Path, otlp_port: int, metrics_port: int) -> Child:
    """The collector; its url is where its metrics are."""
    metrics_port = loopback_port(metrics_port, "--metrics-port")
    configuration = {
        "receivers": {
            "grpc": {"address": f"127.0.0.1:{loopback_port(0, '')}"},
            "http": {"address": f"127.0.0.1:{otlp_port}"},
        },
        "metrics": {"address": f"127.0.0.1:{metrics_port}"},
    }
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump(configuration))
    command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(path)]
    return Child("The collector", command, url=f"http://127.0.0.1:{metrics_port}")


def provider(seed: int) -> Child:
    """The provider of all models."""
    port = loopback_port(0, "")
    command = [sys.executable, "-m", "llmvitals_collector.demo.scenario", str(port), str(seed)]
    return Child("The provider", command, url=f"http://127.0.0.1:{port}")


def app(rate: float, seed: int, provider_url: str, otlp_port: int) -> Child:
    """The app and its users."""
    # Configured by the standard variables alone: nobody's own keys, endpoints and samplers get in.
    foreign = ("OTEL_", "OPENAI_", "ANTHROPIC_", "LLMVITALS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "OPENAI_BASE_URL": f"{provider_url}/v1",
        "OPENAI_API_KEY": "any",
        "ANTHROPIC_BASE_URL": provider_url,
        "ANTHROPIC_API_KEY": "any",
        "NO_PROXY": "127.0.0.1",
        "OTEL_SERVICE_NAME": "support-desk",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{otlp_port}",
        # Not five seconds and one, as is usual: here someone is looking on.
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
    }
    command = [sys.executable, "-m", "llmvitals_collector.demo.traffic", str(rate), str(seed)]
    return Child("The app", command, environment=environment)


def prometheus(folder: Path, port: int, collector_url: str) -> Child:
    """A Prometheus that scrapes the collector and evaluates the shipped rules."""
    rules = assets.prometheus_rules()
    target = collector_url.removeprefix("http://")
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "5s"},
        "rule_files": [str(rules / "*.rules.yml"), str(rules / "*.alerts.yml")],
        # The rules know the collector by this job name.
        "scrape_configs": [{"job_name": "llm-collector", "static_configs": [{"targets": [target]}]}],
    }
    return servers.prometheus(configuration, folder, port)
