"""What is in the wheel: both packages, and the rules and boards that the collector's commands use."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> list[str]:
    """The names of the files in a wheel that is built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_both_packages_are_whole(wheel):
    for package in (ROOT / "sdk" / "llmvitals", ROOT / "collector_processors" / "llmvitals_collector"):
        files = [path for path in package.rglob("*") if path.suffix in (".py", ".js") or path.name == "py.typed"]
        assert not {str(path.relative_to(package.parent)) for path in files} - set(wheel)


@pytest.mark.parametrize(
    "asset",
    [
        "prometheus_rules/slo.rules.yml",
        "prometheus_rules/alertmanager/slack.tmpl",
        "grafana_dashboards/llm-latency.json",
    ],
)
def test_the_rules_and_boards_are_inside(wheel, asset):
    assert f"llmvitals_collector/_assets/{asset}" in wheel
