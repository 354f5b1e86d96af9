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


def connections(server, hosts):
    """The hosts whose connections the server gets; at the others its port may be another process's."""
    server.settimeout(5)
    sent, came = {}, []
    with contextlib.ExitStack() as clients:
        for host in hosts:
            with contextlib.suppress(OSError):
                client = socket.create_connection((host, server.getsockname()[1]), timeout=5)
                sent[clients.enter_context(client).getsockname()[:2]] = host
        while hosts[-1] not in came:
            connection, (name, port, *_) = server.accept()
            connection.close()
            came.append(sent[name.removeprefix("::ffff:"), port])
    return came


@pytest.mark.parametrize(
    ("address", "hosts"),
    [("[::]", ["127.0.0.1", "::1"]), ("[::1]", ["::1"]), ("0.0.0.0", ["127.0.0.1"]), ("127.0.0.1", ["127.0.0.1"])],
)
def test_every_address_of_ipv6_is_every_address_of_ipv4_too(address, hosts):
    others = [host for host in ("127.0.0.1", "::1") if host not in hosts]
    with listening(f"{address}:0", "key") as server:
        # The others first: had it got those, it would have got them before the last.
        assert connections(server, [*others, *hosts]) == hosts


@pytest.mark.parametrize("address", ["[::]", "[::1]", "127.0.0.1"])
def test_who_shares_a_reserved_address_gets_its_connections(address):
    host = "127.0.0.1" if address == "[::]" else address.strip("[]")
    with reserved(f"{address}:0", "key") as keeps:
        port = keeps.getsockname()[1]
        with listening(f"{address}:{port}", "key", shared=True) as server:
            assert connections(server, [host]) == [host]
