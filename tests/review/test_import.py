"""`llmvitals review import` and a real collector: each grade counts, and once."""

import json
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmvitals import semconv
from llmvitals_collector.__main__ import main
from llmvitals_collector.review import TAIL, events, grades, importing, ledger

GOOD = {"helpfulness.answers": "yes", "helpfulness.honest": "n/a"}
BAD = {"helpfulness.answers": "no", "helpfulness.honest": "yes"}
HUMAN = {"source": semconv.SOURCE_HUMAN}
PATIENCE = 20  # seconds


@pytest.fixture
def sheet(tmp_path):
    return tmp_path / "sheet.csv"


@pytest.fixture
def graded(keep, item, export, fill, sheet):
    """A sheet of six answers that the judge lets pass, of which Ann lets four pass."""
    keep(*(item(number) for number in range(6)))
    assert export("--out", sheet) == 0
    wrong = {f"item-{item(number).id}" for number in (0, 1)}
    fill(sheet, lambda row: BAD if row["item"] in wrong else GOOD)
    return sheet


def bring(*arguments):
    return main(["review", "import", *map(str, arguments)])


def test_grades_are_counted_with_the_labels_of_their_calls(graded, url, counted):
    assert bring(graded, "--collector", url) == 0
    of_call = {"service_name": "shop", "template": "support", "template_version": "7", "dimension": "helpfulness"}
    results = {**of_call, **HUMAN, "release": "1.4.0", "set": semconv.LIVE}
    assert counted(semconv.QUALITY_RESULTS, **results, verdict=semconv.PASS) == 4
    assert counted(semconv.QUALITY_RESULTS, **results, verdict=semconv.FAIL) == 2
    assert counted(semconv.QUALITY_WEIGHT, **of_call, **HUMAN) == 6 * 20
    assert counted(semconv.QUALITY_BY_LANGUAGE, **HUMAN, language="en") == 6
    assert counted(semconv.QUALITY_BY_LATENCY, **HUMAN, latency_band="1-3s") == 6


def test_grades_and_the_judges_verdicts_on_the_same_answers_are_counted_as_pairs(graded, url, counted, rubric):
    assert bring(graded, "--collector", url) == 0
    of_judge = {"evaluator": "judge-1", "rubric": rubric.hash, "template": "support"}
    pairs = {human: counted(semconv.QUALITY_PAIRS, **of_judge, judge="pass", human=human) for human in semconv.DECIDED}
    assert pairs == {semconv.PASS: 4, semconv.FAIL: 2}
    sums = {moment: counted(semconv.QUALITY_PAIR_SUMS, **of_judge, moment=moment) for moment in ("n", "y", "f", "yf")}
    assert sums == pytest.approx({"n": 6, "y": 4 + 2 * 0.5, "f": 6 * 0.75, "yf": 5 * 0.75})


def test_an_answer_that_was_only_to_be_read_counts_for_nothing(keep, item, export, fill, sheet, url, counted):
    keep(item(1), *(item(number, why=TAIL, weight=0.0) for number in (2, 3)))
    export("--out", sheet)
    fill(sheet, lambda row: BAD)
    assert bring(sheet, "--collector", url) == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 1
    assert counted(semconv.QUALITY_PAIRS) == 1
    assert counted(semconv.QUALITY_WEIGHT, **HUMAN) == 20


def test_nothing_is_imported_twice(graded, url, counted, capsys):
    """Neither again, nor under another name, nor where the ledger is lost and only the collector knows."""
    assert bring(graded, "--collector", url) == 0
    assert bring(graded, "--collector", url) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("0 grades imported, 6 were imported before")
    again = graded.rename(graded.with_name("again.csv"))
    assert bring(again, again, "--collector", url) == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6
    (graded.parent / ledger.NAME).unlink()
    assert bring(again, "--collector", url) == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6


def test_the_second_graders_verdicts_are_compared_with_the_first_ones(graded, fill, url, counted, capsys):
    assert bring(graded, "--collector", url) == 0
    fill(graded, lambda row: GOOD, grader="Ben")
    assert bring(graded, "--collector", url) == 0
    verdicts = {first: counted(semconv.HUMAN_PAIRS, a=first, b=semconv.PASS) for first in semconv.DECIDED}
    assert verdicts == {semconv.PASS: 4, semconv.FAIL: 2}
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 12
    # An answer is one pair with the judge, however many people grade it.
    assert counted(semconv.QUALITY_PAIRS) == 6
    assert "two people agree on 4 of 6 answers (67%), kappa 0.00" in capsys.readouterr().out


