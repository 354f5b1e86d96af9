"""The llmvitals command, as a person or a supervisor meets it."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from llmvitals_collector import assets
from llmvitals_collector.__main__ import main

FREE = """
receivers: {grpc: {address: "127.0.0.1:0"}, http: {address: "127.0.0.1:0"}}
metrics: {address: "127.0.0.1:%d"}
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "collector.yaml"


def test_a_valid_file_is_called_valid(file, capsys):
    file.write_text("limits: {label_sets: 5}")
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr() == (f"{file}: valid\n", "")


@pytest.mark.parametrize("command", [["check"], ["collect", "--config"]])
def test_a_mistake_in_the_file_is_one_line_and_exit_code_2(file, capsys, command):
    file.write_text("receivers: {grpc: {adress: x}}")
    assert main([*command, str(file)]) == 2
    sentence = f"llmvitals: {file}: receivers.grpc.adress: unknown key; did you mean 'address'?\n"
    assert capsys.readouterr() == ("", sentence)


def test_a_port_in_use_is_one_line_and_exit_code_1(file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(FREE % port)
        command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(file)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"llmvitals: cannot listen on 127.0.0.1:{port}, which is in use or no address of this host; "
        "metrics.address sets another one\n"
    )


@pytest.mark.parametrize("stopping", [signal.SIGTERM, signal.SIGINT])
def test_the_collector_runs_until_it_is_told_to_stop(file, stopping):
    file.write_text(FREE % 0)
    command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        started = process.stderr.readline()
        metrics = started.split()[-1]
        with urllib.request.urlopen(metrics) as answer:
            assert b"llm_collector_build_info" in answer.read()
        process.send_signal(stopping)
        _, rest = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")


def test_without_the_extra_the_command_says_how_to_get_it():
    missing = "import sys; sys.modules['numpy'] = None; from llmvitals_collector.__main__ import main; "
    command = [sys.executable, "-c", f"{missing} sys.exit(main(['collect']))"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "llmvitals: this needs the collector, of which numpy is missing: pip install 'llmvitals[collector]'\n"
    )


def test_the_rules_and_dashboards_of_a_checkout_are_found():
    root = Path(__file__).parents[2]
    assert assets.prometheus_rules() == root / "prometheus_rules"
    assert assets.grafana_dashboards() == root / "grafana_dashboards"
