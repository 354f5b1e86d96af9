"""Verdicts, feedback and failures become series: whoever tells of them, each counts once and as what it is."""

import math
import time

import pytest

from llmvitals import semconv
from llmvitals_collector.decode import decode_logs, decode_traces
from llmvitals_collector.quality import rated

OUT_OF_FIVE = {semconv.EVALUATION_SCORE_MIN: 1, semconv.EVALUATION_SCORE_MAX: 5}
IN_A_CALL = {semconv.REQUEST_MODEL: "gpt-5", semconv.PROMPT_NAME: "support", semconv.PROMPT_VERSION: "3"}


@pytest.fixture
def collector(unserved):
    return unserved


@pytest.fixture
def evaluated(events, collector):
    """`evaluated({attributes}, ...)` sends results about answers of one template to the collector."""

    def send(*results):
        named = ({semconv.EVALUATION_NAME: "relevance", **IN_A_CALL, **each} for each in results)
        collector.logs(events(*((semconv.EVALUATION_RESULT, each) for each in named)))

    return send


def result(events, **attributes):
    request = events((semconv.EVALUATION_RESULT, {semconv.EVALUATION_NAME: "relevance", **attributes}))
    return rated(decode_logs(request.SerializeToString()).records)


def verdict_of(results):
    return semconv.RESULT_VERDICTS[results["verdict"][0]]


