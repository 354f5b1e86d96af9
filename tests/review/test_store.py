"""The answers that wait for people."""

import logging

import pytest

from llmvitals_collector.review import TAIL, UNIFORM, ReviewStore

DAY = 86_400
NOON = 1_800_000_000 // DAY * DAY + DAY / 2


@pytest.fixture
def clock():
    """A clock, in a list so that a test may set it."""
    return [NOON]


@pytest.fixture
def store(directory, clock):
    return ReviewStore(directory, keep_days=2, max_items_per_day=5, clock=lambda: clock[0])


def test_items_come_back_as_they_were_added(store, item):
    items = [item(1), item(2, judge_score=None, query="What's «this»?\nNo\u2028idea", answered_at=None)]
    assert all(map(store.add, items))
    assert store.read(0) == items


def test_only_the_owner_can_read_what_users_wrote(store, item, directory):
    store.add(item())
    [file] = directory.iterdir()
    assert (directory.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_items_are_read_from_a_time_on(store, item):
    items = [item(1, answered_at=10.0), item(2, answered_at=20.0), item(3, answered_at=None)]
    assert all(map(store.add, items))
    assert store.read(since=15.0) == items[1:]


def test_days_that_are_over_are_deleted_and_nothing_else_is(store, item, directory, clock):
    store.add(item(1))
    (directory / "imported.jsonl").write_text("the ledger\n")
    for number in (2, 3):
        clock[0] += DAY
        store.add(item(number))
        assert len(store.read(0)) == number
    clock[0] += DAY
    store.add(item(4))
    assert [each.trace_id[-1] for each in store.read(0)] == ["2", "3", "4"]
    assert (directory / "imported.jsonl").exists()


def test_a_day_has_so_many_items_and_no_more_also_after_a_restart(store, item, directory, clock, caplog):
    for number in range(3):
        store.add(item(number))
    store = ReviewStore(directory, max_items_per_day=5, clock=lambda: clock[0])
    assert [store.add(item(number)) for number in range(3, 7)] == [True, True, False, False]
    assert store.lost == 2
    assert [record.message.split(": ")[1] for record in caplog.records] == ["answers for review are lost"]
    clock[0] += DAY
    assert store.add(item(7))


def test_what_is_only_to_be_read_leaves_room_for_what_is_drawn(store, item, caplog):
    assert [store.add(item(number, why=TAIL)) for number in range(4)] == [True, True, False, False]
    assert [store.add(item(number)) for number in range(4, 8)] == [True, True, True, False]
    assert (store.lost, len(caplog.records)) == (1, 1)


def test_a_line_that_a_crash_has_cut_costs_that_item_alone(store, item, directory, clock, caplog):
    store.add(item(1))
    store.add(item(2))
    [file] = directory.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert store.read(0) == [item(1, answered_at=store.read(0)[0].answered_at)]
    ReviewStore(directory, clock=lambda: clock[0]).add(item(3))
    assert [each.trace_id[-1] for each in store.read(0)] == ["1", "3"]
    assert "1 damaged lines" in caplog.text


def test_what_cannot_be_kept_is_counted_and_told_once_and_never_raised(directory, item, caplog):
    directory.write_text("a file, where the directory should be")
    store = ReviewStore(directory)
    assert [store.add(item(number)) for number in range(3)] == [False, False, False]
    assert store.lost == 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    directory.unlink()
    assert store.add(item())
    assert store.read(0)


def test_a_text_that_is_none_is_counted_as_lost(store, item):
    assert not store.add(item(query="half a character: \ud800"))
    assert store.add(item())


def test_an_answer_that_was_drawn_and_was_odd_as_well_was_drawn(store, item):
    store.add(item(1, why=TAIL, weight=0.0))
    store.add(item(1))
    store.add(item(1, why=TAIL, weight=0.0))
    assert [(each.why, each.weight) for each in store.read(0)] == [(UNIFORM, 20.0)]
