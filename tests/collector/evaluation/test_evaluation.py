"""Evaluation in a collector that runs: verdicts become metrics, and whatever the judge does, nothing else changes."""

import time

import pytest
from prometheus_client import parser

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.evaluation.plan import Plan
from llmvitals_collector.expose import Format
from llmvitals_collector.receivers import UnavailableError
from llmvitals_collector.review import ReviewStore
from llmvitals_collector.storage import StorageConfig

PATIENCE = 20  # seconds


def until(condition):
    """Wait for what only a scrape can tell."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline


def test_a_judge_s_verdicts_come_out_as_metrics(judge, settings, running, spans, said, take, told):
    collector = running(settings())
    kind, rude = said("Hello?", "Good day! All is well."), said("Hello?", "Go away, rude person.")
    take(collector, spans(*[{semconv.PROMPT_NAME: "greeting", **each} for each in (kind, kind, rude)]))
    assert collector.evaluation.finish(PATIENCE)
    of = {"template": "greeting", "dimension": "tone", "source": "judge"}
    assert told(collector, semconv.QUALITY_RESULTS, **of, verdict="pass") == 2
    assert told(collector, semconv.QUALITY_RESULTS, **of, verdict="fail") == 1
    assert told(collector, semconv.QUALITY_JUDGED, evaluator="judge-1", verdict="fail") == 1
    assert told(collector, semconv.FAILURES, mode="instruction_violated", primary="true") == 1
    assert told(collector, semconv.EVALUATION_LAG, source="judge") == 3
    assert told(collector, semconv.JUDGE_REQUESTS, judge="judge-1", outcome="ok") == 3
    assert told(collector, semconv.JUDGE_TOKENS, gen_ai_token_type="input") == 300
    assert told(collector, semconv.JUDGE_DURATION) == 3
    assert told(collector, semconv.SAMPLING_SHARE, service_name="shop", template="greeting") == 1
    assert told(collector, semconv.EVALUATIONS_WAITING) == 0


def test_a_request_is_acknowledged_and_counted_while_the_judge_hangs(judge, settings, running, spans, said, take, told):
    judge.behaviour = "hanging"
    collector = running(settings(concurrency=1))
    take(collector, spans(said("Hello?", "Hi!")))
    judge.wait_for_requests(1)
    for _ in range(3):
        take(collector, spans(said("Hello?", "Hi!")))
    assert told(collector, semconv.CALLS) == 4
    assert told(collector, semconv.EVALUATIONS_WAITING) == 4
    judge.answer_after_all()


def test_what_is_not_judged_when_the_collector_stops_is_counted_as_such(
    judge, settings, running, spans, said, take, told, monkeypatch
):
    monkeypatch.setattr("llmvitals_collector.evaluation.evaluation.GRACE_SECONDS", 0.1)
    judge.behaviour = "hanging"
    collector = running(settings(concurrency=1))
    take(collector, spans(*[said("Hello?", "Hi!")] * 3))
    judge.wait_for_requests(1)
    collector.stop()
    assert told(collector, semconv.EVALUATIONS_DROPPED, reason="stopping") == 3


def test_what_was_counted_last_is_still_judged_when_the_collector_stops(settings, running, spans, said, told, take):
    collector = running(settings())
    take(collector, spans(said("Hello?", "Hi!")))
    collector.stop()
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", verdict="pass") == 1
    assert told(collector, semconv.EVALUATIONS_DROPPED) == 0


@pytest.mark.parametrize(
    ("behaviour", "outcome"), [("lying", "invalid"), ("broken", "invalid"), ("failing", "failed"), ("absent", "failed")]
)
def test_a_judge_that_fails_gives_no_score_and_its_failure_is_seen(
    behaviour, outcome, judge, settings, running, spans, said, take, told
):
    judge.behaviour = behaviour
    absent = {"base_url": "http://127.0.0.1:1/v1"} if behaviour == "absent" else {}
    collector = running(settings(**absent))
    take(collector, spans(said("Hello?", "Hi!")))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.JUDGE_REQUESTS, outcome=outcome) == 1
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", verdict="error") == 1
    assert told(collector, semconv.QUALITY_RESULTS, source="judge") == 1
    assert told(collector, semconv.QUALITY_SCORE, source="judge") == 0
    assert told(collector, semconv.CALLS) == 1


def test_a_judge_whose_budget_is_gone_is_not_asked(judge, settings, running, spans, said, take, told):
    shared = "sampling: {share: 1, replicas: 3}"
    # One judgement takes 120, which is the part of one of three collectors.
    collector = running(settings(shared, budget={"tokens_per_day": 360}, concurrency=1))
    take(collector, spans(*[said("Hello?", "Hi!")] * 3))
    assert collector.evaluation.finish(PATIENCE)
    assert len(judge.requests) == 1
    assert told(collector, semconv.EVALUATIONS_DROPPED, reason="budget_gone") == 2
    assert told(collector, semconv.QUALITY_RESULTS, source="judge") == 1
    assert told(collector, semconv.JUDGE_BUDGET_LEFT, judge="judge-1") == 0


def test_a_queue_before_the_judge_that_is_full_loses_the_oldest_of_the_template_with_the_most(
    judge, settings, running, spans, said, take, told
):
    judge.behaviour = "hanging"
    collector = running(settings(concurrency=1, queue_answers=2))
    take(collector, spans(said("Hello?", "First")))
    judge.wait_for_requests(1)
    frequent = [{semconv.PROMPT_NAME: "frequent", **said("Hello?", "Hi!")}] * 3
    take(collector, spans({semconv.PROMPT_NAME: "rare", **said("Hello?", "Hi!")}, *frequent))
    until(lambda: told(collector, semconv.EVALUATIONS_DROPPED, reason="queue_full") == 2)
    judge.answer_after_all()
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", template="rare", verdict="pass") == 1
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", template="frequent", verdict="pass") == 1


def test_texts_for_which_there_is_no_room_are_not_evaluated_and_the_calls_count(
    settings, running, spans, said, take, told
):
    collector = running(settings("queue_bytes: 1048576\nchecks: [empty]", judged=False))
    take(collector, spans(said("Hello?", "long " * (1 << 18)), said("Hello?", "Hi!")))
    assert told(collector, semconv.EVALUATIONS_DROPPED, reason="queue_full") == 2
    assert told(collector, semconv.CALLS) == 2


def test_heuristics_look_at_every_answer_that_comes_with_its_messages(settings, running, spans, said, take, told):
    collector = running(settings("checks: [refusal, format_valid, instruction_adherence]", judged=False))
    refused = said("How?", "I'm sorry, but I can't assist with that request.")
    take(collector, spans(refused, said("How?", "Like this."), {}))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.FAILURES, mode="refusal", primary="true") == 1
    # A refusal is an event, and no dimension.
    assert told(collector, semconv.QUALITY_RESULTS, source="heuristic") == 0


def test_what_came_before_a_call_failed_is_not_evaluated(settings, running, spans, said, take, told):
    collector = running(settings("checks: [refusal]", judged=False))
    answer = said("How?", "I'm sorry, but I can't assist with that request.")
    take(collector, spans({**answer, semconv.ERROR_TYPE: "InternalServerError"}))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.FAILURES, mode="refusal") == 0
    assert told(collector, semconv.FAILURES, mode="provider_error") == 1


def test_a_failure_found_in_a_sampled_trace_counts_as_often_as_its_call(settings, running, spans, said, take, told):
    collector = running(settings("checks: [refusal]", judged=False))
    request = spans(said("How?", "I'm sorry, but I can't assist with that request."))
    request.resource_spans[0].scope_spans[0].spans[0].trace_state = "ot=th:8"
    take(collector, request)
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.FAILURES, mode="refusal") == told(collector, semconv.RESPONSES) == 2


def test_what_the_app_has_checked_is_not_checked_again(settings, running, spans, said, take, told):
    collector = running(settings("checks: [refusal, repetition]", judged=False))
    refused = said("How?", "I'm sorry, but I can't assist with that request.")
    take(collector, spans({**refused, semconv.CHECKS: "refusal=fail"}))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.FAILURES, mode="refusal") == 1


def test_a_failure_that_the_call_tells_itself_is_not_told_again(settings, running, spans, said, take, told):
    collector = running(settings("checks: [truncation]", judged=False))
    cut = said("How?", "Like th", finish_reason="length")
    take(collector, spans({**cut, semconv.RESPONSE_FINISH_REASONS: ["length"]}))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.FAILURES, mode="truncated", primary="true") == 1
    assert told(collector, semconv.FAILURES, primary="false") == 0


def test_what_a_prompt_asks_of_its_answers_is_checked_by_template(settings, running, spans, said, take, told):
    text = "{checks: [instruction_adherence], templates: {short-*: {instructions: {max_words: 3}}}}"
    collector = running(settings(text, judged=False))
    long = said("Well?", "This is rather a long answer.")
    take(collector, spans(*[{**long, semconv.PROMPT_NAME: name} for name in ("short-a", "other")]))
    assert collector.evaluation.finish(PATIENCE)
    of = {"dimension": "instruction_adherence", "source": "heuristic"}
    assert told(collector, semconv.QUALITY_RESULTS, **of, template="short-a", verdict="fail") == 1
    assert told(collector, semconv.QUALITY_RESULTS, **of, template="other", verdict="fail") == 0


def test_an_answer_in_which_a_check_has_failed_is_judged_in_any_case(settings, running, spans, said, take, told):
    text = "{checks: [refusal], sampling: {share: 0, minimum_per_template: 0}}"
    collector = running(settings(text))
    take(collector, spans(said("How?", "I'm sorry, but I can't assist with that request."), said("How?", "So.")))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.QUALITY_RESULTS, source="judge") == 1
    # It says nothing of how good answers are in general.
    assert told(collector, semconv.QUALITY_JUDGED, verdict="pass") == 0


def test_an_answer_that_is_not_whole_is_not_judged_and_counted_as_such(settings, running, spans, said, take, told):
    collector = running(settings())
    cut = said("Hello?", "So it beg… [cut: 4000 characters]")
    broken = {semconv.OUTPUT_MESSAGES: '[{"role": "assist'}
    take(collector, spans(cut, broken, said("Hello?", "")))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.EVALUATIONS_DROPPED, reason="incomplete_content") == 2
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", verdict="pass") == 0


def test_some_answers_are_judged_twice_to_see_whether_the_judge_agrees_with_itself(
    judge, settings, running, spans, said, take, told
):
    collector = running(settings(repeat_share=1.0))
    take(collector, spans(said("Hello?", "Hi!")))
    assert collector.evaluation.finish(PATIENCE)
    assert len(judge.requests) == 2
    assert told(collector, semconv.JUDGE_SELF_AGREEMENT, dimension="tone", agreed="true") == 1
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", verdict="pass") == 1


def test_people_get_what_was_drawn_for_them_and_the_worst(settings, running, spans, said, take, tmp_path):
    text = f"{{review: {{directory: {tmp_path}/review, share: 0, minimum_per_template: 1, worst_per_template: 1}}}}"
    collector = running(settings(text))
    for answer in ("Hi!", "Go away, rude person.", "You are rude."):
        take(collector, spans({semconv.PROMPT_NAME: "greeting", **said("Hello?", answer)}))
        assert collector.evaluation.finish(PATIENCE)
    drawn, worst = ReviewStore(tmp_path / "review").read(since=0)
    assert (drawn.why, drawn.actual, drawn.query, drawn.judge_verdict, drawn.weight) == (
        "uniform",
        "Hi!",
        "Hello?",
        "pass",
        1,
    )
    assert (worst.why, worst.actual, worst.judge_verdict, worst.weight) == ("tail", "Go away, rude person.", "fail", 0)
    assert {drawn.template, drawn.dimension, drawn.judge} == {"greeting", "tone", "judge-1"}


def test_checks_and_rubrics_can_be_changed_while_the_collector_runs(rubric, settings, running, spans, said, take, told):
    collector = running(settings())
    take(collector, spans(said("Hello?", "Hi!")))
    assert collector.evaluation.finish(PATIENCE)
    rubric.write_text(rubric.read_text().replace("Is it kind?", "Is it very kind?"))
    collector.reload(Config(evaluation=settings("checks: [refusal]")))
    take(collector, spans(said("How?", "I'm sorry, but I can't assist with that request.")))
    assert collector.evaluation.finish(PATIENCE)
    hashes = [each["rubric"] for each in collector.evaluation.expected("") if each["source"] == semconv.SOURCE_JUDGE]
    assert told(collector, semconv.QUALITY_JUDGED, rubric=hashes[0], verdict="pass") == 1
    assert told(collector, semconv.QUALITY_JUDGED, verdict="pass") == 2
    assert told(collector, semconv.FAILURES, mode="refusal") == 1


@pytest.mark.parametrize("family", [semconv.QUALITY_JUDGED, semconv.QUALITY_PAIRS, semconv.HUMAN_PAIRS])
@pytest.mark.parametrize("restarted", [True, False])
def test_a_changed_rubric_begins_at_0_for_the_templates_that_are_known(
    rubric, settings, running, spans, said, take, tmp_path, family, restarted
):
    """Prometheus' increase() does not see a first import of grades whose series are born with it."""
    storage = StorageConfig(directory=str(tmp_path / "state"))
    # A minimum of 0 and a share of 0: nothing is judged, so that nothing but the announcement makes a series.
    text = f"{{sampling: {{share: 0, minimum_per_template: 0}}, review: {{directory: {tmp_path}}}}}"
    collector = running(settings(text), storage=storage)
    take(collector, spans({**said("Hello?", "Hi!"), semconv.PROMPT_NAME: "greeting"}))
    rubric.write_text(rubric.read_text().replace("Is it kind?", "Is it very kind?"))
    if restarted:
        collector.stop()
        collector = running(settings(text), storage=storage)
    else:
        collector.reload(Config(evaluation=settings(text)))
    take(collector, spans({**said("Hello?", "Hi!"), semconv.PROMPT_NAME: "other"}))
    body = b"".join(collector.render(Format.TEXT)).decode()
    samples = [each for one in parser.text_string_to_metric_families(body) for each in one.samples]
    [changed] = Plan(settings(text)).rubrics
    found = {
        (each.labels["template"], each.value)
        for each in samples
        if each.name == family.name and each.labels["rubric"] == changed
    }
    assert found == {("greeting", 0), ("other", 0)}


