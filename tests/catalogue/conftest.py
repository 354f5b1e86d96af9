"""Catalogues of a user's own."""

import os
import subprocess
from pathlib import Path

import pytest

from llmvitals_collector.catalogue import catalogue

SUPPORT_AND_SALES = """
owners: {quality: product}
links:
  grafana: https://grafana.shop.example
  runbooks: "${env:WIKI:-https://wiki.shop.example/llm}"
  dead_mans_switch: https://switch.shop.example/llm
objectives:
  first_token: {objective: 0.9, threshold_seconds: 1.5}
  duration: {threshold_seconds: 30}
budgets: {all: 900, shop: 250.5}
thresholds: {cost_factor: 2}
alerts:
  LLMSLOBurnRateWarning: {enabled: false}
  LLMCollectorDown: {owner: web-platform, for: 10m}
  LLMSeriesLimitReached: {for: 1h, severity: info}
features:
  support:
    says: Answers to customers
    owner: support-quality
    runbook: pages/support.md
    templates: [support-*, 'faq.v1 (old)']
    share: 0.2
    metrics:
      helpfulness: {says: Answers that help, floor: 0.85, target: 0.92, window: 1d, min_n: 200, respond_within: 4h}
      tone: {says: Friendly answers, floor: 0.9, target: 0.95, owner: brand, runbook: https://wiki.shop.example/tone}
      safety: {says: Answers that harm nobody, floor: 0.98, target: 1, severity: critical, rollback: 'flag "old"'}
  any:
    says: All the others
    owner: product
    runbook: runbooks/LLMQualityBelowFloor.md
    templates: ['*']
    metrics:
      helpfulness: {says: Answers that help, floor: 0.7, target: 0.8}
      relevance: {says: To the point, floor: 0.7, target: 0.8}
      privacy: {says: Answers that tell nothing of others, floor: 0.98, target: 1}
"""


@pytest.fixture
def written(tmp_path):
    """`written(text)` is the path of a catalogue that says this, and that has a runbook beside it."""

    def write(text: str) -> Path:
        (tmp_path / "pages").mkdir(exist_ok=True)
        (tmp_path / "pages" / "support.md").write_text("# When support answers badly\n")
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def own(written):
    """The path of a catalogue with two features, and alerts, owners and objectives that differ."""
    return written(SUPPORT_AND_SALES)


@pytest.fixture
def read(written):
    """`read(text)` is the catalogue that says this."""
    return lambda text: catalogue.read(written(text), {})


@pytest.fixture(scope="session")
def run():
    """`run(program, ...)` gives what a program prints; a failure shows it."""

    def command(*arguments: str | os.PathLike[str], cwd: Path | None = None) -> str:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return command