def test_two_graders_may_come_in_one_import(graded, fill, url, counted):
    second = graded.with_name("second.csv")
    second.write_bytes(graded.read_bytes())
    fill(second, lambda row: BAD, grader="Ben")
    assert bring(graded, second, "--collector", url) == 0
    assert counted(semconv.HUMAN_PAIRS, a=semconv.FAIL, b=semconv.FAIL) == 2
    assert counted(semconv.HUMAN_PAIRS, a=semconv.PASS, b=semconv.FAIL) == 4


def test_nothing_of_a_sheet_with_a_mistake_is_imported_unless_that_is_wanted(graded, url, counted, capsys):
    text = graded.read_text("utf-8").replace(",n/a,", ",na,", 1)
    graded.write_text(text, "utf-8")
    [line] = [number for number, line in enumerate(text.splitlines(), 1) if ",na," in line]
    assert bring(graded, "--collector", url) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{graded}:{line}: helpfulness.honest: 'na' is no option; did you mean 'n/a'?",
        "llmvitals: 1 of 6 rows are wrong, and nothing is imported; correct them, or import the others with --partial",
    ]
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 0
    assert bring(graded, "--collector", url, "--partial") == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 5


def test_of_many_mistakes_the_first_are_told(graded, url, capsys):
    graded.write_text(graded.read_text("utf-8") + "x,y,t\n" * 30, "utf-8")
    assert bring(graded, "--collector", url) == 2
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[20]) == (22, "and 10 more")


