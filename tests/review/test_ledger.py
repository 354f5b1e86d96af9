"""What was imported, and what is still to be."""

import pytest

from llmvitals import semconv
from llmvitals_collector.review import TAIL, ledger
from llmvitals_collector.review.grades import Grade


@pytest.fixture
def path(tmp_path):
    return tmp_path / ledger.NAME


@pytest.fixture
def grade(item):
    def make(number=1, grader="grader-1", verdict=semconv.PASS, **changes):
        score = None if verdict == semconv.UNDECIDED else float(verdict == semconv.PASS)
        return Grade(f"sheet.csv:{number + 1}", item(number, **changes), grader, verdict, score)

    return make


def entries(due):
    return [entry for _, entry in due.new]


def test_a_grade_is_due_once(path, grade):
    due = ledger.due(ledger.read(path), [grade(1), grade(2)])
    assert (len(due.new), due.repeated) == (2, 0)
    ledger.add(path, entries(due)[:1])
    again = ledger.due(ledger.read(path), [grade(1), grade(2)])
    assert ([item.trace_id[-1] for item, _ in again.new], again.repeated, again.changed) == (["2"], 1, [])


def test_a_grade_that_was_changed_after_its_import_is_told_and_not_counted(path, grade):
    ledger.add(path, entries(ledger.due([], [grade(1)])))
    due = ledger.due(ledger.read(path), [grade(1, verdict=semconv.FAIL)])
    assert (due.new, due.repeated) == ([], 1)
    assert due.changed == ["sheet.csv:2: was imported before as pass, and that counts"]


def test_the_second_grader_of_an_answer_is_told_of_the_first(path, grade):
    """Wherever the first one stands, in the ledger or in the same import; an undecided one is no first."""
    asked = [
        grade(1, "a", semconv.FAIL), grade(1, "b"), grade(1, "c"),
        grade(2, "a", semconv.UNDECIDED), grade(2, "b"), grade(2, "c", semconv.FAIL),
    ]  # fmt: skip
    together = entries(ledger.due([], asked))
    assert [entry.peer for entry in together] == ["", "fail", "fail", "", "", "pass"]
    for each in asked:
        ledger.add(path, entries(ledger.due(ledger.read(path), [each])))
    assert ledger.read(path) == together


@pytest.mark.parametrize("changes", [{"why": TAIL, "weight": 0.0}, {"stratum": semconv.FLAGGED}])
def test_what_was_not_drawn_at_random_is_none_of_the_sample(grade, changes):
    assert [entry.uniform for entry in entries(ledger.due([], [grade(1), grade(2, **changes)]))] == [True, False]


def test_a_line_that_a_crash_has_cut_is_due_again_and_costs_no_other(path, grade):
    ledger.add(path, entries(ledger.due([], [grade(1), grade(2)])))
    path.write_bytes(path.read_bytes()[:-9])
    due = ledger.due(ledger.read(path), [grade(1), grade(2)])
    assert (len(due.new), due.repeated) == (1, 1)
    ledger.add(path, entries(due))
    assert len(ledger.read(path)) == 2


def test_one_import_at_a_time_has_the_ledger(path):
    with ledger.claimed(path):
        assert path.stat().st_mode & 0o777 == 0o600
        in_use = pytest.raises(ledger.LedgerError, match="is in use by another import; valid: one at a time")
        with in_use, ledger.claimed(path):
            pass
    with ledger.claimed(path):
        pass


def test_a_ledger_that_cannot_be_is_told_in_a_sentence(tmp_path):
    missing = tmp_path / "no" / ledger.NAME
    assert ledger.read(missing) == []
    no_place = pytest.raises(
        ledger.LedgerError, match=r"no/imported.jsonl: cannot be written: No such file or directory"
    )
    with no_place, ledger.claimed(missing):
        pass
