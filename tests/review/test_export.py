"""`llmvitals review export`, as who prepares a review meets it."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmvitals import semconv
from llmvitals.judge.rubric import Rubric
from llmvitals_collector.review import TAIL, grades, ledger
from llmvitals_collector.review.grades import Grade


@pytest.fixture
def sheet(tmp_path):
    return tmp_path / "sheet.csv"


@pytest.fixture
def tone(rubric_files):
    """The hash of the rubric of tone."""
    return Rubric.load(rubric_files[1]).hash


def rows(sheet):
    return list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))


def test_a_sheet_has_the_answers_and_the_questions_with_their_options(keep, item, export, sheet, capsys):
    keep(item(1, query="Where is it?\nNow!", context="It was sent.", expected="Tomorrow.", actual="=soon"))
    assert export("--out", sheet) == 0
    [row] = rows(sheet)
    token = row.pop("token")
    assert token.startswith("t1.")
    assert row == {
        "item": f"item-{item(1).id}",
        "dimension": "helpfulness",
        "query": "Where is it?\nNow!",
        "context": "It was sent.",
        "expected": "Tomorrow.",
        "answer": "'=soon",
        "helpfulness.answers: Does it answer: really? [no | partly | yes | unknown]": "",
        "helpfulness.honest: Does it say what it does not know? [no | n/a | yes | unknown]": "",
        "notes": "",
        "grader": "",
    }
    assert capsys.readouterr().err == "helpfulness: 1 answers drawn at random from 1, and 0 odd ones\n"
    assert sheet.stat().st_mode & 0o777 == 0o600


def test_a_sheet_in_json_lines_has_each_row_with_its_own_questions(keep, item, export, tone, capsysbinary):
    keep(item(1), item(2, dimension="tone", rubric=tone, actual="=«ja»"))
    assert export("--format", "jsonl") == 0
    found = {row["dimension"]: row for row in map(json.loads, capsysbinary.readouterr().out.splitlines())}
    assert found["tone"]["answer"] == "=«ja»"
    assert [key for key in found["tone"] if "." in key] == ["tone.polite: Is it polite? [no | yes | unknown]"]
    assert len([key for key in found["helpfulness"] if "." in key]) == 2


def test_nothing_of_what_the_judge_said_and_of_why_an_answer_is_there_is_to_be_seen(keep, item, export, sheet):
    keep(*(item(number, why=TAIL, weight=0.0, judge_verdict=semconv.FAIL) for number in range(5)), item(7))
    assert export("--out", sheet) == 0
    text = sheet.read_text("utf-8-sig").casefold()
    assert not any(word in text for word in ("judge", "tail", "uniform", ",pass", ",fail", "0.75"))


def test_two_graders_get_the_same_answers_and_nobody_one_that_they_have_graded(keep, item, export, sheet, directory):
    keep(*(item(number) for number in range(30)))
    for_whom = {}
    done = [Grade("", item(number), grades.pseudonym("Ann"), semconv.PASS, 1.0) for number in range(10)]
    ledger.add(directory / ledger.NAME, [entry for _, entry in ledger.due([], done).new])
    for grader in ("Ann", "Ben", "Cem"):
        assert export("--number", 25, "--grader", grader, "--out", sheet) == 0
        for_whom[grader] = {row["item"] for row in rows(sheet)}
        assert {row["grader"] for row in rows(sheet)} == {grader}
        sheet.unlink()
    assert for_whom["Ben"] == for_whom["Cem"]
    assert len(for_whom["Ben"]) == 25
    assert for_whom["Ann"] == {f"item-{item(number).id}" for number in range(10, 30)}


def test_only_what_is_asked_for_is_drawn(keep, item, export, sheet, tone):
    old = item(5).answered_at - 3 * 86_400
    keep(
        item(1), item(2, template="support-de"), item(3, template="sales"), item(5, answered_at=old),
        item(4, dimension="tone", rubric=tone),
    )  # fmt: skip
    assert export("--template", "support*", "--days", 2, "--dimension", "helpfulness", "--out", sheet) == 0
    assert {row["item"] for row in rows(sheet)} == {f"item-{item(number).id}" for number in (1, 2)}


def test_several_collectors_make_one_sheet(keep, item, export, directory, sheet, tmp_path):
    keep(item(1), item(2))
    directory.rename(tmp_path / "other")
    keep(item(2), item(3))
    assert export("--from", directory, tmp_path / "other", "--out", sheet) == 0
    assert len(rows(sheet)) == 3


def test_answers_that_were_judged_by_another_rubric_are_left_out_and_told(keep, item, export, sheet, rubric, capsys):
    keep(item(1), item(2, rubric="0123456789ab"))
    assert export("--out", sheet) == 0
    assert len(rows(sheet)) == 1
    told = capsys.readouterr().err.splitlines()[0]
    assert told == (
        "helpfulness: 1 answers were judged by another rubric, 0123456789ab, and are left out; "
        f"that of --rubrics is {rubric.hash}"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--dimension", "helpfullness"], "'helpfullness' is that of none of the rubrics; did you mean 'helpfulness'?"),
        (["--rubrics", "helpfullness"], "no rubric 'helpfullness' is shipped; did you mean 'helpfulness'?"),
        (["--rubrics", "helpfullness.yaml"], "helpfullness.yaml: cannot be read: No such file or directory"),
        (["--template", "suport"], "--template: 'suport' is that of no answer; did you mean 'support'?"),
        (["--template", "sales-*"], "--template: 'sales-*' is that of no answer; valid: support"),
        (["--rubrics", "safety"], "no answers were judged in safety; valid: --rubrics of the judge"),
        (
            ["--number", "0", "--tail", "0"],
            "no answers are left to grade; fewer filters, or more --days, may find some",
        ),
        (["--from", "missing"], "missing: No such file or directory"),
    ],
)
def test_what_cannot_be_had_is_told_in_a_sentence(keep, item, export, capsys, arguments, sentence):
    keep(item(1))
    assert export(*arguments) in (1, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("llmvitals: ")
    assert sentence in err


def test_two_rubrics_of_a_dimension_do_not_go_into_one_sheet(keep, item, export, tmp_path, rubric_files, capsys):
    (tmp_path / "v4.yaml").write_text(rubric_files[0].read_text().replace("Does it say", "Does it tell"))
    keep(item(1))
    assert export("--rubrics", rubric_files[0], tmp_path / "v4.yaml") == 2
    assert "are both of helpfulness; valid: one of each" in capsys.readouterr().err


def test_a_sheet_that_is_there_is_not_written_over(keep, item, export, sheet, capsys):
    keep(item(1))
    sheet.write_text("my grades")
    assert export("--out", sheet) == 2
    assert (
        capsys.readouterr().err
        == f"llmvitals: --out: {sheet} is there already, and may have grades; valid: a new file\n"
    )
    assert sheet.read_text() == "my grades"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full, as Linux has")
def test_an_output_that_cannot_be_written_is_told_in_a_sentence(keep, item, export, capsys, monkeypatch):
    keep(item(1))
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=full.buffer.raw))
        assert export() == 1
    assert capsys.readouterr().err == "llmvitals: the output: No space left on device\n"


@pytest.mark.parametrize("wrong", [("--days", "0"), ("--days", "soon"), ("--number", "-1"), ("--format", "xlsx")])
def test_an_argument_that_is_none_is_refused(export, wrong):
    with pytest.raises(SystemExit) as refused:
        export(*wrong)
    assert refused.value.code == 2
