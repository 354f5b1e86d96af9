"""What an address in the configuration stands for."""

import contextlib
import socket

import pytest

from llmvitals_collector.lifecycle import listening, reserved


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6")


def answers(host, port):
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=5):
        return True
    return False


@pytest.mark.parametrize(
    ("address", "hosts"),
    [("[::]", ["127.0.0.1", "::1"]), ("[::1]", ["::1"]), ("0.0.0.0", ["127.0.0.1"]), ("127.0.0.1", ["127.0.0.1"])],
)
def test_every_address_of_ipv6_is_every_address_of_ipv4_too(address, hosts):
    with listening(f"{address}:0", "key") as server:
        port = server.getsockname()[1]
        assert [host for host in ("127.0.0.1", "::1") if answers(host, port)] == hosts


@pytest.mark.parametrize("address", ["[::]", "[::1]", "127.0.0.1"])
def test_who_shares_a_reserved_address_gets_its_connections(address):
    with reserved(f"{address}:0", "key") as keeps:
        port = keeps.getsockname()[1]
        with listening(f"{address}:{port}", "key", shared=True):
            assert answers("127.0.0.1" if address == "[::]" else address.strip("[]"), port)
