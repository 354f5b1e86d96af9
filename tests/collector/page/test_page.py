"""All open pages share an answer for a moment, and none of them sees less than was there before."""

import gzip
import json

import pytest

from llmvitals_collector.page import page
from llmvitals_collector.page.page import SHARED_SECONDS, Page
from llmvitals_collector.page.question import asked


@pytest.fixture
def ask(seen, monkeypatch):
    """`ask(query)` is what a page on the clock of `seen` answers; `ask.page` is that page."""
    monkeypatch.setattr(page.time, "time", lambda: seen.at)

    def answered(query=""):
        return json.loads(gzip.decompress(answered.page.answer(asked(query.encode()))))

    answered.page = Page(seen.reading, seen._floors)
    return answered


def test_for_a_moment_all_get_the_same(seen, ask):
    assert ask()["totals"] == {}
    seen.calls(3)
    assert ask() == ask()
    assert ask("window=1h")["totals"] == {}
    seen.at += SHARED_SECONDS
    assert ask()["totals"]["calls"] == 3


def test_what_is_asked_just_after_a_minute_has_ended_has_all_of_that_minute(seen, ask):
    """The answer of a second ago is not shared: the minute has counted more since."""
    ask()
    seen.at += 59
    seen.calls(5)
    assert ask()["totals"]["calls"] == 5
    seen.at += 1
    seen.calls(100)
    ask.page.sample()
    later = ask("window=1h")
    assert later["totals"]["calls"] == 105
    assert later["trend"]["calls"] == [105]
