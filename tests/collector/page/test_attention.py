"""What needs attention is said with its reason, and nothing is said where nothing is wrong."""

import re
from pathlib import Path

import numpy as np
import pytest

from llmvitals import semconv
from llmvitals_collector.config import Limits
from llmvitals_collector.page import attention
from llmvitals_collector.page.runbooks import Runbooks

FAILED = {"failed": True, "ending": semconv.ERROR, "error_type": "503", "cost": 0.1}


@pytest.fixture
def quiet(seen):
    """A quarter of an hour of 100 good calls a minute, on two templates."""
    quick, slow = {"cost": 0.1}, {"cost": 0.1, "duration": 2.0, "time_to_first_token": 1.0}
    minute = [{**each, "template": name} for name in ("letter", "summary") for each in [quick] * 48 + [slow] * 2]
    for _ in range(15):
        seen.each(minute)
        seen.minutes()
    return seen


def test_of_a_quiet_quarter_of_an_hour_nothing_is_said(quiet):
    assert quiet.sentences() == []


def test_errors_are_told_with_their_class_and_the_objective_that_they_break(quiet):
    quiet.calls(200, template="letter", **FAILED)
    quiet.minutes(2)
    items = quiet.page()["attention"]
    failing = next(item for item in items if item["section"] == "errors" and "template" in item["filters"])
    assert failing["sentence"].startswith(
        "Template letter: 57.1 % of the calls of the last five minutes fail (n = 350)"
    )
    assert failing["sentence"].endswith("most of them by server.")
    assert failing["reason"] == "In the hour before, 0 % failed (n = 600)."
    assert quiet.sentences("var-template=summary") == []


def test_an_objective_that_burns_is_critical_and_comes_first(quiet):
    quiet.calls(7000, time_to_first_token=9.0, duration=10.0, cost=0.1)
    quiet.minutes()
    first = quiet.page()["attention"][0]
    assert first["severity"] == "critical"
    assert first["sentence"].startswith("gpt-5 breaks the objective first_token: ")
    assert first["reason"].startswith("95 % are to be good; at this pace the budget of 30 days is gone in ")
    assert (first["filters"], first["runbook"]) == ({"model": "gpt-5"}, "LLMSLOBurnRateCritical")


def test_what_became_slower_is_told_with_both_percentiles(quiet):
    quiet.minutes(4)
    quiet.calls(60, template="summary", cost=0.1, duration=4.0)
    assert quiet.sentences() == [
        "Template summary: the duration is slower. p95 is 4.42 s in the last five minutes (n = 110), after 1.12 s in "
        "the hour before."
    ]


def test_the_same_law_of_times_does_not_ring_in_a_hundred_templates(seen):
    """Of 100 templates with 60 calls in the last five minutes each, and 36 before."""
    chance = np.random.default_rng(5)
    for _ in range(8):
        times = chance.lognormal(0, 0.6, (100, 12)).tolist()
        rows = [(f"t{name}", time) for name, some in enumerate(times) for time in some]
        seen.each([{"template": name, "duration": t, "time_to_first_token": t / 3, "cost": 0.1} for name, t in rows])
        seen.minutes()
    assert seen.sentences() == []


def test_quality_below_its_floor_for_sure_is_told_with_its_owner(quiet):
    quiet.verdicts(60, dimension="helpfulness")
    quiet.verdicts(60, dimension="helpfulness", verdict=semconv.FAIL)
    (item,) = quiet.page()["attention"]
    assert item["sentence"] == (
        "Template letter: helpfulness is below its floor of 0.80. 0.50 of the answers of the last hour pass "
        "(uncalibrated, n = 120)."
    )
    assert item["reason"].startswith("The true share is at most 0.6")
    assert item["reason"].endswith("Owner: llm-quality.")


def test_of_what_is_equally_bad_the_farthest_from_what_it_may_be_comes_first(quiet):
    """Of twenty, too, of which not all are shown."""
    for number in range(20):
        for verdict, times in ((semconv.PASS, 60 - number), (semconv.FAIL, 60 + number)):
            quiet.verdicts(times, template=f"t{number}", dimension="helpfulness", verdict=verdict)
    names = [sentence.split(":")[0] for sentence in quiet.sentences()]
    assert names == [f"Template t{number}" for number in range(19, 19 - attention.MOST, -1)]


def test_quality_that_may_be_above_its_floor_is_not_told(quiet):
    quiet.verdicts(78, dimension="helpfulness")
    quiet.verdicts(22, dimension="helpfulness", verdict=semconv.FAIL)
    assert quiet.sentences() == []


def test_a_version_that_is_worse_for_sure_is_told(quiet):
    quiet.verdicts(300, dimension="clarity")
    quiet.verdicts(150, dimension="clarity", template_version="2")
    quiet.verdicts(150, dimension="clarity", template_version="2", verdict=semconv.FAIL)
    (sentence,) = quiet.sentences()
    assert sentence.startswith("Template letter: version 2 is worse in clarity by 0.50 (")


def test_calls_without_a_price_refused_requests_and_lost_records_are_told(quiet):
    quiet.telemetry.count(semconv.COLLECTOR_UNPRICED, amount=3)
    quiet.telemetry.count(semconv.COLLECTOR_REFUSED_REQUESTS, semconv.RECEIVER_HTTP, semconv.MALFORMED, amount=1)
    quiet.telemetry.count(semconv.COLLECTOR_LOST_RECORDS, amount=2)
    assert quiet.sentences() == [
        "The collector lost 2 records in the last hour that it had accepted.",
        "The collector refused 1 request in the last hour.",
        "The cost is too low: 3 calls of the last hour without a price.",
    ]
    quiet.minutes(62)
    assert quiet.sentences() == []


def test_label_sets_without_room_are_told(seeing):
    seen = seeing(Limits(label_sets=2))
    for number in range(5):
        seen.calls(1, template=f"t{number}", cost=0.1)
    assert any(sentence.startswith("There are more label sets than limits.label_sets") for sentence in seen.sentences())


def test_a_service_that_went_silent_is_told_until_it_is_gone_for_good(quiet):
    quiet.telemetry.set(semconv.COLLECTOR_LAST_RECEIVED, "shop", value=quiet.at)
    quiet.minutes(10)
    assert quiet.sentences() == ["shop has sent nothing for 10 minutes."]
    quiet.minutes(60)
    assert quiet.sentences() == []


def test_each_runbook_that_it_leads_to_is_there():
    named = set(re.findall(r'"(LLM\w+)"', Path(attention.__file__).read_text()))
    assert named
    assert named <= set(Runbooks().names())
