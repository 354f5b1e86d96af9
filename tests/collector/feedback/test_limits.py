"""Rates are kept, clients told apart, and repetitions known, in bounded memory."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.feedback.limits import Once, RateLimit, client_of
from llmvitals_collector.receivers import RefusedError


class Clock:
    def __init__(self):
        self.now = 1e6

    def __call__(self):
        return self.now


def passes(limit, sender="one"):
    try:
        limit.check(sender)
    except RefusedError:
        return False
    return True


@given(st.integers(1, 600), st.lists(st.floats(0, 30), max_size=200))
def test_a_sender_has_its_rate_and_a_minute_s_worth_at_once(per_minute, gaps):
    """In no stretch of time more than the rate allows and one burst, and never less than the rate."""
    clock, passed = Clock(), []
    limit = RateLimit(per_minute, "", clock=clock)
    for gap in gaps:
        clock.now += gap
        if passes(limit):
            passed.append(clock.now)
        else:
            assert len(passed) >= per_minute
    for place, began in enumerate(passed):
        for number, ended in enumerate(passed[place:], 1):
            assert number <= per_minute * (1 + (ended - began) / 60) + 1e-6 * per_minute


@given(st.integers(1, 600))
def test_who_waits_as_long_as_told_is_let_through(per_minute):
    clock = Clock()
    limit = RateLimit(per_minute, "from here", clock=clock)
    assert all(passes(limit) for _ in range(per_minute))
    with pytest.raises(RefusedError, match="too many requests from here") as refused:
        limit.check("one")
    clock.now += refused.value.retry_after_seconds / 2
    assert not passes(limit)
    clock.now += refused.value.retry_after_seconds / 2
    assert passes(limit)


def test_senders_do_not_share_a_rate_and_only_the_last_ones_are_kept():
    limit = RateLimit(1, "", senders=3, clock=Clock())
    assert all(passes(limit, sender) for sender in "abc")
    assert not passes(limit, "a")
    assert all(passes(limit, f"stranger {number}") for number in range(1000))
    assert len(limit._full_at) == 3


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=1)), max_size=200), st.integers(1, 8))
def test_each_id_is_new_once_among_at_least_the_last_ones(steps, generation):
    once, last = Once(generation), deque(maxlen=generation)
    for taken_back, step in steps:
        if taken_back:
            once.discard(step)
            while step in last:
                last.remove(step)
            assert once.add(step)
            once.discard(step)
        else:
            new = once.add(step)
            assert not (new and step in last)
            if new:
                last.append(step)
        assert len(once._young) <= generation
        assert len(once._old) <= generation


CLIENTS = {
    "nobody before it": ("203.0.113.7", "", 0, "203.0.113.7"),
    "a header that nobody is trusted to write": ("203.0.113.7", "10.1.1.1", 0, "203.0.113.7"),
    "behind one proxy": ("10.0.0.1", "203.0.113.7", 1, "203.0.113.7"),
    "who writes the header itself": ("10.0.0.1", "1.2.3.4, 203.0.113.7", 1, "203.0.113.7"),
    "behind two": ("10.0.0.1", "1.2.3.4, 203.0.113.7, 10.0.0.2", 2, "203.0.113.7"),
    "past one of two": ("10.0.0.1", "203.0.113.7", 2, "10.0.0.1"),
    "with a port": ("10.0.0.1", "203.0.113.7:51234", 1, "203.0.113.7"),
    "of no form": ("10.0.0.1", "unknown", 1, "10.0.0.1"),
    "of very many colons": ("10.0.0.1", "1:" * 30_000, 1, "10.0.0.1"),
    "IPv6: the network": ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::"),
    "IPv6 with a port": ("10.0.0.1", "[2001:db8:1:2:3:4:5:6]:443", 1, "2001:db8:1:2::"),
    "IPv4 in IPv6": ("::ffff:203.0.113.7", "", 0, "203.0.113.7"),
}


@pytest.mark.parametrize(("peer", "forwarded", "proxies", "client"), CLIENTS.values(), ids=CLIENTS)
def test_a_client_is_known_by_what_it_cannot_choose(peer, forwarded, proxies, client):
    scope = {"client": (peer, 1234), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert client_of(scope, proxies) == client
