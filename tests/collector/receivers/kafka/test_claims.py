"""A model of replicas, their disks and a consumer group: one of them counts each message, whatever fails when."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from llmvitals_collector.receivers.kafka.claims import Committed, OffsetRange, was_committed

REPLICAS = 3


@dataclass
class Replica:
    """prepared and counted are on its disk; everything else is gone when it dies."""

    prepared: OffsetRange | None = None
    counted: Counter[int] = field(default_factory=Counter)
    held: Committed | None = None  # while it has the partition
    generation: int = 0

    def settle(self, counts: bool) -> None:
        if counts:
            self.counted.update(range(self.prepared.start, self.prepared.end))
        self.prepared = None


class Partition(RuleBasedStateMachine):
    """One partition of a topic that never ends."""

    @initialize()
    def begin(self):
        self.replicas = [Replica() for _ in range(REPLICAS)]
        self.offset, self.metadata = 0, None
        self.generation = 0
        self.under_way = []  # commits that were sent, and of which nobody knows: replica's generation, offset, metadata

    def commit(self, generation: int, offset: int, metadata: str) -> bool:
        """The broker's part."""
        if generation != self.generation:
            return False
        self.offset, self.metadata = offset, metadata
        return True

    def committed(self) -> Committed:
        return Committed.read(self.offset, self.metadata)

    @rule(which=st.integers(0, REPLICAS - 1))
    def a_replica_gets_the_partition(self, which):
        """A rebalance; whoever had it may not have noticed."""
        self.generation += 1
        replica = self.replicas[which]
        replica.generation = self.generation
        committed = self.committed()
        if replica.prepared:
            counts = was_committed(replica.prepared, committed)
            assert counts is not None
            replica.settle(counts)
        replica.held = committed.claimed()
        assert self.commit(replica.generation, replica.held.offset, replica.held.metadata)

    @rule(
        which=st.integers(0, REPLICAS - 1),
        messages=st.integers(1, 5),
        fate=st.sampled_from(["done", "dies", "lost", "never"]),
    )
    def a_replica_reads_messages(self, which, messages, fate):
        """fate: of its commit: answered, made by who dies before the answer, under way, or refused for now."""
        replica = self.replicas[which]
        if not replica.held or replica.prepared:
            return
        start = replica.held.offset
        replica.prepared = OffsetRange("t", 0, replica.held.claim, start, start + messages)
        wanted = replica.held.until(start + messages)
        request = (replica.generation, wanted.offset, wanted.metadata)
        if fate == "done":
            self.a_replica_tries_its_commit_again(which)
        elif fate == "dies":
            self.commit(*request)
            replica.held = None
        elif fate == "lost":
            self.under_way.append(request)
            replica.held = None  # it leaves the group, and sees when it gets the partition again

    @rule(which=st.integers(0, REPLICAS - 1))
    def a_replica_tries_its_commit_again(self, which):
        """As long as it believes to have the partition."""
        replica = self.replicas[which]
        if not replica.held or not replica.prepared:
            return
        wanted = replica.held.until(replica.prepared.end)
        if self.commit(replica.generation, wanted.offset, wanted.metadata):
            replica.held = wanted
            replica.settle(True)

    @rule(number=st.integers(0, 5))
    def a_commit_arrives_late(self, number):
        if number < len(self.under_way):
            self.commit(*self.under_way.pop(number))

    @rule(which=st.integers(0, REPLICAS - 1))
    def a_replica_dies(self, which):
        self.replicas[which].held = None

    @rule(which=st.integers(0, REPLICAS - 1))
    def a_replica_sees_that_another_one_claimed_the_partition(self, which):
        replica, committed = self.replicas[which], self.committed()
        if replica.prepared and committed.claim > replica.prepared.claim:
            replica.held = None
            replica.settle(was_committed(replica.prepared, committed))

    @invariant()
    def nothing_counts_twice(self):
        if hasattr(self, "replicas"):
            assert max(self.total().values(), default=1) == 1

    def total(self) -> Counter[int]:
        return sum((replica.counted for replica in self.replicas), Counter())

    def teardown(self):
        if not hasattr(self, "replicas"):
            return
        for which in range(REPLICAS):
            self.a_replica_gets_the_partition(which)
        assert self.total() == Counter(range(self.offset)), "what was committed counts, and nothing else"


def test_each_message_counts_once_whatever_fails_when():
    run_state_machine_as_test(Partition, settings=settings(max_examples=300, stateful_step_count=40, deadline=None))


@given(st.integers(0, 2**62), st.lists(st.integers(0, 2**62), max_size=200))
def test_metadata_is_read_as_it_was_written_and_fits_what_brokers_take(offset, offsets):
    committed = Committed(offset)
    for each in offsets:
        committed = committed.until(each).claimed()
    assert Committed.read(committed.offset, committed.metadata) == committed
    assert len(committed.metadata) < 4096


def test_metadata_of_others_tells_of_no_claim():
    assert Committed.read(7, None) == Committed.read(7, "") == Committed.read(7, "by hand") == Committed(7)


def test_after_so_many_claims_that_the_next_one_is_forgotten_nobody_can_tell():
    committed = Committed(0).claimed()
    prepared = OffsetRange("t", 0, committed.claim, 0, 5)
    for offset in range(5, 5 + 150):
        committed = committed.until(offset).claimed()
    assert was_committed(prepared, committed) is True
    assert was_committed(prepared, committed.claimed()) is None


def test_what_an_administrator_lets_be_read_again_does_not_count_and_of_the_rest_nobody_can_tell():
    prepared = OffsetRange("t", 0, 3, 10, 20)
    assert was_committed(prepared, Committed(10)) is False
    assert was_committed(prepared, Committed(20)) is None


@pytest.mark.parametrize("claims", [1, 2, 3])
def test_claims_after_those_that_the_group_has_forgotten_are_not_taken_for_them(claims, monkeypatch):
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000 * 10**9)
    first = Committed(0)
    for _ in range(claims):
        first = first.claimed().until(5)
    prepared = OffsetRange("t", 0, first.claim, 5, 10)
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_060 * 10**9)
    anew = Committed.read(5, "").claimed().until(10)
    assert was_committed(prepared, anew) is None
