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


def run(folder, **environment):
    """What the example's app prints, and the spans and events that it would send."""
    finished = subprocess.run(
        [sys.executable, EXAMPLES / folder / "app.py"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OTEL_TRACES_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "console", **environment},
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_the_smallest_app_answers_and_is_measured():
    with Provider(Behaviour()) as provider:
        printed = run("instrument_an_app", OPENAI_BASE_URL=f"{provider.url}/v1", OPENAI_API_KEY="any")
    assert printed.startswith("Thank you for asking.")
    assert '"name": "chat gpt-5-mini"' in printed
    assert '"gen_ai.prompt.name": "support-answer"' in printed
    assert '"gen_ai.evaluation.score.label": "thumb_up"' in printed


def test_a_model_of_one_s_own_is_measured_with_its_cache_and_its_task():
    printed = run("observe_your_own_model")
    assert printed.startswith("A refund is paid within 5 days")
    assert printed.count('"name": "task answer-question"') == 3
    assert printed.count('"name": "chat manual-reader-1"') == 2, "the second question is answered from the cache"
    assert '"llmvitals.cache.saved.output_tokens": 13' in printed
    assert '"llmvitals.task.failure_mode": "no_answer"' in printed


@pytest.mark.parametrize("folder", ["collector_in_a_container", "feedback_page"])
def test_the_collector_s_configuration_is_valid(capsys, folder):
    assert main(["check", str(EXAMPLES / folder / "collector.yml")]) == 0
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
