"""The llmvitals command, as a person or a supervisor meets it."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from llmvitals import semconv
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
    # Who goes on, here the tests, and whoever it starts can still be stopped.
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


@pytest.mark.parametrize("given", ["0", "-1", "65", "1.5", "two", "²"])
def test_a_number_of_workers_that_cannot_be_is_said_with_those_that_can(capsys, given):
    with pytest.raises(SystemExit) as ended:
        main(["collect", "--workers", given])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(
        f"llmvitals collect: error: argument --workers: {given!r} is not a whole number from 1 to 64\n"
    )


def test_a_decoder_that_there_is_not_is_one_line_and_exit_code_2(monkeypatch):
    monkeypatch.setenv(semconv.DECODER, "fast")
    command = [sys.executable, "-m", "llmvitals_collector", "collect"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"llmvitals: {semconv.DECODER}: 'fast' is no decoder; valid are compiled and python\n"


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


@pytest.fixture
def running(file):
    """Start a collector with a configuration: its process, once it listens, and a queue of what it logs."""
    processes = []

    def start(text):
        file.write_text(text)
        command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(file)]
        processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return processes[-1], processes[-1].stderr.readline()

    yield start
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_sighup_takes_over_what_it_can_and_names_what_takes_a_restart(running, file):
    process, started = running(FREE % 0)
    traces = "http://" + re.search(r"OTLP/HTTP on (\S+),", started)[1] + "/v1/traces"
    post = urllib.request.Request(traces, b"", {"content-type": "application/x-protobuf"})
    urllib.request.urlopen(post).close()
    file.write_text(
        """
        receivers:
            grpc: {address: "127.0.0.1:1"}
            http: {address: "127.0.0.1:0", auth: {bearer_tokens: [correct-horse-battery]}}
        metrics: {address: "127.0.0.1:0"}
        """
    )
    process.send_signal(signal.SIGHUP)
    assert process.stderr.readline().endswith("the configuration was read again\n")
    assert process.stderr.readline().endswith("receivers.grpc.address: takes a restart, and stays as it was\n")
    with pytest.raises(urllib.error.HTTPError, match="401") as raised:
        urllib.request.urlopen(post)
    raised.value.close()


def test_the_log_is_the_collectors_own_and_not_that_of_the_judges_client(running, spans):
    """Which tells of every request with its address."""
    message = [{"role": "user", "parts": [{"type": "text", "content": "Hello?"}]}]
    said = dict.fromkeys((semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES), json.dumps(message))
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as judge:  # answers every request with 501
        asked = threading.Thread(target=judge.handle_request)
        asked.start()
        endpoint = f"http://127.0.0.1:{judge.server_port}"
        asking = f"{{model: m, api_key: k, base_url: '{endpoint}', rubrics: [safety], timeout_seconds: 1}}"
        process, started = running(FREE % 0 + f"evaluation: {{judge: {asking}, sampling: {{share: 1}}}}")
        traces = "http://" + re.search(r"OTLP/HTTP on (\S+),", started)[1] + "/v1/traces"
        body, form = spans(said).SerializeToString(), {"content-type": "application/x-protobuf"}
        urllib.request.urlopen(urllib.request.Request(traces, body, form)).close()
        urllib.request.urlopen(started.split()[-1]).close()  # which has it counted, and then judged
        asked.join(20)
        assert not asked.is_alive()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert "HTTP Request" not in log


def test_sighup_with_a_mistake_in_the_file_changes_nothing_and_says_so(running, file):
    process, started = running(FREE % 0)
    file.write_text("receivers: {grpc: {adress: x}}")
    process.send_signal(signal.SIGHUP)
    assert process.stderr.readline().endswith(
        "receivers.grpc.adress: unknown key; did you mean 'address'?; the configuration stays as it was\n"
    )
    with urllib.request.urlopen(started.split()[-1]) as answer:
        assert answer.status == 200


def test_config_prints_a_file_to_begin_with(file, capsys):
    assert main(["config"]) == 0
    file.write_text(capsys.readouterr().out)
    assert main(["check", str(file)]) == 0


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
