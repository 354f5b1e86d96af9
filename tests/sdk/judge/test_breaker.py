"""A breaker is closed until requests fail in a row, open for a pause, then half open for one request."""

import threading

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from llmvitals.judge.breaker import CLOSED, HALF_OPEN, OPEN, Breaker

PAUSE = 10.0


class BreakerMachine(RuleBasedStateMachine):
    """Against a model that keeps no state but what happened: failures since the last success, and times."""

    @initialize(failures=st.integers(1, 4))
    def begin(self, failures):
        self.now = 0.0
        self.limit = failures
        self.breaker = Breaker(failures, PAUSE, clock=lambda: self.now)
        self.in_a_row = 0
        self.opened = None  # when it opened, or last let a request through
        self.probing = False

    @rule(seconds=st.sampled_from([0.0, 1.0, PAUSE / 2, PAUSE, 3 * PAUSE]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def somebody_wants_to_send(self):
        due = self.opened is None or self.now >= self.opened + PAUSE
        assert self.breaker.ready() is due
        assert self.breaker.admit() is due
        if due and self.opened is not None:
            self.probing, self.opened = True, self.now
            assert not self.breaker.admit(), "one at a time"

    @rule()
    def a_request_succeeds(self):
        self.breaker.succeeded()
        self.in_a_row, self.opened, self.probing = 0, None, False

    @rule()
    def a_request_fails(self):
        self.breaker.failed()
        self.in_a_row += 1
        if self.probing or (self.opened is None and self.in_a_row >= self.limit):
            self.probing, self.opened = False, self.now

    @invariant()
    def its_state_is_the_model_s(self):
        expected = CLOSED if self.opened is None else HALF_OPEN if self.probing else OPEN
        assert self.breaker.state == expected


TestBreaker = BreakerMachine.TestCase


def test_of_many_threads_one_is_let_through_when_the_pause_is_over():
    now = 0.0
    breaker = Breaker(1, PAUSE, clock=lambda: now)
    breaker.failed()
    now = PAUSE
    together, admitted = threading.Barrier(8), []

    def send():
        together.wait()
        admitted.append(breaker.admit())

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(admitted) == [False] * 7 + [True]


@pytest.mark.parametrize(("failures", "pause"), [(0, 1), (3, 0)])
def test_a_breaker_that_would_never_or_always_be_open_is_refused(failures, pause):
    with pytest.raises(ValueError, match=r"breaker: .* valid"):
        Breaker(failures, pause)
