"""What was counted in the last minutes, by the texts of the labels, whatever becomes of their rows."""

import numpy as np
import pytest

from llmvitals import semconv
from llmvitals_collector.config import Limits
from llmvitals_collector.page import history


def counted(seen, query=""):
    """Template -> calls."""
    return {row["name"]: row["calls"] for row in seen.page(query)["templates"]}


def test_the_last_five_minutes_the_hour_and_everything(seen):
    seen.calls(100)
    seen.minutes(10)
    seen.calls(10)
    seen.minutes(3)
    seen.calls(1)
    assert [counted(seen, f"window={window}") for window in ("5m", "1h", "all")] == [
        {"letter": 11},
        {"letter": 111},
        {"letter": 111},
    ]


def test_what_was_counted_before_the_page_began_is_not_of_the_last_hour(seen):
    seen.calls(5)
    seen.history = history.History(seen.reading())
    seen.calls(2)
    assert counted(seen, "window=1h") == {"letter": 2}
    assert counted(seen, "window=all") == {"letter": 7}


def test_after_an_hour_it_is_forgotten(seen):
    seen.calls(5)
    seen.minutes(59)
    assert counted(seen, "window=1h") == {"letter": 5}
    seen.minutes(3)
    assert counted(seen, "window=1h") == {}


def test_a_window_says_how_long_it_is(seen):
    seen.minutes(2.5)
    assert seen.page("window=5m")["seconds"] == 150
    seen.minutes(20)
    assert abs(seen.page("window=5m")["seconds"] - 300) <= 30


@pytest.mark.parametrize("again", ["letter", "summary"])
def test_a_row_that_is_given_to_another_or_to_the_same_again_begins_at_nothing(seeing, again):
    """Its label set expired, and its counts with it: what comes then is not less what was there before."""
    seen = seeing(Limits(expire_after_seconds=60))
    seen.calls(50)
    seen.minutes(5)
    seen.calls(7, template="other")  # which looks for what has expired
    seen.calls(3, template=again)
    assert counted(seen, "window=all") == {"other": 7, again: 3}
    expected = {"other": 7, "letter": 50}
    assert counted(seen, "window=1h") == {**expected, again: expected.get(again, 0) + 3}
    seen.minutes(2)
    assert counted(seen, "window=1h") == {**expected, again: expected.get(again, 0) + 3}


def test_the_codes_of_label_sets_that_are_gone_are_given_to_others(seeing):
    seen = seeing(Limits(expire_after_seconds=60))
    for number in range(130):
        seen.calls(1, template=f"of-minute-{number}")
        seen.minutes()
    codes = seen.history._codes[semconv.CALLS.labels[:5]]
    assert len(codes.keys) < 70
    assert sum(counted(seen, "window=1h").values()) == 60


def test_many_numbers_are_kept_in_fewer_slots_and_none_is_lost(seen, monkeypatch):
    """The last five minutes stay as they are."""
    monkeypatch.setattr(history, "MOST_CELLS", 300)
    chance = np.random.default_rng(1)
    for _ in range(50):
        seen.durations(chance.lognormal(0, 1, 4).tolist())
        seen.minutes()
        assert sum(slot.cells for slot in seen.history._slots) <= 300
    assert counted(seen, "window=1h") == {"letter": 200}
    assert counted(seen, "window=5m") == {"letter": 20}
    trend = seen.page("window=1h")["trend"]
    assert len(trend["start"]) < 40
    assert sum(trend["calls"]) == 200


def test_where_even_that_is_too_much_the_oldest_goes(seen, monkeypatch):
    monkeypatch.setattr(history, "MOST_CELLS", 10)
    for _ in range(20):
        seen.calls(1)
        seen.minutes()
    page = seen.page("window=1h")
    assert 0 < page["totals"]["calls"] < 20
    assert page["seconds"] == 60 * page["totals"]["calls"]