def test_without_evaluation_the_content_of_calls_is_not_even_read(settings, running, spans, said, take, told):
    collector = running(settings(judged=False))
    assert not collector.intake.content
    take(collector, spans(said("Hello?", "Hi!")))
    assert told(collector, semconv.EVALUATIONS_WAITING) == 0


def test_findings_that_cannot_be_taken_for_a_while_are_told_once_they_can(
    settings, running, spans, said, take, told, monkeypatch
):
    collector = running(settings())
    refusals = iter([UnavailableError(0.01, "the disk is full")] * 2)
    intake_take = collector.intake.take

    def take_later(receiver, *request):
        if receiver == semconv.RECEIVER_EVALUATION and (refusal := next(refusals, None)):
            raise refusal
        return intake_take(receiver, *request)

    monkeypatch.setattr(collector.intake, "take", take_later)
    take(collector, spans(said("Hello?", "Hi!")))
    assert collector.evaluation.finish(PATIENCE)
    assert next(refusals, None) is None
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", verdict="pass") == 1


def test_a_fault_of_an_evaluation_costs_that_answer_alone(
    settings, running, spans, said, take, told, monkeypatch, caplog
):
    collector = running(settings())

    def fail(self, *arguments, **settings):
        raise ZeroDivisionError

    with monkeypatch.context() as faulty:
        faulty.setattr("llmvitals_collector.evaluation.sampling.Sampling.draw", fail)
        take(collector, spans(said("Hello?", "Hi!")))
        assert collector.evaluation.finish(PATIENCE)
    take(collector, spans(said("Hello?", "Hi!")))
    assert collector.evaluation.finish(PATIENCE)
    assert told(collector, semconv.EVALUATIONS_DROPPED, reason="fault") == 1
    assert told(collector, semconv.QUALITY_RESULTS, source="judge", verdict="pass") == 1
    assert "an answer could not be evaluated" in caplog.text