def test_a_dry_run_checks_and_imports_nothing(graded, capsys):
    """It needs no collector, and leaves no file."""
    assert bring(graded, "--collector", "http://127.0.0.1:1", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("6 grades would be imported, 0 were imported before")
    assert not (graded.parent / ledger.NAME).exists()


def test_the_summary_says_how_well_judge_and_people_agree(
    keep, item, export, fill, sheet, directory, url, rubric, capsys
):
    """Over all imports; and that 50 answers are needed, which were drawn at random."""
    keep(*(item(number, judge_verdict=semconv.FAIL if number % 4 == 0 else semconv.PASS) for number in range(52)))
    wrong = {f"item-{item(number).id}" for number in range(0, 52, 4)}
    told = []
    for _ in range(2):
        assert export("--number", 49, "--grader", "Ann", "--out", sheet) == 0
        fill(sheet, lambda row: BAD if row["item"] in wrong else GOOD)
        assert bring(sheet, "--collector", url, "--from", directory) == 0
        told.append(capsys.readouterr().out.splitlines())
        sheet.unlink()
    of = f"helpfulness (rubric {rubric.hash}), judge judge-1: agrees with people on"
    assert told == [
        [
            "49 grades imported, 0 were imported before; 0 rows are not graded yet, 0 are wrong",
            f"{of} 49 of 49 answers (100%), kappa 1.00; uncalibrated: 1 more are needed, 50 in all",
        ],
        [
            "3 grades imported, 0 were imported before; 0 rows are not graded yet, 0 are wrong",
            f"{of} 52 of 52 answers (100%), kappa 1.00",
        ],
    ]


def test_a_collector_that_cannot_be_reached_is_told_and_the_rest_comes_with_the_next_import(
    graded, url, counted, capsys, monkeypatch
):
    monkeypatch.setattr(events, "_WAITS", (0.0, 0.0))
    assert bring(graded, "--collector", "http://127.0.0.1:1") == 1
    [told] = capsys.readouterr().err.splitlines()
    assert told.startswith("llmvitals: http://127.0.0.1:1 cannot be reached: ")
    assert told.endswith("0 of 6 grades are imported; import the same files again for the others")
    assert bring(graded, "--collector", url) == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6


@pytest.mark.parametrize("wrong", ["collector:4318", "ftp://collector", "http://user@collector"])
def test_an_address_that_is_none_is_told(graded, capsys, wrong):
    assert bring(graded, "--collector", wrong) == 2
    assert re.match("llmvitals: --collector: (is no URL|has a user)", capsys.readouterr().err)


def test_a_header_that_is_none_is_told_by_where_it_stands(graded, url, capsys, monkeypatch):
    monkeypatch.setenv(semconv.EXPORTER_HEADERS, "x y=1")
    assert bring(graded, "--collector", url) == 2
    assert capsys.readouterr().err.startswith(f"llmvitals: {semconv.EXPORTER_HEADERS}: 'x y' is no name of a header")


class Between(ThreadingHTTPServer):
    """Stands between the import and its collector: passes requests on, and what happens then is the test's."""

    daemon_threads = True

    def __init__(self, collector, then):
        super().__init__(("127.0.0.1", 0), _PassOn)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.collector, self.then = collector, then
        self.headers = []


class _PassOn(BaseHTTPRequestHandler):
    server: Between

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.headers.append(self.headers)
        names = ("Content-Type", "Content-Encoding")
        headers = {name: self.headers[name] for name in names if name in self.headers}
        with urllib.request.urlopen(urllib.request.Request(self.server.collector + self.path, body, headers)) as answer:
            status, content = answer.status, answer.read()
        status = self.server.then(status)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def between(url):
    """`between(then)` passes requests on to the collector; `then(status)` gives the status for the import."""
    servers = []

    def start(then):
        server = Between(url, then)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_kill_between_the_count_and_the_ledger_loses_nothing_and_counts_nothing_twice(
    graded, between, url, counted, capsys
):
    accepted, never = threading.Event(), threading.Event()

    def hang(status):
        accepted.set()
        never.wait(PATIENCE)
        return status

    server = between(hang)
    command = [sys.executable, "-m", "llmvitals_collector", "review", "import", str(graded), "--collector", server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert accepted.wait(PATIENCE)
        process.kill()
        process.communicate()
    never.set()
    assert process.returncode == -signal.SIGKILL
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6
    assert ledger.read(graded.parent / ledger.NAME) == []
    assert bring(graded, "--collector", url) == 0
    assert capsys.readouterr().out.splitlines()[-2].startswith("6 grades imported")
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6
    assert counted(semconv.QUALITY_PAIRS) == 6


def test_what_was_acknowledged_before_an_import_failed_is_not_sent_again(graded, between, counted, capsys, monkeypatch):
    monkeypatch.setattr(importing, "_AT_A_TIME", 2)
    statuses = iter([200, 400])
    server = between(lambda status: next(statuses, status))
    assert bring(graded, "--collector", server.url) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith("answers 400: ; 2 of 6 grades are imported; import the same files again for the others")
    assert bring(graded, "--collector", server.url) == 0
    assert capsys.readouterr().out.startswith("4 grades imported, 2 were imported before")
    assert len(server.headers) == 4
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6


def test_an_answer_that_was_lost_is_asked_for_again_and_counts_once(graded, between, counted, monkeypatch):
    """With the headers of the environment, which collectors may ask for."""
    monkeypatch.setattr(events, "_WAITS", (0.0, 0.0))
    monkeypatch.setenv(semconv.EXPORTER_HEADERS, "authorization=Bearer%20secret, x-team=support")
    statuses = iter([503, 429])
    server = between(lambda status: next(statuses, status))
    assert bring(graded, "--collector", server.url) == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN) == 6
    assert [(headers["Authorization"], headers["X-Team"]) for headers in server.headers] == [
        ("Bearer secret", "support")
    ] * 3


def test_json_lines_are_imported_like_csv(keep, item, export, tmp_path, url, counted):
    keep(item(1), item(2))
    sheet = tmp_path / "sheet.jsonl"
    export("--out", sheet)
    rows = [json.loads(line) for line in sheet.read_text("utf-8").splitlines()]
    for row in rows[:1]:
        row |= {name: "yes" for name in row if "." in name.partition(":")[0]} | {"notes": "fine"}
    sheet.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert bring(sheet, "--collector", url, "--grader", "Ann") == 0
    assert counted(semconv.QUALITY_RESULTS, **HUMAN, verdict=semconv.PASS) == 1
    [entry] = ledger.read(tmp_path / ledger.NAME)
    assert entry.grader == grades.pseudonym("Ann")
