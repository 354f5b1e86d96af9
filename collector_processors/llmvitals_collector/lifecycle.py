"""What the pipeline starts and stops."""

import socket
import time
from collections.abc import Sequence
from typing import Protocol

# How long what is in flight may take when the collector stops.
GRACE_SECONDS = 5


class WorkerError(Exception):
    """A worker that cannot start: one sentence."""


class PortError(Exception):
    """An address that cannot be listened on: one sentence, with the key that changes it."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__(
            f"cannot listen on {address}, which is in use or no address of this host; {key} sets another one"
        )


def listening(address: str, key: str, *, shared: bool = False) -> socket.socket:
    """A socket that listens on an address, of which [::] is every address of IPv4, too; key: that configures it.

    shared: whether others may listen there, too.

    Raises:
        PortError: the address cannot be had.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    place = (host.strip("[]"), int(port))
    both = host == "[::]" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server(place, family=family, backlog=1024, reuse_port=shared, dualstack_ipv6=both)
    except OSError as error:
        raise PortError(address, key) from error


def reserved(address: str, key: str) -> socket.socket:
    """A socket that keeps an address for processes which are to share it; it takes no connections itself.

    Raises:
        PortError: the address cannot be had.
    """
    # Alone, since who shares an address shares it with anybody.
    with listening(address, key) as alone:
        name, family = alone.getsockname(), alone.family
    keeps = socket.socket(family)
    try:
        keeps.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeps.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeps.bind(name)
    except OSError as error:
        keeps.close()
        raise PortError(address, key) from error
    return keeps


class Server(Protocol):
    """Something that listens. `port` is the port it got, which the configuration may leave open as 0."""

    port: int

    def start(self) -> None:
        """Listen; from here on requests are answered.

        Raises:
            PortError: the address cannot be had.
        """
        ...

    def stop(self) -> None:
        """Take no more requests and finish those in flight; safe without a start, and twice."""
        ...


class Sender(Protocol):
    """Something that sends on threads of its own."""

    def stop(self) -> None:
        """Have it send what is left, and end; returns at once."""
        ...

    def join(self, deadline: float) -> None:
        """Wait for its end, but not beyond `deadline`, a `time.monotonic()`."""
        ...


def stop_together(senders: Sequence[Sender]) -> None:
    """Have several senders end, who take no longer than one may."""
    deadline = time.monotonic() + GRACE_SECONDS
    for sender in senders:
        sender.stop()
    for sender in senders:
        sender.join(deadline)
