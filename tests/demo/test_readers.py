"""The demo's readers answer the questions of a sheet as `llmvitals review import` takes them."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from llmvitals.judge import Rubric
from llmvitals_collector.demo import desk
from llmvitals_collector.demo.readers import fill
from llmvitals_collector.review.grades import graded
from llmvitals_collector.review.item import Item
from llmvitals_collector.review.sealed import seal
from llmvitals_collector.review.sheet import Row

RUBRIC = Rubric.shipped("helpfulness")
GOOD = desk.TOPICS[0].good[0]


def row(number, text):
    item = Item(
        service="support-desk",
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        answered_at=1.0,
        query=desk.TOPICS[0].question,
        actual=text,
        dimension="helpfulness",
        track="utility",
        rubric=RUBRIC.hash,
        judge="judge-1",
        judge_verdict="pass",
        weight=1.0,
        stratum="uniform",
    )
    questions = {f"helpfulness.{each.id}: {each.ask}": "" for each in RUBRIC.questions}
    told = {"item": f"item-{item.id}", "dimension": "helpfulness", "answer": text, "token": seal(item, RUBRIC)}
    return told | questions


@pytest.fixture
def verdicts(tmp_path):
    """What a reader says of some answers, by how often the reader slips."""

    def read(*texts, slips=0.0):
        sheet = tmp_path / "sheet.jsonl"
        rows = [row(number, text) for number, text in enumerate(texts, 1)]
        sheet.write_text("".join(f"{json.dumps(each)}\n" for each in rows))
        fill(sheet, slips, random.Random(1))
        filled = [json.loads(line) for line in sheet.read_text().splitlines()]
        cells = [{heading.partition(":")[0]: cell for heading, cell in each.items()} for each in filled]
        found = graded([Row(f"sheet:{number}", each) for number, each in enumerate(cells, 1)], "Ada")
        assert not found.mistakes
        return [grade.verdict for grade in found.grades]

    return read


def test_a_reader_knows_good_answers_from_bad_ones(verdicts):
    assert verdicts(GOOD, desk.REFUSAL, desk.TOPICS[0].incomplete) == ["pass", "fail", "fail"]


def test_a_reader_slips_as_often_as_told(verdicts):
    assert verdicts(*[GOOD] * 20, slips=1.0) == ["fail"] * 20
    assert 20 < verdicts(*[desk.REFUSAL] * 400, slips=0.1).count("pass") < 60


def test_readers_that_were_held_up_go_on_until_they_are_told_to_stop():
    """As by the machine's sleep, for longer than they would have waited."""
    program = (
        "from llmvitals_collector.demo import readers; readers.EVERY_SECONDS = 0.2; print(); readers.main('none', '')"
    )
    with subprocess.Popen([sys.executable, "-u", "-c", program], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        for _ in range(3):
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.4)
            process.send_signal(signal.SIGCONT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.2)
        process.terminate()
        assert process.wait(20) == 0
