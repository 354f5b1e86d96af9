"""From rows to grades, and every mistake that a row may have."""

import pytest

from llmvitals import semconv
from llmvitals.judge.rubric import Rubric
from llmvitals_collector.review import grades
from llmvitals_collector.review.sealed import seal
from llmvitals_collector.review.sheet import Row

GOOD = {"helpfulness.answers": "yes", "helpfulness.honest": "n/a"}
TONE = """{rubric: tone, version: 1, dimension: tone, scale: {points: 1, pass: 1},
questions: [{id: polite, ask: "Is it polite?", options: {no: 0, yes: 1}}]}"""


@pytest.fixture
def row(item, rubric):
    """`row(line, number, **cells)` is the graded row of an item on a line; a cell that is given differs."""

    def make(line=2, number=1, **changes):
        cells = {"item": grades.shown_id(item(number)), "token": seal(item(number), rubric), "grader": "Ann", **GOOD}
        return Row(f"sheet.csv:{line}", cells | {name.replace("__", "."): cell for name, cell in changes.items()})

    return make


@pytest.mark.parametrize(
    ("answers", "honest", "verdict", "score"),
    [
        ("yes", "n/a", semconv.PASS, 1.0),
        ("partly", "yes", semconv.PASS, 0.75),
        (" YES ", "No", semconv.FAIL, 0.5),
        ("unknown", "yes", semconv.UNDECIDED, None),
    ],
)
def test_a_row_is_graded_by_the_points_of_its_rubric(row, item, answers, honest, verdict, score):
    found = grades.graded([row(helpfulness__answers=answers, helpfulness__honest=honest)])
    [grade] = found.grades
    assert (grade.verdict, grade.score, grade.item.id) == (verdict, score, item(1).id)
    assert (found.mistakes, found.ungraded) == ([], 0)


def test_a_row_without_answers_is_not_graded_yet_and_no_mistake(row):
    found = grades.graded([row(helpfulness__answers="", helpfulness__honest=" ", notes="later"), row(3, 2)])
    assert (len(found.grades), found.mistakes, found.ungraded) == (1, [], 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"helpfulness__answers": ""}, "helpfulness.answers: is not answered; valid: all questions of a row, or none"),
        (
            {"helpfulness__answers": "partially"},
            "helpfulness.answers: 'partially' is no option; did you mean 'partly'?",
        ),
        ({"helpfulness__honest": "7"}, "helpfulness.honest: '7' is no option; valid: no, n/a, yes, unknown"),
        ({"token": ""}, "token: is missing; valid: as it was exported"),
        ({"token": "t1.AAAA"}, "token: was changed, and cannot be trusted; valid: as it was exported"),
        ({"grader": " "}, "grader: is empty; valid: a name, here or as --grader"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(row, changes, sentence):
    found = grades.graded([row(2, 1), row(9, 2, **changes)])
    assert found.mistakes == [f"sheet.csv:9: {sentence}"]
    assert [grade.where for grade in found.grades] == ["sheet.csv:2"]


def test_rows_that_were_sorted_without_their_tokens_are_noticed(row, item):
    found = grades.graded([row(2, 1, item=grades.shown_id(item(2)))])
    mine, other = grades.shown_id(item(1)), grades.shown_id(item(2))
    assert found.mistakes == [
        f"sheet.csv:2: item: '{other}' is not {mine}, whose token this is; valid: rows as exported"
    ]


def test_an_answer_to_another_dimension_is_a_mistake(row, item):
    tone = Rubric.parse(TONE)
    of_tone = item(2, dimension="tone", rubric=tone.hash)
    cells = {"item": grades.shown_id(of_tone), "token": seal(of_tone, tone), "tone.polite": "yes", "grader": "Ann"}
    right, wrong = Row("s:3", cells), Row("s:4", cells | {"helpfulness.honest": "no"})
    found = grades.graded([row(2, 1), right, wrong])
    assert found.mistakes == ["s:4: helpfulness.honest: is answered, but the row is about tone; valid: an empty cell"]
    assert [grade.item.dimension for grade in found.grades] == ["helpfulness", "tone"]


def test_nobody_grades_an_item_twice(row, item):
    found = grades.graded([row(2, 1), row(3, 1, grader="Ben"), row(4, 1, grader=" ANN ")])
    assert found.mistakes == [f"sheet.csv:4: {grades.shown_id(item(1))} was graded by the same person at sheet.csv:2"]
    assert len(found.grades) == 2


def test_a_grader_is_known_by_a_pseudonym_which_a_key_makes_unguessable(row, monkeypatch):
    [grade] = grades.graded([row(grader="")], grader="Ann  Smith").grades
    assert grade.grader == grades.pseudonym("ann smith") == "grader-" + grade.grader[-8:]
    assert "ann" not in grade.grader.lower()
    monkeypatch.setenv(semconv.GRADER_KEY, "a key of ours")
    assert grades.pseudonym("ann smith") not in (grade.grader, grades.pseudonym("ben"))
