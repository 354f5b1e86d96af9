"""The demo's people: they grade a part of what the judge has judged, by `llmvitals review`; some of it two of them.

Run as a program until it gets SIGTERM, and then once more: python -m llmvitals_collector.demo.readers STORE COLLECTOR
"""

import functools
import json
import os
import random
import select
import signal
import sys
import tempfile
from pathlib import Path

from llmvitals.judge import Rubric
from llmvitals_collector.__main__ import main as llmvitals
from llmvitals_collector.demo.grading import RUBRICS, chosen, flaws_of

EVERY_SECONDS = 4.0
# Who reads how many answers each time, and how often they slip.
READERS = {"Ada": (1000, 0.0), "Ben": (6, 0.1)}
_NOTHING_LEFT = 2  # the exit code of `llmvitals review export`

_rubric = functools.cache(Rubric.shipped)  # the shipped ones have the names of their dimensions


def fill(sheet: Path, slips: float, chance: random.Random) -> None:
    """Answers the questions of every row, as who knows the answers; slips: how often without looking."""
    rows = [json.loads(line) for line in sheet.read_text().splitlines()]
    for row in rows:
        rubric = _rubric(row["dimension"])
        flaws = flaws_of(row["answer"])
        if chance.random() < slips:
            flaws = frozenset() if flaws else frozenset({rubric.questions[0].id})
        options = {f"{rubric.dimension}.{question}": option for question, option in chosen(rubric, flaws).items()}
        row |= {heading: options[name] for heading in row if (name := heading.partition(":")[0]) in options}
    sheet.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def grade(store: str, collector: str, folder: Path, turn: int) -> None:
    """Everyone grades what is there, and has not been graded by them. Raises SystemExit where a command fails."""
    for reader, (number, slips) in READERS.items():
        sheet = folder / f"{reader}-{turn}.jsonl"
        ask = ["--rubrics", *RUBRICS, "--grader", reader, "--number", str(number), "--tail", "0", "--out", str(sheet)]
        code = llmvitals(["review", "export", "--from", store, *ask])
        if code == _NOTHING_LEFT:
            continue
        if code == 0:
            fill(sheet, slips, random.Random(f"{reader} {turn}"))  # noqa: S311
            code = llmvitals(["review", "import", str(sheet), "--collector", collector, "--from", store])
        if code:
            sys.exit(code)


def main(store: str, collector: str) -> None:
    """Grades every few seconds until SIGTERM, and once more."""
    # Not by signal.sigtimedwait: where the process is held up beyond the timeout, as by the machine's sleep, it takes
    # what happens to be in memory for a signal (CPython 3.11.7).
    arrived, arrives = os.pipe()
    os.set_blocking(arrives, False)
    signal.set_wakeup_fd(arrives)
    signal.signal(signal.SIGTERM, lambda *_: None)
    stopping, turn = False, 0
    with tempfile.TemporaryDirectory(prefix="llmvitals-") as folder:
        while not stopping:
            stopping = bool(select.select([arrived], [], [], EVERY_SECONDS)[0])
            if Path(store).exists():
                turn += 1
                grade(store, collector, Path(folder), turn)


if __name__ == "__main__":
    main(*sys.argv[1:])
