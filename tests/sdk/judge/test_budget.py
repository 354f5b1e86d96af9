"""A budget is what is left of a day, UTC, of the scarcer of money and tokens."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals.judge import Budget, Price

DAY = 86_400


@given(
    st.lists(st.tuples(st.floats(0, 2 * DAY), st.integers(0, 5000), st.floats(0, 0.5))),
    st.none() | st.integers(1, 20_000),
    st.none() | st.floats(0.01, 2),
)
def test_what_is_spent_on_a_day_is_the_sum_of_that_day(steps, tokens, usd):
    now = 20_000.0 * DAY
    budget = Budget(tokens=tokens, usd=usd, clock=lambda: now)
    spent = {}
    for seconds, some_tokens, dollars in steps:
        now += seconds
        budget.spend(some_tokens, dollars)
        before = spent.get(now // DAY, (0, 0.0))
        spent[now // DAY] = (before[0] + some_tokens, before[1] + dollars)
        assert (budget.spent_tokens, budget.spent_usd) == spent[now // DAY]
        shares = [1 - spent[now // DAY][0] / tokens] if tokens else []
        shares += [1 - spent[now // DAY][1] / usd] if usd else []
        assert budget.left == max(min(shares, default=1.0), 0.0)


def test_threads_that_spend_at_the_same_time_spend_all_of_it():
    budget = Budget(tokens=10**9)
    threads = [threading.Thread(target=lambda: [budget.spend(1, 0.5) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (budget.spent_tokens, budget.spent_usd) == (4000, 2000.0)


def test_without_a_limit_all_is_left():
    budget = Budget()
    budget.spend(10**12, 10**6)
    assert budget.left == 1.0


@pytest.mark.parametrize("limit", [{"usd": 0}, {"tokens": -1}, {"usd": float("nan")}, {"tokens": "many"}])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(ValueError, match="is no number over 0"):
        Budget(**limit)


def test_a_price_counts_cached_input_apart_and_reasoning_within_the_output():
    usage = {"input": 1_000_000, "cache_read": 400_000, "output": 100_000, "reasoning": 90_000}
    assert Price(2, 10).cost(usage) == pytest.approx(3.0)
    assert Price(2, 10, cache_read=0.5).cost(usage) == pytest.approx(2.4)


def test_cached_input_that_is_more_than_all_input_makes_no_money():
    assert Price(2, 10, cache_read=0).cost({"input": 10, "cache_read": 10**9}) == 0


@pytest.mark.parametrize("price", [(-1, 1), (1, float("inf")), ("1", 1), (1, None)])
def test_a_price_that_is_none_is_refused(price):
    with pytest.raises(ValueError, match="is no number of US dollars"):
        Price(*price)
