"""Alertmanager's shipped configuration, set up in a folder as a user does it: templates, secrets, addresses."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from llmvitals_collector import assets

_SECRETS = "/etc/alertmanager"  # where the shipped configuration has them


def configuration(folder: Path, webhook: Callable[[str], str], group_wait: str, group_interval: str) -> dict[str, Any]:
    """The shipped configuration; its templates and secrets are put into the folder, where it is to be, too.

    webhook: from the name of a secret, such as "slack_oncall", to the address of a Slack webhook.
    group_wait, group_interval: how long every group waits, such as "5s".
    """
    shipped = assets.prometheus_rules() / "alertmanager"
    for template in shipped.glob("*.tmpl"):
        shutil.copy(template, folder)
    text = (shipped / "alertmanager.yml").read_text()
    for secret in set(re.findall(rf"{_SECRETS}/(\w+)", text)):
        (folder / secret).write_text(f"{webhook(secret)}\n")
    configured: dict[str, Any] = yaml.safe_load(text.replace(_SECRETS, str(folder)))
    for route in _routes(configured["route"]):
        route |= {"group_wait": group_wait, "group_interval": group_interval}
    return configured


def leading_to(page: str, folder: Path) -> None:
    """Lets the links of messages lead to a collector's page and runbooks; page: its address, without a path."""
    # The page takes the addresses of boards, too.
    addresses = ("llm.grafana.address", "llm.runbooks.address")
    (folder / "addresses.tmpl").write_text(
        "".join(f'{{{{ define "{each}" }}}}{page}{{{{ end }}}}\n' for each in addresses)
    )


def _routes(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield route
    for inner in route.get("routes", ()):
        yield from _routes(inner)
