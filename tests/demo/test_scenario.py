"""The demo's models behave by their laws, and the same for the same seed."""

import statistics

from llmvitals_collector.demo.models import MODELS
from llmvitals_collector.demo.scenario import Scenario


def drawn(model, seed=1, count=2000):
    scenario = Scenario(seed)
    return [scenario({"model": model}) for _ in range(count)]


def test_the_same_seed_gives_the_same_behaviours():
    assert drawn("gpt-5-mini", count=50) == drawn("gpt-5-mini", count=50)
    assert drawn("gpt-5-mini", count=50) != drawn("gpt-5-mini", seed=2, count=50)


def test_what_is_cached_comes_with_a_shorter_first_token():
    answers = [behaviour for behaviour in drawn("claude-sonnet-4-5") if behaviour.status == 200]
    hits = [answer.first_token_seconds for answer in answers if answer.cache_read_tokens]
    misses = [answer.first_token_seconds for answer in answers if not answer.cache_read_tokens]
    assert statistics.median(hits) < 0.5 * statistics.median(misses)


def test_one_model_fails_more_often_than_all_others():
    failed = {model: sum(behaviour.status != 200 for behaviour in drawn(model)) for model in MODELS}
    worst = max(failed, key=failed.get)
    assert worst == "claude-haiku-4-5"
    assert failed.pop(worst) > 3 * max(failed.values())


def test_one_model_is_slower_than_all_others():
    seconds = {
        model: statistics.median(behaviour.first_token_seconds for behaviour in drawn(model)) for model in MODELS
    }
    slowest = max(seconds, key=seconds.get)
    assert slowest == "gpt-5"
    assert seconds.pop(slowest) > 2 * max(seconds.values())


def test_an_unknown_model_is_not_found():
    assert Scenario(1)({"model": "gpt-1"}).status == 404
