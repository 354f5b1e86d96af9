"""When each release was first seen."""

import msgspec
import pytest

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.release import ReleaseConfig, Releases

CALL = {
    "service": "shop",
    "release": "1.2",
    "template": "greeting",
    "template_version": "7",
    "model": "gpt-5",
    "response_model": "gpt-5-2025-08-07",
    "end_time": 1000.0,
}


def seen(releases):
    assert {family for family, _, _ in releases.gauges()} <= {semconv.RELEASE_TIMESTAMP}
    return {labels: time for _, labels, time in releases.gauges()}


def test_a_call_tells_of_a_version_of_its_app_its_prompt_and_its_model():
    releases = Releases(ReleaseConfig())
    releases.process(Calls.from_rows([CALL]))
    assert seen(releases) == {
        ("app", "shop", "1.2"): 1000.0,
        ("prompt", "greeting", "7"): 1000.0,
        ("model", "gpt-5", "gpt-5-2025-08-07"): 1000.0,
    }


@pytest.mark.parametrize(
    "row",
    [{"service": "shop", "end_time": 1.0}, {"release": "1", "end_time": 1.0}, {"service": "shop", "release": "1"}],
)
def test_a_release_has_a_name_a_version_and_a_time(row):
    releases = Releases(ReleaseConfig())
    releases.process(Calls.from_rows([row]))
    assert seen(releases) == {}


def test_the_first_call_of_the_first_batch_tells_the_time():
    releases = Releases(ReleaseConfig())
    first = [{"service": "shop", "release": "1", "end_time": time} for time in (12.0, 10.0, None, 11.0)]
    releases.process(Calls.from_rows([{k: v for k, v in row.items() if v} for row in first]))
    releases.process(Calls.from_rows([{"service": "shop", "release": "1", "end_time": 9.0}]))
    assert seen(releases) == {("app", "shop", "1"): 10.0}


def test_of_too_many_releases_those_seen_last_are_kept():
    releases = Releases(ReleaseConfig(keep=2))
    for version in ("1", "2", "1", "3"):
        releases.process(Calls.from_rows([{"service": "shop", "release": version, "end_time": 10.0 + int(version)}]))
    assert seen(releases) == {("app", "shop", "1"): 11.0, ("app", "shop", "3"): 13.0}


def test_what_was_seen_is_known_after_a_restart():
    before = Releases(ReleaseConfig())
    before.process(Calls.from_rows([CALL, CALL | {"release": "1.3", "end_time": 2000.0}]))
    after, smaller = Releases(ReleaseConfig()), Releases(ReleaseConfig(keep=1))
    after.restore(before.state())
    after.process(Calls.from_rows([CALL | {"end_time": 3000.0}]))
    assert seen(after) == seen(before)
    smaller.restore(before.state())
    assert ("app", "shop", "1.3") in seen(smaller)
    assert len(seen(smaller)) == 3


def test_what_is_no_state_is_refused():
    with pytest.raises(msgspec.DecodeError):
        Releases(ReleaseConfig()).restore(b"{")
