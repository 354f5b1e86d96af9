"""Two versions of a prompt: which is better, by how much, and how many more answers it takes to know."""

import re

import pytest

from llmvitals import semconv
from llmvitals_collector import rates
from llmvitals_collector.comparison import compared, told
from llmvitals_collector.statistics import difference, wilson

UNCALIBRATED = "; by the judge alone, uncalibrated until people grade 50 answers of each version"


def sample(family, value, **labels):
    written = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{family.name}{{{written}}} {value}\n"


def looked_at(version, passed, failed, source="judge", graded=()):
    """Verdicts on a version, and of a judge its pairs with people."""
    labels = {"template": "letter", "template_version": version, "dimension": "tone"}
    text = ""
    for family, value in (
        (semconv.QUALITY_WEIGHT, passed + failed),
        (semconv.QUALITY_WEIGHT_SQUARED, passed + failed),
        (semconv.QUALITY_WEIGHTED_PASS, passed),
    ):
        text += sample(family, value, **labels, source=source)
    judge = {"evaluator": "gpt-5", "rubric": "abc"}
    for verdict, count in (("pass", passed), ("fail", failed)):
        text += sample(semconv.QUALITY_RESULTS, count, **labels, source=source, set="live", verdict=verdict)
        text += sample(semconv.QUALITY_JUDGED, count, **labels, **judge, verdict=verdict)
    for (one, other), count in zip([("pass", "pass"), ("fail", "fail")], graded, strict=False):
        text += sample(semconv.QUALITY_PAIRS, count, **labels, **judge, judge=one, human=other)
    return text


def compare(*versions):
    [found] = compared(rates.samples("".join(versions)), "letter", "1", "2")
    return found


@pytest.mark.parametrize(("second", "word"), [((200, 800), "worse"), ((950, 50), "better")])
def test_a_difference_that_is_decided_is_told_with_its_interval(second, word):
    found = compare(looked_at("1", 600, 400, "heuristic"), looked_at("2", *second, "heuristic"))
    above = difference(wilson(600, 1000), wilson(second[0], 1000))
    least, most = sorted((abs(above.low), abs(above.high)))
    assert found.difference == above
    assert found.needed == 0
    assert told(found) == f"version 2 is {word} in tone by {abs(above.difference):.2f} ({least:.2f} to {most:.2f})"


def test_what_is_not_decided_yet_says_how_many_answers_more_would_decide_it():
    found = compare(looked_at("1", 85, 15, "heuristic"), looked_at("2", 70, 30, "heuristic"))
    sentence = (
        r"tone is not decided yet: version 2 less 1 is -0\.15 \(-0\.\d\d to \+0\.\d\d\); about (\d+) more .* tell"
    )
    assert int(re.fullmatch(sentence, told(found))[1]) == found.needed
    times = 1 + found.needed / 200
    assert difference(wilson(85 * times, 100 * times), wilson(70 * times, 100 * times)).decided
    assert not difference(
        wilson(85 * times * 0.9, 100 * times * 0.9), wilson(70 * times * 0.9, 100 * times * 0.9)
    ).decided


def test_of_two_equal_versions_no_difference_is_in_sight():
    found = compare(looked_at("1", 850, 150, "heuristic"), looked_at("2", 850, 150, "heuristic"))
    assert found.needed is None
    assert told(found).startswith("no difference in tone is in sight: version 2 less 1 is -0.0")


def test_a_judge_that_nobody_has_checked_is_said_to_be_uncalibrated():
    assert told(compare(looked_at("1", 90, 10), looked_at("2", 40, 60))).endswith(UNCALIBRATED)


def test_a_judge_is_corrected_for_both_versions_or_for_none():
    """Else what it is wrong by would be taken for a difference."""
    checked, unchecked = looked_at("1", 90, 10, graded=(45, 5)), looked_at("2", 40, 60)
    assert compare(checked, unchecked).first == (wilson(90, 100), "judge", 100)
    both = compare(checked, looked_at("2", 40, 60, graded=(20, 30)))
    assert (both.first.source, both.second.source) == ("corrected", "corrected")
    assert not told(both).endswith(UNCALIBRATED)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("leter", "1", "2"), "no answer of the template 'leter' has been looked at; did you mean 'letter'?"),
        (("letter", "1", "5"), "no answer of the version '5' has been looked at; there are: 1, 2"),
    ],
)
def test_what_there_is_not_is_one_sentence_with_what_there_is(asked, sentence):
    of = rates.samples(looked_at("1", 1, 1) + looked_at("2", 1, 1))
    with pytest.raises(ValueError, match=re.escape(sentence)):
        compared(of, *asked)


def test_without_any_verdict_the_sentence_says_so():
    with pytest.raises(ValueError, match="there are: none"):
        compared(rates.samples(""), "letter", "1", "2")
