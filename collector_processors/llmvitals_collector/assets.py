"""Where the rules and dashboards lie that ship with the collector."""

from pathlib import Path


def prometheus_rules() -> Path:
    """The folder of the Prometheus rules and the Alertmanager configuration."""
    return _shipped("prometheus_rules")


def grafana_dashboards() -> Path:
    """The folder of the Grafana dashboards."""
    return _shipped("grafana_dashboards")


def _shipped(folder: str) -> Path:
    package = Path(__file__).parent
    in_wheel = package / "_assets" / folder
    # An editable installation has no copy of them: there the checkout's own folder is the one.
    return in_wheel if in_wheel.is_dir() else package.parents[1] / folder
