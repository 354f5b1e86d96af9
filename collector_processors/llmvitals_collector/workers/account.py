"""Memory that the collector's processes share: how many bytes of requests each has in flight."""

import mmap
import os

_BYTES = 8  # of a number of format "q"


def create(places: int) -> int:
    """The descriptor of a file in memory with room for this many processes, which it is passed to."""
    account = os.memfd_create("llmvitals-in-flight")
    os.ftruncate(account, places * _BYTES)
    return account


def view(account: int) -> memoryview:
    """What each process holds, by its place; see receivers.admission."""
    return memoryview(mmap.mmap(account, 0)).cast("q")
