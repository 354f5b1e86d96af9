"""How often one client, and one answer, may come; and what of it has been counted already."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from time import monotonic

from llmvitals import semconv
from llmvitals_collector.http_server import Scope, header
from llmvitals_collector.receivers import RefusedError

_MINUTE = 60.0
_ROUNDING = 1e-6
# Some hundred bytes each.
_SENDERS = 1 << 16
_GENERATION = 1 << 16


class RateLimit:
    """Lets `per_minute` requests of each sender through at once, and from then on one in each such part of a minute.

    A token bucket in one number, the time at which it is full again, as in the generic cell rate algorithm (ITU-T
    I.371). Only the last senders are known: who was forgotten has a full bucket, as almost all of those have anyway.
    """

    def __init__(
        self, per_minute: int, what: str, *, senders: int = _SENDERS, clock: Callable[[], float] = monotonic
    ) -> None:
        self._interval = _MINUTE / per_minute
        self._what = what  # is told to who comes too often
        self._senders = senders
        self._clock = clock
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()  # who came last is last

    def check(self, sender: Hashable) -> None:
        """Count a request of this sender.

        Raises:
            RefusedError: it is one too many; with the seconds until the next may come.
        """
        now = self._clock()
        full_at = max(self._full_at.get(sender, now), now) + self._interval
        if (early := full_at - now - _MINUTE) > _ROUNDING:
            raise RefusedError(semconv.RATE_LIMITED, f"too many requests {self._what}", early)
        self._full_at[sender] = full_at
        self._full_at.move_to_end(sender)
        if len(self._full_at) > self._senders:
            self._full_at.popitem(last=False)


class Once:
    """The last ids, of which each is new once: at least `generation` of them, at most twice as many."""

    def __init__(self, generation: int = _GENERATION) -> None:
        self._generation = generation
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def add(self, id: bytes) -> bool:
        """Note an id; returns whether it is new."""
        if id in self._young or id in self._old:
            return False
        if len(self._young) >= self._generation:
            self._young, self._old = set(), self._young
        self._young.add(id)
        return True

    def discard(self, id: bytes) -> None:
        """Take an id back, which is then new again."""
        self._young.discard(id)
        self._old.discard(id)


def client_of(scope: Scope, trusted_proxies: int) -> str:
    """The address of the client, or of IPv6 its network of 64 bits, of which one household has all addresses.

    trusted_proxies: so many have each added to X-Forwarded-For whom they were asked by; what stands before, the client
        may have written itself.
    """
    peer = scope["client"][0] if scope["client"] else ""
    told = header(scope, b"x-forwarded-for").split(",")
    seen = told[-trusted_proxies].strip() if 0 < trusted_proxies <= len(told) else peer
    return _network(seen) or _network(peer) or peer


def _network(text: str) -> str:
    """An address without what does not tell clients apart; "" where it is none."""
    # Some proxies write the port as well.
    for host in (text, text.rpartition(":")[0]):
        with suppress(ValueError):
            address = ip_address(host.strip("[]"))
            if isinstance(address, IPv6Address):
                return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
            return str(address)
    return ""
