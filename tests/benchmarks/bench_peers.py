"""Spans per CPU second, latency, memory and the cost of /metrics: ours beside the Go collector and Rotel.

The same load goes to real processes on the loopback interface, each alone on one processor, in turns; medians. Before
a clock runs all have to have counted the same calls. What differs between them, and the numbers: PEERS.md beside this.

    python tests/benchmarks/bench_peers.py [--rounds 5] [--only WORD]

The Go collector is the one that `.ci/setup otelcol` builds, or OTELCOL names. Rotel is the distribution of that name in
this environment, or in the virtual environment that ROTEL names.
"""

import argparse
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import count, product
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from peers_load import GRPC, HTTP, Load, Sent, pin, send
from peers_servers import Peer, Server, installed_rotel, otelcol, ours, rotel

_CACHE = Path(__file__).parents[2] / ".cache"
# Enough calls for the slowest to take half a second, and for what waits in batches to be little of it.
_REQUESTS = {512: 24, 32: 256}
_TEXT = 4096
_LATENCY_SECONDS, _LATENCY_SPANS, _LATENCY_RATE = 3, 32, 2000  # spans in a second

Send = Callable[[Load, Server], Sent]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", metavar="WORD", help="loads whose name has this in it")
    arguments = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))  # the first for the client, the last for the server
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(peer, processors[-1])) for peer in _peers()]
        # Another process, so that Python's lock is not what both wait for.
        client = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn"), pin, processors[:1]))
        seeds = count(1)

        def sent(load: Load, server: Server) -> Sent:
            return client.submit(send, load, next(seeds), server.ports, server.pid).result()

        total = _warm(sent, servers)
        print(f"{'':28}" + "".join(f"{server.peer.name:>24}" for server in servers))
        for load in _loads(arguments.only):
            rounds = [[sent(load, server).cpu for server in servers] for _ in range(arguments.rounds)]
            total += load.spans * load.requests * arguments.rounds
            speeds = [load.spans * load.requests / median(costs) for costs in zip(*rounds, strict=True)]
            _row(str(load), [f"{speed / 1e3:,.0f} k/s" for speed in speeds], [speeds[0] / each for each in speeds])
        if arguments.only in "latency":
            for transport in (GRPC, HTTP):
                total += _latency(sent, servers, transport, arguments.rounds)
        _scrapes(servers, arguments.rounds)
        for server in servers:
            if server.peer.counted:
                print(f"{server.peer.name} has counted {server.counted().counts['duration']:,.0f} of {total:,d} calls")


def _peers() -> Iterator[Peer]:
    yield ours()
    named = os.environ.get("OTELCOL")
    if program := Path(named) if named else next(_CACHE.glob("otelcol-*/otelcol"), None):
        yield from otelcol(program)
    else:
        print("LEFT OUT: the Go collector, which `.ci/setup otelcol` builds, or OTELCOL=its program")
    if agent := installed_rotel():
        yield rotel(agent)
    else:
        print("LEFT OUT: Rotel, which is not installed: pip install rotel, or ROTEL=its virtual environment")


def _loads(only: str) -> Iterator[Load]:
    for transport, spans, content, compressed in product((GRPC, HTTP), (512, 32), (0, _TEXT), (False, True)):
        load = Load(transport, spans, _REQUESTS[spans] // (1 + bool(content)), content, compressed)
        if only in str(load):
            yield load


def _warm(sent: Send, servers: Sequence[Server]) -> int:
    """Send each server the same first requests, and see that all count the same; returns how many calls that were."""
    # Over one connection: of several at once the Go collector's deltas come out of order, and are dropped.
    loads = [Load(transport, 512, 16, connections=1) for transport in (GRPC, HTTP)]
    for load, server in product(loads, servers):
        sent(load, server)
    total = sum(load.spans * load.requests for load in loads)
    _agree(servers, total)
    return total


def _agree(servers: Sequence[Server], total: int) -> None:
    """See that each has counted so many calls, and of each kind of value as many as ours, and the same sum."""
    told = {server.peer.name: (server.peer, server.counted()) for server in servers if server.peer.counted}
    (_, ours), *_ = told.values()
    for name, (peer, theirs) in told.items():
        if theirs.counts["duration"] != total:
            raise SystemExit(f"{name} has counted {theirs.counts['duration']:,.0f} of {total:,d} calls")
        for kind in peer.counted.values():
            pairs = [(ours.counts[kind], theirs.counts[kind]), (ours.sums[kind], theirs.sums[kind])]
            if not all(math.isclose(*pair, rel_tol=1e-6) for pair in pairs):
                raise SystemExit(f"ours and {name} differ in {kind}: {pairs}")
    print(f"{total:,d} calls counted by each of {', '.join(told)}")


def _latency(sent: Send, servers: Sequence[Server], transport: str, rounds: int) -> int:
    """Print the quantiles of latency while spans come at a fixed rate; returns how many came."""
    requests = _LATENCY_RATE * _LATENCY_SECONDS // _LATENCY_SPANS
    load = Load(transport, _LATENCY_SPANS, requests, rate=_LATENCY_RATE / _LATENCY_SPANS)
    found = [[sent(load, server).latencies for server in servers] for _ in range(rounds)]
    name = f"{transport}, {_LATENCY_RATE} spans/s"
    for share in (0.5, 0.99):
        at = math.ceil(share * requests) - 1
        waits = [median(each[at] for each in of_server) * 1e3 for of_server in zip(*found, strict=True)]
        _row(f"{name}, p{share * 100:.0f}", [f"{wait:.1f} ms" for wait in waits], [each / waits[0] for each in waits])
    return load.spans * requests * rounds


def _scrapes(servers: Sequence[Server], rounds: int) -> None:
    for server in servers:
        if server.peer.counted:
            server.scrape()  # counts what waits
    shown = [server for server in servers if server.peer.counted]
    costs = {server.peer.name: median(server.scrape_cpu() for _ in range(rounds)) * 1e3 for server in shown}
    sizes = {server.peer.name: len(server.scrape()) / 1e6 for server in shown}
    names = [server.peer.name for server in servers]
    _row("/metrics", [f"{costs[name]:.1f} ms" if name in costs else "none" for name in names])
    _row("its bytes", [f"{sizes[name]:.2f} MB" if name in sizes else "none" for name in names])
    _row("peak memory", [f"{server.peak_memory / 1e6:.0f} MB" for server in servers])


def _row(name: str, values: Sequence[str], ratios: Sequence[float] = ()) -> None:
    """One line; ratios: how much better ours is than each, first of all than itself."""
    told = [f"{value} ({ratio:.1f}x)" for value, ratio in zip(values[1:], ratios[1:], strict=False)] or values[1:]
    print(f"{name:28}" + "".join(f"{value:>24}" for value in (values[0], *told)), flush=True)


if __name__ == "__main__":
    main()
