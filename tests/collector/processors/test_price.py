"""What a call costs, and who says so."""

import math

import pytest

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.price import Price, PriceConfig, Pricing

MILLION = 1_000_000
MODELS = {
    "gpt-5*": Price(input=1.25, output=10, cache_read=0.125),
    "gpt-5-mini*": Price(input=0.25, output=2),
    "claude-*": Price(input=3, output=15, cache_read=0.3, cache_write=3.75),
}


def cost(row, models=MODELS, **config):
    calls = Pricing(PriceConfig(models=models, **config)).process(Calls.from_rows([row]))
    (amount,), (priced,) = calls["cost"], calls["priced"]
    return None if math.isnan(amount) else pytest.approx(amount), semconv.PRICED[priced] if priced >= 0 else None


@pytest.mark.parametrize(
    ("row", "dollars"),
    [
        ({"model": "gpt-5", "input_tokens": MILLION, "output_tokens": MILLION}, 11.25),
        ({"model": "gpt-5-mini", "input_tokens": MILLION, "output_tokens": MILLION}, 2.25),
        ({"model": "gpt-5", "input_tokens": MILLION}, 1.25),
        ({"model": "gpt-5", "input_tokens": MILLION, "cache_read_tokens": MILLION}, 0.125),
        ({"model": "gpt-5-mini", "input_tokens": MILLION, "cache_read_tokens": MILLION}, 0.25),
        ({"model": "gpt-5", "input_tokens": MILLION, "cache_write_tokens": MILLION}, 1.25),
        (
            {"model": "claude-x", "input_tokens": 4e6, "cache_read_tokens": 1e6, "cache_write_tokens": 2e6},
            3 + 0.3 + 7.5,
        ),
        ({"model": "our-chat", "response_model": "gpt-5-mini-2025-08-07", "input_tokens": MILLION}, 0.25),
        ({"model": "gpt-5", "response_model": "unheard-of", "input_tokens": MILLION}, 1.25),
    ],
)
def test_tokens_cost_what_the_longest_pattern_says(row, dollars):
    assert cost(row) == (dollars, semconv.CONFIGURED)


def test_what_the_sender_says_counts_before_configured_prices():
    told = {"model": "gpt-5", "input_tokens": MILLION, "cost": 9.0}
    assert cost(told) == (9.0, semconv.SENDER)
    assert cost(told, override=True) == (1.25, semconv.CONFIGURED)
    assert cost(told | {"model": "unheard-of"}, override=True) == (9.0, semconv.SENDER)
    assert cost(told, models={}) == (9.0, semconv.SENDER)


def test_a_call_without_a_price_is_known_to_be_one():
    assert cost({"model": "unheard-of", "input_tokens": 10}) == (None, semconv.UNKNOWN)
    assert cost({"input_tokens": 10}, models={"*": Price(input=1, output=1)}) == (None, semconv.UNKNOWN)


def test_a_call_that_tells_no_tokens_has_nothing_to_price():
    assert cost({"model": "gpt-5"}) == (None, None)
