"""What waits for the judge: bounded, fair, and what goes is the oldest of whoever has most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.evaluation.strata import Strata


def test_strata_take_turns_so_that_a_rare_one_does_not_wait_behind_a_frequent_one():
    waiting = Strata(10, 10)
    for item in ("a1", "a2", "a3", "b1"):
        waiting.add(item[0], item, 1)
    assert [waiting.take() for _ in range(4)] == ["a1", "b1", "a2", "a3"]
    with pytest.raises(IndexError, match="nothing waits"):
        waiting.take()


def test_what_goes_is_the_oldest_of_the_stratum_that_has_the_most():
    waiting = Strata(3, 10)
    assert [waiting.add(item[0], item, 1) for item in ("b1", "a1", "a2", "a3")] == [[], [], [], ["a1"]]


def test_long_texts_take_the_room_of_several_and_one_that_is_too_long_takes_none():
    waiting = Strata(10, 10)
    sizes = {"b1": 3, "a1": 3, "a2": 4, "a3": 5, "b2": 11, "b3": 10}
    gone = {item: waiting.add(item[0], item, size) for item, size in sizes.items()}
    assert gone == {"b1": [], "a1": [], "a2": [], "a3": ["a1", "a2"], "b2": ["b2"], "b3": ["b1", "b3"]}
    assert [waiting.take() for _ in range(len(waiting))] == ["a3"]


@given(limit=st.integers(1, 8), steps=st.lists(st.none() | st.sampled_from("abc"), max_size=60))
def test_nothing_is_lost_but_what_is_told_to_be_and_the_order_of_a_stratum_stays(limit, steps):
    waiting, expected = Strata(limit, len(steps)), []
    for number, stratum in enumerate(steps):
        if stratum:
            expected.append((stratum, number))
            for dropped in waiting.add(stratum, (stratum, number), 1):
                sizes = {each: sum(other == each for other, _ in expected) for each, _ in expected}
                assert sizes[dropped[0]] == max(sizes.values())
                assert dropped == min(item for item in expected if item[0] == dropped[0])
                expected.remove(dropped)
        elif expected:
            taken = waiting.take()
            assert taken == min(item for item in expected if item[0] == taken[0])
            expected.remove(taken)
        assert len(waiting) == len(expected) <= limit
