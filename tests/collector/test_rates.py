"""From counters to rates: the best estimate of a template, of all its services, judges and versions."""

import pytest

from llmvitals import semconv
from llmvitals_collector import rates
from llmvitals_collector.statistics import Pairs, corrected, hajek, wilson

LETTER = {"template": "letter", "template_version": "1", "dimension": "tone"}
JUDGE = {"evaluator": "gpt-5", "rubric": "abc"}


def sample(family, value, **labels):
    written = ",".join(f'{label}="{text}"' for label, text in labels.items())
    return f"{family.name}{{{written}}} {value}\n"


def weighed(passed, failed, source="judge", weight=1.0, **labels):
    """Verdicts that each stand for `weight` answers."""
    of = LETTER | {"source": source} | labels
    return "".join(
        [
            sample(semconv.QUALITY_RESULTS, passed, **of, set="live", verdict="pass"),
            sample(semconv.QUALITY_RESULTS, failed, **of, set="live", verdict="fail"),
            sample(semconv.QUALITY_RESULTS, 99, **of, set="live", verdict="unknown"),
            sample(semconv.QUALITY_RESULTS, 99, **of, set="golden", verdict="pass"),
            sample(semconv.QUALITY_WEIGHT, weight * (passed + failed), **of),
            sample(semconv.QUALITY_WEIGHT_SQUARED, weight**2 * (passed + failed), **of),
            sample(semconv.QUALITY_WEIGHTED_PASS, weight * passed, **of),
        ]
    )


def graded(pairs, judged_pass, judged_fail, **labels):
    """What a judge says of the uniform sample, and people of a part of it."""
    of = LETTER | JUDGE | labels
    cells = [("pass", "pass"), ("pass", "fail"), ("fail", "pass"), ("fail", "fail")]
    text = "".join(
        sample(semconv.QUALITY_PAIRS, count, **of, judge=judge, human=human)
        for (judge, human), count in zip(cells, pairs, strict=True)
    )
    for verdict, count in (("pass", judged_pass), ("fail", judged_fail), ("error", 7)):
        text += sample(semconv.QUALITY_JUDGED, count, **of, verdict=verdict)
    return text


def rate(exposition, version=None):
    return rates.rate(rates.samples(exposition), "letter", "tone", version)


def test_what_nobody_has_looked_at_has_no_rate():
    assert rate("") is None
    assert rate(weighed(0, 0)) is None


def test_verdicts_count_by_the_answers_for_which_they_stand():
    found = rate(weighed(1, 0, weight=50.0) + weighed(0, 10, service_name="other"))
    assert found == (hajek(60, 2510, 50), "judge", 11)


def test_a_judge_goes_before_the_checks_and_these_before_anybody_else():
    by_checks = weighed(8, 2, source="heuristic")
    assert rate(by_checks + weighed(1, 1)).source == "judge"
    assert rate(by_checks + weighed(1, 1, source="outcome")) == (wilson(8, 10), "heuristic", 10)
    assert rate(weighed(1, 1, source="outcome")).source == "outcome"


def test_a_judge_is_corrected_when_people_have_graded_50_of_its_answers():
    verdicts = weighed(80, 20)
    assert rate(verdicts + graded((30, 9, 0, 10), 80, 20)).source == "judge"
    found = rate(verdicts + graded((30, 10, 0, 10), 80, 20))
    assert found == (corrected(Pairs(30, 10, 0, 10), 80, 20), "corrected", 100)


def test_pairs_of_all_versions_add_up_for_the_template_and_not_for_each():
    halves = (graded((15, 5, 0, 5), 40, 10, template_version=version) for version in "12")
    exposition = "".join([weighed(40, 10), weighed(40, 10, template_version="2"), *halves])
    assert rate(exposition).estimate == corrected(Pairs(30, 10, 0, 10), 80, 20)
    assert rate(exposition, "2") == (wilson(40, 50), "judge", 50)


def test_of_several_judges_that_counts_which_most_people_have_checked():
    other = graded((60, 0, 0, 0), 100, 0, rubric="older")
    found = rate(graded((30, 10, 0, 10), 80, 20) + other)
    assert found.estimate == corrected(Pairs(60, 0, 0, 0), 100, 0)


def test_templates_dimensions_and_versions_are_those_that_were_looked_at():
    exposition = weighed(1, 1) + weighed(1, 0, template_version="2", dimension="safety")
    found = rates.samples(exposition + weighed(0, 0, template="summary", template_version="9"))
    assert rates.templates(found) == ["letter"]
    assert rates.dimensions(found, "letter") == ["safety", "tone"]
    assert rates.versions(found, "letter") == ["1", "2"]


def test_versions_stand_in_the_order_of_their_numbers():
    found = rates.samples("".join(weighed(1, 0, template_version=version) for version in ("10", "9", "1.10", "1.9")))
    assert rates.versions(found, "letter") == ["9", "10", "1.9", "1.10"]


def test_what_is_no_exposition_is_an_error():
    with pytest.raises(ValueError, match=r"this is no exposition of metrics in .*: invalid metric name"):
        rates.samples("<html>not found</html>\n")
