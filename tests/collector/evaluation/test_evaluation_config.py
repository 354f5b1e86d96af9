"""A mistake in the configuration of evaluation is told in a sentence, before anything starts."""

import pytest

from llmvitals import semconv
from llmvitals_collector.config import Config, ConfigError, load, reloaded
from llmvitals_collector.evaluation.plan import Plan
from llmvitals_collector.pipeline import Pipeline

JUDGED = "judge: {model: m, base_url: 'http://127.0.0.1:1/v1'}"


@pytest.fixture
def mistake(tmp_path):
    def told(text: str) -> str:
        path = tmp_path / "c.yaml"
        path.write_text(f"evaluation: {{{text}}}")
        with pytest.raises(ConfigError) as error:
            Pipeline(load(path, {}))
        return str(error.value).replace(f"{path}: ", "")

    return told


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("checks: [refusl]", "evaluation.checks: 'refusl' is no check; did you mean 'refusal'?"),
        (
            "sampling: {window_seconds: 7000}",
            "window_seconds: 7000 is not a whole number of seconds from 60 to 86400, by which a day can be divided",
        ),
        (
            "review: {directory: r}",
            "evaluation.review.directory: has no effect without judge.model, as people grade what was judged",
        ),
        (
            "judge: {model: m, base_url: 'http://h/v1', rubrics: [helpfullness]}",
            "evaluation.judge.rubrics: no rubric 'helpfullness' is shipped; did you mean 'helpfulness'?",
        ),
        (
            f"{JUDGED}, templates: {{a: {{rubrics: [b.yaml]}}}}",
            "evaluation.templates.a.rubrics: b.yaml: cannot be read: No such file or directory",
        ),
        (
            "templates: {a: {instructions: {max_words: 3, min_words: 4}}}",
            "evaluation.templates.a.instructions.max_words is 3, below min_words, which is 4",
        ),
        (
            "judge: {model: m, base_url: 'http://h/v1', budget: {usd_per_day: 5}}",
            "budget.usd_per_day: cannot be kept without prices; valid: set price.input and price.output",
        ),
    ],
)
def test_each_mistake_is_one_sentence_with_its_path(text, sentence, mistake):
    assert mistake(text).endswith(sentence)


def test_a_judge_at_openai_needs_a_key(mistake, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "evaluation.judge.api_key: is empty" in mistake("judge: {model: m}")


def test_a_check_whose_package_is_missing_is_refused(mistake, monkeypatch):
    monkeypatch.setattr("llmvitals_collector.evaluation.plan.missing", lambda names: {"language_match": "py3langid"})
    sentence = "evaluation.checks: language_match needs a package that is missing: pip install py3langid"
    assert mistake("checks: [language_match]") == sentence


def test_the_most_telling_pattern_holds_for_a_template(settings):
    text = "templates: {'*': {share: 0.5}, support-*: {share: 1, rubrics: [safety]}}"
    plan = Plan(settings(text))
    assert plan.of("chat").judged.share == 0.5
    assert plan.of("support-refunds").judged.share == 1
    assert [rubric.name for rubric in plan.of("support-refunds").rubrics] == ["safety"]
    assert [rubric.name for rubric in plan.of("chat").rubrics] == ["polite"]


def test_the_minimum_is_divided_among_replicas(settings):
    assert Plan(settings("sampling: {replicas: 3, minimum_per_template: 30}")).of("chat").judged.minimum == 10


def test_what_can_come_of_a_template_is_known_before_it_comes(settings, tmp_path):
    plan = Plan(settings(f"{{checks: [refusal, repetition, format_valid], review: {{directory: {tmp_path}}}}}"))
    [rubric] = plan.rubrics
    judged = {"dimension": "tone", "evaluator": "judge-1", "rubric": rubric}
    expected = list(plan.expected("chat"))
    assert {"dimension": "format_valid", "source": semconv.SOURCE_HEURISTIC} in expected
    assert [each for each in expected if "rubric" in each] == [
        {**judged, "source": "judge"},
        {**judged, "source": "human"},
    ]
    assert not any(each["dimension"] == "" for each in expected)


def test_of_a_template_with_rubrics_of_its_own_these_are_expected(settings):
    plan = Plan(settings("templates: {support-*: {rubrics: [safety]}}"))
    assert [each["dimension"] for each in plan.expected("support-refunds")] == ["safety"]


def test_what_takes_a_restart_is_named_and_the_rest_is_taken_over(settings):
    running, wanted = Config(evaluation=settings()), Config(evaluation=settings("checks: [refusal]", model="judge-2"))
    taken, left = reloaded(running, wanted)
    assert left == ["evaluation.judge.model"]
    assert taken.evaluation.checks == ("refusal",)
    assert taken.evaluation.judge.model == "judge-1"
