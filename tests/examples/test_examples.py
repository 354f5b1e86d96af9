"""Every example does what its README says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmvitals_collector import config
from llmvitals_collector.__main__ import main
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_smallest_app_answers_and_is_measured():
    with Provider(Behaviour()) as provider:
        environment = {
            **os.environ,
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "OPENAI_API_KEY": "any",
            "OTEL_TRACES_EXPORTER": "console",
            "OTEL_LOGS_EXPORTER": "console",
        }
        finished = subprocess.run(
            [sys.executable, EXAMPLES / "instrument_an_app" / "app.py"],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
        )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("Thank you for asking.")
    assert '"name": "chat gpt-5-mini"' in finished.stdout
    assert '"gen_ai.prompt.name": "support-answer"' in finished.stdout
    assert '"gen_ai.evaluation.score.label": "thumb_up"' in finished.stdout


def test_the_collector_s_configuration_is_valid(capsys):
    assert main(["check", str(EXAMPLES / "collector_in_a_container" / "collector.yml")]) == 0
    assert capsys.readouterr().out.endswith("collector.yml: valid\n")


def test_the_collector_s_configuration_takes_the_environment():
    path = EXAMPLES / "collector_in_a_container" / "collector.yml"
    loaded = config.load(path, {"METRICS_PORT": "9999", "SLOW_ANSWER_SECONDS": "30"})
    assert loaded.metrics.address == "0.0.0.0:9999"
    assert loaded.processors.slo.duration.threshold_seconds == 30
    assert loaded.receivers.http.address == "0.0.0.0:4318"


@pytest.mark.parametrize("folder", [path for path in EXAMPLES.iterdir() if path.is_dir()], ids=lambda path: path.name)
def test_every_example_is_in_the_list_and_tells_its_command(folder):
    assert f"({folder.name})" in (EXAMPLES / "README.md").read_text()
    assert "```console\n$ " in (folder / "README.md").read_text()
