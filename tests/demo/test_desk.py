"""What the desk's models write, and how it is graded: by readers who know it, and by a judge who errs now and then."""

import random
from collections import Counter

import openai
import pytest

from llmvitals.judge import LLMJudge, Rubric
from llmvitals_collector.demo import desk, grading
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider
from llmvitals_collector.demo.scenario import Scenario

GOOD = [text for text, flaws in desk.FLAWS.items() if not flaws]
BAD = [text for text, flaws in desk.FLAWS.items() if "usable" in flaws]
HELPFULNESS = Rubric.shipped("helpfulness")
TOPIC = desk.TOPICS[1]


def helpful_share(version, count=400):
    chance = random.Random(1)
    written = [desk.support_answer(TOPIC, chance, f'{{"system": "{desk.PROMPTS[version]}"}}') for _ in range(count)]
    return sum(not desk.FLAWS[text] - {"supported"} for text in written) / count


@pytest.fixture(scope="module")
def judge():
    """The SDK's judge, with the demo's model behind it."""
    with (
        Provider(lambda request: Behaviour(text=said(request), output_tokens=1)) as provider,
        openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any") as client,
    ):
        yield LLMJudge(client, grading.JUDGE)


said = grading.Judge(seed=1)


def test_every_answer_has_its_own_text():
    texts = [text for topic in desk.TOPICS for text in (*topic.good, topic.incomplete, topic.invented, topic.french)]
    assert Counter(texts).most_common(1)[0][1] == 1
    assert desk.FLAWS.keys() == {*texts, desk.EVASIVE, desk.REFUSAL}


def test_the_topic_of_a_question_is_found_with_whatever_stands_around_it():
    assert [desk.topic_of(f"Hello. {topic.question} My order is 12345.") for topic in desk.TOPICS] == [*desk.TOPICS]


def test_the_new_version_of_the_prompt_has_much_worse_answers():
    assert helpful_share("3") > 0.9
    assert 0.5 < helpful_share("4") < 0.7


@pytest.mark.parametrize("dimension", grading.RUBRICS)
@pytest.mark.parametrize("text", desk.FLAWS)
def test_a_reader_fails_an_answer_exactly_in_the_dimension_of_its_flaws(dimension, text):
    rubric = Rubric.shipped(dimension)
    flawed = desk.FLAWS[text] & {question.id for question in rubric.questions}
    assert rubric.grade(grading.chosen(rubric, desk.FLAWS[text])).verdict == ("fail" if flawed else "pass")


def test_an_answer_that_broke_off_is_of_no_use():
    flaws = grading.flaws_of(GOOD[0][:20])
    assert HELPFULNESS.grade(grading.chosen(HELPFULNESS, flaws)).verdict == "fail"


@pytest.mark.parametrize(("texts", "verdict", "share"), [(GOOD, "pass", 0.92), (BAD, "fail", 0.75)])
def test_the_judge_is_right_as_often_as_it_is_said_to_be(texts, verdict, share):
    """By what it sees, without a request for each."""
    errs = grading.Judge(seed=2)
    seen = [errs._seen(HELPFULNESS, text) for text in texts for _ in range(100)]
    graded = [HELPFULNESS.grade(grading.chosen(HELPFULNESS, flaws)).verdict for flaws in seen]
    assert graded.count(verdict) / len(graded) == pytest.approx(share, abs=0.03)


def test_the_judge_errs_on_the_same_answers_for_the_same_seed():
    def seen(seed):
        errs = grading.Judge(seed)
        return [errs._seen(HELPFULNESS, GOOD[0]) for _ in range(100)]

    assert seen(3) == seen(3)
    assert seen(3) != seen(4)


@pytest.mark.parametrize("name", Rubric.names())
def test_the_sdk_s_judge_reads_what_it_says_by_any_shipped_rubric(judge, name):
    result = judge.score(TOPIC.question, "anything", GOOD[0], Rubric.shipped(name), context=TOPIC.article)
    assert result.error == ""
    assert result.verdict in ("pass", "fail")


def test_the_scenario_answers_the_judge_s_requests_in_the_time_of_a_model_that_judges():
    with Provider(Scenario(1)) as provider, openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any") as client:
        result = LLMJudge(client, grading.JUDGE, HELPFULNESS).score(TOPIC.question, None, desk.REFUSAL)
    assert result.usage["input"] == 700
    assert result.latency >= 0.1


def test_a_request_that_is_none_of_a_judge_is_an_error():
    with (
        Provider(Scenario(1)) as provider,
        openai.OpenAI(base_url=f"{provider.url}/v1", api_key="any", max_retries=0) as client,
        pytest.raises(openai.InternalServerError),
    ):
        client.chat.completions.create(model=grading.JUDGE, messages=[{"role": "user", "content": "Hello"}])
