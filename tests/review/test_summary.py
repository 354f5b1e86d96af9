"""What the import says in the end."""

import pytest

from llmvitals import semconv
from llmvitals_collector.review import TAIL, ledger, summary
from llmvitals_collector.review.grades import Grade

PASS, FAIL, UNKNOWN = semconv.PASS, semconv.FAIL, semconv.UNDECIDED


@pytest.fixture
def told(item):
    """`told((judge, person, ...), ...)` is the summary of answers on which those verdicts were given."""

    def summarise(*answers, **changes):
        given = [
            Grade("", item(number, judge_verdict=judge, **changes), f"grader-{grader}", verdict, None)
            for number, (judge, *people) in enumerate(answers)
            for grader, verdict in enumerate(people)
        ]
        sentences = summary.told(entry for _, entry in ledger.due([], given).new)
        return [sentence.partition(": ")[2] for sentence in sentences]

    return summarise


def test_agreement_is_told_with_what_of_it_is_beyond_chance(told):
    answers = [(PASS, PASS)] * 40 + [(FAIL, FAIL)] * 10 + [(PASS, FAIL)] * 5 + [(FAIL, PASS)] * 5
    assert told(*answers) == ["agrees with people on 50 of 60 answers (83%), kappa 0.56"]


def test_where_all_are_of_one_mind_there_is_no_kappa(told):
    [sentence] = told(*[(PASS, PASS)] * 3)
    assert sentence == (
        "agrees with people on 3 of 3 answers (100%), no kappa, as all verdicts are alike; "
        "uncalibrated: 47 more are needed, 50 in all"
    )


def test_what_is_undecided_is_no_agreement_and_no_disagreement(told):
    [sentence] = told((UNKNOWN, PASS), (PASS, UNKNOWN), (semconv.FAILED_EVALUATION, FAIL), (FAIL, FAIL), (PASS, PASS))
    assert sentence.startswith("agrees with people on 2 of 2 answers (100%), kappa 1.00")


def test_people_are_compared_with_one_another_and_the_judge_with_the_first_of_them(told):
    of_judge, of_people = told((PASS, PASS, FAIL), (FAIL, FAIL, FAIL), (PASS, UNKNOWN, PASS))
    assert of_judge.startswith("agrees with people on 3 of 3 answers (100%)")
    assert of_people == "two people agree on 1 of 2 answers (50%), kappa 0.00"


def test_what_was_not_drawn_at_random_says_nothing(told):
    assert told((PASS, FAIL), why=TAIL, weight=0.0) == []
    assert told((PASS, FAIL), stratum=semconv.FLAGGED) == []
