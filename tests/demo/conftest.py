"""A provider that many tests share, because starting and stopping one takes longer than most of them."""

from collections.abc import Callable, Iterator

import pytest

from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider


class Loopback(Provider):
    """Behaves as its `behaviour` says when the request comes."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        super().__init__(lambda _: self.behaviour)


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    with Loopback() as provider:
        yield provider


@pytest.fixture
def behave(loopback) -> Callable[[Behaviour], Loopback]:
    """`behave(Behaviour(...))` is the loopback, which so answers from now on; `loopback.served` is the test's own."""

    def set_behaviour(behaviour: Behaviour) -> Loopback:
        loopback.behaviour = behaviour
        return loopback

    loopback.behaviour = Behaviour()
    loopback.served.clear()
    return set_behaviour