# ---- What a result says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "verdict", "score"),
    [
        ({semconv.EVALUATION_SCORE_LABEL: "pass"}, "pass", math.nan),
        ({semconv.EVALUATION_SCORE_LABEL: "Failed"}, "fail", math.nan),
        ({semconv.EVALUATION_SCORE_VALUE: 0.5}, "pass", 0.5),
        ({semconv.EVALUATION_SCORE_VALUE: 0.49}, "fail", 0.49),
        ({semconv.EVALUATION_SCORE_VALUE: 0.7, semconv.EVALUATION_THRESHOLD: 0.75}, "fail", 0.7),
        ({**OUT_OF_FIVE, semconv.EVALUATION_SCORE_VALUE: 4}, "pass", 0.75),
        ({semconv.EVALUATION_SCORE_VALUE: 0.9, semconv.EVALUATION_SCORE_LABEL: "fail"}, "fail", 0.9),
        ({semconv.EVALUATION_SCORE_LABEL: "rather helpful"}, "unknown", math.nan),
        ({}, "unknown", math.nan),
        ({semconv.ERROR_TYPE: "timeout", semconv.EVALUATION_SCORE_VALUE: 1.0}, "error", math.nan),
        ({semconv.EVALUATION_SCORE_VALUE: 9.2e124}, "error", math.nan),
        ({semconv.EVALUATION_SCORE_VALUE: -1.0}, "error", math.nan),
        ({semconv.EVALUATION_SCORE_VALUE: math.nan}, "unknown", math.nan),
    ],
)  # fmt: skip
def test_a_verdict_is_told_in_words_or_follows_from_the_score_and_is_never_made_up(events, attributes, verdict, score):
    results = result(events, **attributes)
    assert verdict_of(results) == verdict
    assert results["score"][0] == pytest.approx(score, nan_ok=True)


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({semconv.EVALUATION_SOURCE: "judge"}, "judge"),
        ({"gen_ai.evaluation.evaluator.type": "llm_judge"}, "judge"),
        ({"gen_ai.evaluation.evaluator.type": "human"}, "human"),
        ({semconv.EVALUATION_SOURCE: "?"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_whose_verdict_it_is_stays_known(events, told, source):
    results = result(events, **told)
    assert results.strings[results["source"][0]] == source


def test_unknown_and_error_count_neither_as_pass_nor_as_fail(evaluated, collector):
    evaluated({}, {semconv.ERROR_TYPE: "timeout"}, {semconv.EVALUATION_SCORE_LABEL: "pass"})
    assert collector.counted(semconv.QUALITY_RESULTS, "verdict") == {("unknown",): 1, ("error",): 1, ("pass",): 1}
    assert collector.counted(semconv.QUALITY_WEIGHT, "dimension") == {("relevance",): 1}


@pytest.mark.parametrize(("told", "release"), [({semconv.RELEASE: "2.0"}, "2.0"), ({}, "3.1")])
def test_the_release_of_a_result_is_its_calls_and_else_its_senders(events, told, release):
    request = events((semconv.EVALUATION_RESULT, {semconv.EVALUATION_NAME: "relevance", **told}))
    version = request.resource_logs[0].resource.attributes.add(key=semconv.SERVICE_VERSION)
    version.value.string_value = "3.1"
    results = decode_logs(request.SerializeToString()).records
    assert results.strings[results["release"][0]] == release


def test_a_result_with_an_id_counts_once_whenever_it_comes(evaluated, collector):
    for label in ("pass", "fail"):
        evaluated({semconv.EVALUATION_ID: "one", semconv.EVALUATION_SCORE_LABEL: label})
    assert collector.counted(semconv.QUALITY_RESULTS, "verdict") == {("pass",): 1}


def test_a_result_is_one_whether_it_is_told_as_a_span_event_as_a_log_record_or_as_both(spans, collector):
    request = spans({})
    span = request.resource_spans[0].scope_spans[0].spans[0]
    event = span.events.add(name=semconv.EVALUATION_RESULT, time_unix_nano=span.end_time_unix_nano)
    event.attributes.add(key=semconv.EVALUATION_NAME).value.string_value = "relevance"
    event.attributes.add(key=semconv.EVALUATION_SCORE_VALUE).value.double_value = 0.75
    collector.traces(request)
    assert collector.counted(semconv.QUALITY_RESULTS, "service_name", "verdict") == {("shop", "pass"): 1}
    collector.traces(request)
    assert collector.counted(semconv.QUALITY_RESULTS, "verdict") == {("pass",): 1}


def test_verdicts_of_two_evaluators_on_one_span_are_two_and_a_repetition_of_them_is_none(events, collector):
    """Of llama-guard and presidio, say: neither has an id, and both say the same of the same dimension."""
    told = {
        semconv.EVALUATION_NAME: "safety",
        semconv.EVALUATION_SOURCE: "guard",
        semconv.EVALUATION_SCORE_LABEL: "pass",
    }
    request = events(
        *((semconv.EVALUATION_RESULT, {**told, semconv.EVALUATOR_NAME: each}) for each in ("one", "other"))
    )
    for record in request.resource_logs[0].scope_logs[0].log_records:
        record.trace_id, record.span_id = (5).to_bytes(16), (6).to_bytes(8)
    for _ in range(2):
        collector.logs(request)
    assert collector.counted(semconv.QUALITY_RESULTS, "dimension") == {("safety",): 2}


def test_samples_are_weighted(evaluated, collector):
    weighted = {semconv.EVALUATION_SCORE_LABEL: "pass", semconv.EVALUATION_WEIGHT: 50.0}
    evaluated(weighted, {semconv.EVALUATION_SCORE_LABEL: "fail", semconv.EVALUATION_WEIGHT: 1.0})
    assert collector.counted(semconv.QUALITY_WEIGHT, "dimension") == {("relevance",): 51}
    assert collector.counted(semconv.QUALITY_WEIGHT_SQUARED, "dimension") == {("relevance",): 2501}
    assert collector.counted(semconv.QUALITY_WEIGHTED_PASS, "dimension") == {("relevance",): 50}


def test_what_was_looked_at_only_to_be_read_counts_in_no_rate(evaluated, collector):
    evaluated({semconv.EVALUATION_SCORE_LABEL: "fail", semconv.EVALUATION_WEIGHT: 0.0})
    assert collector.counted(semconv.QUALITY_RESULTS, "verdict") == {}


def test_it_is_known_when_the_last_result_of_a_source_came_and_how_old_its_questions_are(evaluated, collector):
    made = {semconv.EVALUATION_SET_TIME: 1_700_000_000.0}
    evaluated({semconv.EVALUATION_SOURCE: "human"}, {semconv.EVALUATION_SET: semconv.GOLDEN, **made})
    since = time.time() - 60
    last = collector.counted(semconv.EVALUATION_LAST, "source", "set")
    assert {labels for labels, when in last.items() if when > since} == {("human", "live"), ("unknown", "golden")}
    assert collector.counted(semconv.EVALUATION_SET_TIMESTAMP, "set") == {("golden",): 1_700_000_000}


# ---- Judges and people ---------------------------------------------------------------------------------

JUDGED = {
    semconv.EVALUATION_SOURCE: semconv.SOURCE_JUDGE,
    semconv.EVALUATOR_NAME: "gpt-5-mini",
    semconv.EVALUATION_RUBRIC: "abc",
    semconv.EVALUATION_STRATUM: semconv.UNIFORM,
    semconv.EVALUATION_SCORE_VALUE: 0.75,
}
GRADED = {
    **JUDGED,
    semconv.EVALUATION_SOURCE: semconv.SOURCE_HUMAN,
    semconv.EVALUATOR_NAME: "a person",
    semconv.JUDGE_NAME: "gpt-5-mini",
    semconv.JUDGE_VERDICT: "pass",
    semconv.JUDGE_SCORE: 0.75,
    semconv.EVALUATION_SCORE_VALUE: 0.25,
}


def test_a_judge_and_a_person_on_one_answer_are_a_pair_of_that_judge_and_rubric(evaluated, collector):
    evaluated(JUDGED, GRADED)
    labels = ("evaluator", "rubric", "judge", "human")
    assert collector.counted(semconv.QUALITY_PAIRS, *labels) == {("gpt-5-mini", "abc", "pass", "fail"): 1}
    assert collector.counted(semconv.QUALITY_JUDGED, "evaluator", "verdict") == {("gpt-5-mini", "pass"): 1}
    assert collector.counted(semconv.QUALITY_PAIR_SUMS, "moment") == {
        ("n",): 1, ("y",): 0.25, ("f",): 0.75, ("yy",): 0.0625, ("ff",): 0.5625, ("yf",): 0.1875,
        ("N",): 1, ("F",): 0.75, ("FF",): 0.5625,
    }  # fmt: skip


def test_what_was_flagged_corrects_nothing(evaluated, collector):
    flagged = {semconv.EVALUATION_STRATUM: semconv.FLAGGED}
    evaluated({**JUDGED, **flagged}, {**GRADED, **flagged})
    for family in (semconv.QUALITY_PAIRS, semconv.QUALITY_JUDGED, semconv.QUALITY_PAIR_SUMS):
        assert collector.counted(family, "rubric") == {}
    assert sum(collector.counted(semconv.QUALITY_RESULTS, "source").values()) == 2


def test_two_people_on_one_answer_are_a_pair_of_people_and_no_second_pair_with_the_judge(evaluated, collector):
    evaluated(
        {**GRADED, semconv.EVALUATION_ID: "1"}, {**GRADED, semconv.EVALUATION_ID: "2", semconv.PEER_VERDICT: "pass"}
    )
    assert collector.counted(semconv.HUMAN_PAIRS, "a", "b") == {("pass", "fail"): 1}
    assert collector.counted(semconv.QUALITY_PAIRS, "judge") == {("pass",): 1}


def test_an_answer_that_two_people_have_graded_stands_for_others_once(evaluated, collector):
    first = {**GRADED, semconv.EVALUATION_WEIGHT: 4, semconv.EVALUATION_ID: "1"}
    evaluated(first, {**first, semconv.PEER_VERDICT: "fail", semconv.EVALUATION_ID: "2"})
    assert collector.counted(semconv.QUALITY_WEIGHT, "source") == {("human",): 4}
    assert collector.counted(semconv.QUALITY_RESULTS, "source") == {("human",): 2}


def test_a_judge_that_failed_is_no_judgement(evaluated, collector):
    evaluated({**JUDGED, semconv.ERROR_TYPE: "timeout"})
    assert collector.counted(semconv.QUALITY_JUDGED, "verdict") == {("error",): 1}
    assert collector.counted(semconv.QUALITY_PAIR_SUMS, "moment") == {}


# ---- Failures, and what apps find themselves ---------------------------------------------------------------


def modes(collector):
    return collector.counted(semconv.FAILURES, "mode", "primary")


@pytest.mark.parametrize(
    ("attributes", "mode"),
    [
        ({semconv.ERROR_TYPE: "RateLimitError"}, "rate_limited"),
        ({semconv.ERROR_TYPE: "504"}, "timeout"),
        ({semconv.ERROR_TYPE: "InternalServerError"}, "provider_error"),
        ({semconv.STREAM_ENDING: semconv.CANCELLED}, "cancelled"),
        ({semconv.RESPONSE_FINISH_REASONS: ["length"]}, "truncated"),
        ({semconv.RESPONSE_FINISH_REASONS: ["MAX_TOKENS"]}, "truncated"),
        ({semconv.RESPONSE_FINISH_REASONS: ["content_filter"]}, "content_filtered"),
        ({semconv.RESPONSE_FINISH_REASONS: ["PROHIBITED_CONTENT"]}, "content_filtered"),
        ({semconv.USAGE_OUTPUT_TOKENS: 0}, "empty"),
        ({semconv.CHECKS: "refusal=fail format_valid=pass"}, "refusal"),
    ],
)
def test_a_call_that_failed_fails_in_a_mode(spans, collector, attributes, mode):
    collector.traces(spans(attributes, {}))
    assert modes(collector) == {(mode, "true"): 1}


def test_of_several_failures_of_an_answer_exactly_one_is_primary(spans, collector):
    found = {semconv.CHECKS: "refusal=fail privacy=fail repetition=fail"}
    collector.traces(spans({**found, semconv.RESPONSE_FINISH_REASONS: ["length"]}))
    assert modes(collector) == {
        ("pii_leak", "true"): 1, ("refusal", "false"): 1, ("truncated", "false"): 1, ("repetition", "false"): 1,
    }  # fmt: skip


def test_an_embedding_has_no_answer_that_could_be_empty(spans, collector):
    collector.traces(spans({semconv.OPERATION_NAME: semconv.EMBEDDINGS, semconv.USAGE_OUTPUT_TOKENS: 0}))
    assert modes(collector) == {}
    assert collector.samples(semconv.RESPONSES) == []


def test_what_an_app_has_checked_is_quality_by_dimension_and_events_are_none(spans, collector):
    checked = {semconv.CHECKS: "format_valid=fail refusal=pass language_match=unknown", **IN_A_CALL}
    collector.traces(spans(checked, checked))
    assert collector.counted(semconv.QUALITY_RESULTS, "template_version", "source", "dimension", "verdict") == {
        ("3", "heuristic", "format_valid", "fail"): 2,
        ("3", "heuristic", "language_match", "unknown"): 2,
    }


def test_checks_of_a_sampled_trace_stand_for_as_many_as_its_call(spans, collector):
    request = spans({semconv.CHECKS: "format_valid=pass"})
    request.resource_spans[0].scope_spans[0].spans[0].trace_state = "ot=th:8"
    collector.traces(request)
    assert collector.counted(semconv.QUALITY_RESULTS, "verdict") == {("pass",): 2}


def test_weights_of_a_sampled_trace_are_squared_so_that_intervals_are_those_of_what_was_seen(spans, collector):
    request = spans({semconv.CHECKS: "format_valid=pass"})
    request.resource_spans[0].scope_spans[0].spans[0].trace_state = "ot=th:c"
    collector.traces(request)
    assert collector.counted(semconv.QUALITY_WEIGHT, "dimension") == {("format_valid",): 4}
    assert collector.counted(semconv.QUALITY_WEIGHT_SQUARED, "dimension") == {("format_valid",): 16}


def test_a_failure_found_in_a_sample_counts_for_as_many_answers_as_it_stands_for(evaluated, collector):
    found = {semconv.EVALUATION_MODE: "incomplete", semconv.EVALUATION_PRIMARY: True}
    evaluated({**found, semconv.EVALUATION_WEIGHT: 50.0}, {**found, semconv.EVALUATION_ID: "flagged"})
    assert modes(collector) == {("incomplete", "true"): 51}


def test_an_app_that_names_a_thousand_checks_is_not_followed_in_all_of_them(spans, collector):
    """One span with fifty thousand took all memory."""
    collector.traces(spans({semconv.CHECKS: " ".join([*(f"c{each}=fail" for each in range(1000)), "refusal=fail"])}))
    assert len(collector.counted(semconv.QUALITY_RESULTS, "dimension")) == 100
    assert modes(collector) == {("refusal", "true"): 1}


def test_a_question_put_in_other_words_is_behaviour_that_the_app_has_inferred(spans, collector):
    collector.traces(spans({semconv.CHECKS: "rephrase=fail"}))
    assert collector.counted(semconv.FEEDBACK, "source", "kind") == {("heuristic", "rephrase"): 1}


# ---- Series that are there before they are needed -----------------------------------------------------------


def test_series_of_a_template_begin_with_its_first_answer_so_that_increase_sees_the_first_verdict(spans, collector):
    collector.traces(spans({**IN_A_CALL, semconv.CHECKS: "format_valid=pass"}))
    thumbs = [each for each in collector.samples(semconv.FEEDBACK) if each.labels["kind"] == "thumb_down"]
    assert [(each.labels["template"], each.labels["template_version"], each.value) for each in thumbs] == [
        ("support", "3", 0)
    ]
    failures = {each.labels["mode"]: each.value for each in collector.samples(semconv.FAILURES)}
    assert failures == dict.fromkeys(semconv.FAILURE_MODES, 0)
    verdicts = {each.labels["verdict"]: each.value for each in collector.samples(semconv.QUALITY_RESULTS)}
    assert verdicts == {"pass": 1, "fail": 0, "unknown": 0, "error": 0}


def test_what_may_come_of_checks_begins_at_0_too(spans, collector):
    collector.traces(spans({**IN_A_CALL, semconv.CHECKS: "format_valid=pass rephrase=pass"}))
    kinds = {(each.labels["source"], each.labels["kind"]): each.value for each in collector.samples(semconv.FEEDBACK)}
    assert (kinds["user", "thumb_down"], kinds["heuristic", "rephrase"]) == (0, 0)
    bands = {each.labels["latency_band"] for each in collector.samples(semconv.QUALITY_BY_LATENCY)}
    assert bands == set(semconv.LATENCY_BANDS)
    assert collector.samples(semconv.QUALITY_SCORE) == []  # of which the app tells none


def test_content_is_read_only_where_something_is_to_be_evaluated(spans):
    said = '[{"role":"assistant","parts":[{"type":"text","content":"Yes."}]}]'
    body = spans({semconv.OUTPUT_MESSAGES: said}).SerializeToString()
    calls = decode_traces(body, content=True).records
    assert calls.strings[calls["output_messages"][0]] == said
    assert said not in decode_traces(body).records.strings
