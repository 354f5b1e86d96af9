"""One template of the demo can be broken in one of three ways, while all others go on as before."""

import random
import re
import statistics
from pathlib import Path

import pytest

from llmvitals_collector.demo import desk, show
from llmvitals_collector.demo.breakage import WAYS, Breakage
from llmvitals_collector.demo.models import MODELS, TEMPLATES
from llmvitals_collector.demo.scenario import Scenario

APP = Path(show.__file__).with_name("app.py")


def drawn(scenario, template, count=200):
    return [scenario({"model": TEMPLATES[template]}) for _ in range(count)]


@pytest.fixture
def broken(tmp_path):
    """`broken("support-answer=slow")` is a scenario in which that is so."""

    def scenario(text: str) -> Scenario:
        Breakage.parse(text).order(tmp_path / "order")
        return Scenario(1, tmp_path / "order")

    return scenario


def test_the_app_uses_these_models_for_these_templates():
    pairs = re.findall(r'prompt\("([\w-]+)", version.*?model="([\w.-]+)"', APP.read_text(), re.DOTALL)
    assert dict(pairs) == TEMPLATES


def test_by_errors_every_call_fails(broken):
    assert {each.status for each in drawn(broken("translate-answer"), "translate-answer")} == {500}


def test_slow_is_the_first_token_and_nothing_else(broken):
    slow, sound = drawn(broken("draft-letter=slow"), "draft-letter"), drawn(Scenario(1), "draft-letter")
    medians = [statistics.median(each.first_token_seconds for each in some) for some in (slow, sound)]
    assert medians[0] > medians[1] + 5
    assert {each.status for each in slow} == {200}
    assert [each.text for each in slow] == [each.text for each in sound]


def test_bad_is_what_is_said(broken):
    assert {each.text for each in drawn(broken("support-answer=bad"), "support-answer")} == {desk.EVASIVE}


@pytest.mark.parametrize("way", WAYS)
def test_other_templates_are_as_they_were(broken, way):
    scenario = broken(f"support-answer={way}")
    assert drawn(scenario, "sort-question") == drawn(Scenario(1), "sort-question")


def test_it_breaks_while_it_runs(tmp_path):
    scenario = Scenario(1, tmp_path / "order")
    before = drawn(scenario, "search-articles")
    Breakage.parse("search-articles=errors").order(tmp_path / "order")
    assert {each.status for each in before} == {200}
    assert {each.status for each in drawn(scenario, "search-articles")} == {500}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("suport-answer", "there is no template 'suport-answer'; did you mean 'support-answer'?"),
        ("x=errors", "there is no template 'x'; there are: search-articles, support-answer, "),
        ("sort-question=slo", "there is no way 'slo'; did you mean 'slow'?"),
        (
            "search-articles=bad",
            "search-articles gives no answers that could be bad; it can be broken by errors or slow",
        ),
    ],
)
def test_what_cannot_be_broken_is_a_sentence_with_what_can(text, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Breakage.parse(text)


def test_as_long_as_nothing_is_broken_no_objective_is():
    """No model fails so often that a burn rate of 6 is reached, nor begins so late; nor is a warning due."""
    for model, law in MODELS.items():
        answers = [law.draw(random.Random(f"{model} {number}"), "") for number in range(2000)]
        failing = sum(each.status != 200 or each.error_after is not None for each in answers) / len(answers)
        late = sum(each.status == 200 and each.first_token_seconds > 2 for each in answers) / len(answers)
        assert failing < 3 * 0.01, model
        assert late < 3 * 0.05, model
