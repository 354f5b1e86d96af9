"""A span is new once, as long as it is among the last `capacity` different ones."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.storage.seen import Seen

CAPACITY = 100


class Model:
    """The same with a dict."""

    def __init__(self):
        self.ids = OrderedDict()

    def new(self, ids, mark=1):
        fresh = [number not in self.ids and not self.ids.__setitem__(number, mark) for number in ids]
        while len(self.ids) > CAPACITY:
            self.ids.popitem(last=False)
        return fresh


def in_row(seen, row, number):
    """The id whose key begins with the bits of a row of the table."""
    return (row << 47 | number) * pow(seen._salt, -1, 1 << 64) % (1 << 64)


# Few rows of the table, so that they overflow, and few numbers, so that ids come again.
KEYS = st.tuples(st.integers(0, 3), st.integers(0, 60) | st.integers(0, 7).map(lambda number: number << 44))
BATCHES = st.lists(st.lists(KEYS, max_size=40), max_size=30)


@given(BATCHES, st.integers(0, 30))
def test_it_says_what_a_dict_would_say_also_after_a_restart(batches, restart):
    seen, model = Seen(CAPACITY), Model()
    salted = seen
    for number, batch in enumerate(batches):
        if number == restart:
            state, seen = seen.state(), Seen(CAPACITY)
            seen.restore(state)
        ids = [in_row(salted, *key) for key in batch]
        array, mark = np.array(ids, np.uint64), number + (1 << 31)
        assert seen.contains(array).tolist() == [each in model.ids for each in ids]
        assert seen.marks(array).tolist() == [model.ids.get(each, 0) for each in ids]
        assert seen.new(array, np.full(len(ids), mark, np.uint32)).tolist() == model.new(ids, mark)
        assert len(seen) == len(model.ids)


@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 50), max_size=50), max_size=20))
def test_any_64_bits_are_an_id(batches):
    seen, model = Seen(CAPACITY), Model()
    for ids in batches:
        assert seen.new(np.array(ids, np.uint64)).tolist() == model.new(ids)


def test_all_64_bits_of_an_id_are_compared():
    seen = Seen(CAPACITY)
    ids = np.array([in_row(seen, 0, 5), *(in_row(seen, 0, 5 ^ 1 << bit) for bit in range(64))], np.uint64)
    for one in range(len(ids)):
        assert seen.new(ids[one : one + 1]).all()
    assert not seen.new(ids).any()


def test_of_equal_ids_in_a_batch_the_first_is_new():
    assert Seen().new(np.array([7, 8, 7, 7, 9, 8], np.uint64)).tolist() == [True, True, False, False, True, False]


def test_a_batch_of_one_id_only_is_one_span():
    assert Seen().new(np.zeros(10_000, np.uint64)).sum() == 1


def test_the_oldest_are_forgotten_first_and_no_sooner():
    seen = Seen(50_000)
    ids = np.random.default_rng(1).integers(0, 1 << 64, 60_000, np.uint64)
    for start in range(0, len(ids), 500):
        assert seen.new(ids[start : start + 500]).all()
    assert len(seen) == 50_000
    assert not seen.new(ids[10_000:]).any()
    assert seen.new(ids[:10_000]).all()


def test_the_mark_of_an_id_is_that_with_which_it_came_first():
    seen, ids = Seen(), np.array([7, 7, 8], np.uint64)
    seen.new(ids, np.array([5, 6, 7], np.uint32))
    seen.new(ids, np.array([8, 8, 8], np.uint32))
    seen.new(np.array([9], np.uint64))
    assert seen.marks(np.array([7, 8, 9, 10], np.uint64)).tolist() == [5, 7, 1, 0]


def test_a_batch_larger_than_the_capacity_leaves_its_last_ids():
    seen = Seen(CAPACITY)
    ids = np.arange(1000, dtype=np.uint64)
    assert seen.new(ids).all()
    assert not seen.new(ids[-CAPACITY:]).any()


@pytest.mark.parametrize("capacity", [CAPACITY // 2, CAPACITY * 2])
def test_a_state_can_be_restored_with_another_capacity(capacity):
    before, after = Seen(CAPACITY), Seen(capacity)
    ids = np.arange(150, dtype=np.uint64)
    before.new(ids)
    after.restore(before.state())
    kept = min(CAPACITY, capacity)
    assert len(after) == kept
    assert not after.new(ids[-kept:]).any()


def test_a_state_is_a_copy():
    seen = Seen(CAPACITY)
    seen.new(np.arange(10, dtype=np.uint64))
    state = seen.state()
    seen.new(np.arange(10, 200, dtype=np.uint64))
    restored = Seen(CAPACITY)
    restored.restore(state)
    assert len(restored) == 10
