"""`llmvitals demo`, run as its users run it."""

import json
import re
import signal
import socket
import subprocess
import sys

import pytest

from llmvitals_collector.__main__ import main

COMMAND = [sys.executable, "-m", "llmvitals_collector", "demo"]
KEYS = {
    "calls",
    "duration_p95_seconds",
    "time_to_first_token_p95_seconds",
    "output_tokens_per_second_p50",
    "errors",
    "cache_hits",
}
TEMPLATES = {
    *("draft-letter", "search-articles", "sort-question"),
    *("summarize-ticket", "support-answer", "translate-answer"),
}


@pytest.fixture
def running():
    """A demo that has said where its metrics are, and their port."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        line = demo.stdout.readline()
        yield demo, int(re.fullmatch(r"The collector's metrics: http://127\.0\.0\.1:(\d+)/metrics\n", line)[1])
        demo.kill()


@pytest.fixture(scope="module")
def table():
    """What `--json` prints after few seconds, at a rate at which people have graded 50 answers of each version."""
    demo = subprocess.run(
        [*COMMAND, "--json", "--seconds", "12", "--rate", "25"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert demo.returncode == 0, demo.stderr
    assert "\x1b" not in demo.stderr, "control codes are for terminals"
    return json.loads(demo.stdout)


def test_the_json_table_has_every_call_that_the_app_made_and_no_other(table):
    templates = table["templates"]
    assert table["calls_made"] > 100
    assert sum(row["calls"] for row in templates.values()) == table["calls_made"]
    assert templates.keys() == TEMPLATES, "what the judge is asked is no call of the app"
    assert all(row.keys() >= KEYS for row in templates.values())
    assert templates["support-answer"]["time_to_first_token_p95_seconds"] > 0
    assert templates["sort-question"]["time_to_first_token_p95_seconds"] is None


def test_it_has_the_quality_of_each_template_and_version_as_the_judge_corrected_by_people_has_it(table):
    quality = table["templates"]["support-answer"]["quality"]
    helpfulness = quality["helpfulness"]
    assert helpfulness["source"] == "corrected"
    assert 0 < helpfulness["low"] < helpfulness["rate"] < helpfulness["high"] < 1
    versions = helpfulness["versions"]
    assert versions["4"]["rate"] < versions["3"]["rate"] - 0.1
    assert quality["faithfulness"]["n"] > 50
    assert quality["language_match"]["source"] == "heuristic"
    assert "format_valid" in table["templates"]["sort-question"]["quality"]


def test_it_has_what_users_pressed_how_answers_failed_and_what_became_of_tasks(table):
    support = table["templates"]["support-answer"]
    assert support["feedback"].keys() >= {"thumb_up", "thumb_down", "copy"}
    assert support["feedback"]["thumb_up"] == support["thumbs_up"]
    assert support["failures"].keys() >= {"incomplete", "irrelevant"}
    assert table["tasks"]["answer-question"]["completed"] > table["tasks"]["answer-question"]["failed"] > 0


@pytest.mark.long
@pytest.mark.servers
def test_a_template_that_breaks_is_a_message_in_slack_by_the_shipped_rules_within_five_minutes(program):
    program("prometheus")
    program("prometheus-alertmanager", "alertmanager")
    breaking = ["--alertmanager", "--break", "support-answer=errors", "--break-after", "30", "--seconds", "330"]
    demo = subprocess.run([*COMMAND, *breaking], capture_output=True, text=True, check=False, timeout=480)
    assert demo.returncode == 0, demo.stderr
    assert "From now on every call of support-answer fails with status 500." in demo.stdout
    lines = demo.stdout.splitlines()
    place = lines.index("[CRITICAL] LLMSLOBurnRateCritical · claude-sonnet-4-5")
    assert lines[place - 1] == "Slack, #oncall"
    assert re.match(r"availability of claude-sonnet-4-5: \d\d.*% of calls are bad", lines[place + 1])
    page = re.search("The page: (.*)/$", demo.stdout, re.MULTILINE)[1]
    assert f"Runbook: {page}/runbooks/LLMSLOBurnRateCritical.md" in lines[place:]
    assert f"Dashboard: {page}/d/llm-latency?var-model=claude-sonnet-4-5" in lines[place:]
    titles = [line for line in lines if line.startswith("[CRITICAL")]
    assert set(titles) == {lines[place]}, "nobody is called for what is not broken"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_by_a_signal_without_a_word_and_leaves_nothing_behind(running, number):
    demo, port = running
    demo.send_signal(number)
    _, errors = demo.communicate(timeout=60)
    assert (demo.returncode, errors) == (0, "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_its_collector_goes_when_it_is_killed(running):
    demo, port = running
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        demo.kill()
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("option", "needed"),
    [("--break-after", "--break"), ("--alertmanager-port", "--alertmanager"), ("--prometheus-port", "--prometheus")],
)
def test_an_option_that_has_no_effect_is_refused(option, needed, capsys, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(["demo", option, "9000"]) == 1
    assert capsys.readouterr().err == f"llmvitals demo: {option} has no effect without {needed}\n"


def test_what_would_only_break_after_the_end_is_one_sentence():
    command = [*COMMAND, "--seconds", "30", "--break", "support-answer"]
    demo = subprocess.run(command, capture_output=True, text=True, check=False)
    assert demo.returncode == 1
    sentence = "it ends after 30 seconds, before anything is broken; choose a lower --break-after"
    assert demo.stderr == f"llmvitals demo: {sentence}\n"


def test_a_port_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        demo = subprocess.run([*COMMAND, "--metrics-port", port], capture_output=True, text=True, check=False)
    assert demo.returncode == 1
    sentence = rf"llmvitals demo: port {port} cannot be had .*; choose another with --metrics-port\n"
    assert re.fullmatch(sentence, demo.stderr)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rate", "0"], "--rate: '0' is not a number above 0, such as 8 or 0.5"),
        (["--seconds", "soon"], "--seconds: 'soon' is not a number above 0"),
        (["--otlp-port", "99999"], "--otlp-port: '99999' is not a port, from 1 to 65535"),
        (["--break", "suport-answer"], "--break: there is no template 'suport-answer'; did you mean 'support-answer'?"),
        (["--break-after", "-1"], "--break-after: '-1' is not a number above 0"),
    ],
)
def test_a_bad_option_is_one_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["demo", *arguments])
    assert raised.value.code == 2
    assert sentence in capsys.readouterr().err
