"""Tasks and lookups in an app's own caches become series of their own, and never calls."""

import pytest

from llmvitals import semconv


@pytest.fixture
def collector(unserved):
    return unserved


def test_a_task_counts_by_its_outcome_and_a_failed_one_by_its_mode(spans, collector):
    done = {semconv.TASK_NAME: "refund", semconv.TASK_OUTCOME: semconv.COMPLETED}
    failed = {semconv.TASK_NAME: "refund", semconv.TASK_OUTCOME: semconv.FAILED, semconv.TASK_FAILURE_MODE: "no_answer"}
    request = spans({}, {}, {})
    for span, attributes in zip(request.resource_spans[0].scope_spans[0].spans, (done, failed, {}), strict=True):
        if attributes:
            del span.attributes[:]
            for key, value in attributes.items():
                span.attributes.add(key=key).value.string_value = value
    for _ in range(2):
        collector.traces(request)
    assert collector.counted(semconv.TASKS, "task", "outcome") == {("refund", "completed"): 1, ("refund", "failed"): 1}
    assert collector.counted(semconv.TASK_FAILURES, "task", "failure_mode") == {("refund", "no_answer"): 1}
    assert collector.counted(semconv.TASK_DURATION, "outcome") == {("completed",): 1, ("failed",): 1}
    assert sum(collector.counted(semconv.CALLS, "outcome").values()) == 1


def test_a_task_that_ended_nobody_knows_how_counts_and_so_does_the_lookup_that_it_is(spans, collector):
    request = spans({})
    span = request.resource_spans[0].scope_spans[0].spans[0]
    del span.attributes[:]
    for key, value in {semconv.TASK_NAME: "refund", semconv.CACHE_NAME: "a", semconv.CACHE_OUTCOME: "hit"}.items():
        span.attributes.add(key=key).value.string_value = value
    collector.traces(request)
    assert collector.counted(semconv.TASKS, "outcome") == {("unknown",): 1}
    assert collector.counted(semconv.RESPONSE_CACHE_LOOKUPS, "outcome") == {("hit",): 1}


def test_a_lookup_counts_by_its_outcome_and_a_hit_by_what_it_saved(spans, collector):
    request = spans({})
    span = request.resource_spans[0].scope_spans[0].spans[0]
    del span.attributes[:]
    for key, value in {semconv.CACHE_NAME: "answers", semconv.CACHE_OUTCOME: semconv.HIT}.items():
        span.attributes.add(key=key).value.string_value = value
    span.attributes.add(key=semconv.CACHE_SAVED_DURATION).value.double_value = 2.5
    span.attributes.add(key=semconv.CACHE_SAVED_OUTPUT_TOKENS).value.int_value = 40
    collector.traces(request)
    assert collector.counted(semconv.RESPONSE_CACHE_LOOKUPS, "response_cache", "outcome") == {("answers", "hit"): 1}
    assert collector.counted(semconv.RESPONSE_CACHE_SAVED_SECONDS, "response_cache") == {("answers",): 2.5}
    saved = collector.counted(semconv.RESPONSE_CACHE_SAVED_TOKENS, "gen_ai_token_type")
    assert saved == {("output",): 40}
