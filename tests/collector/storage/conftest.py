"""Files that grow no further, and a look at what a journal has."""

import contextlib
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from llmvitals_collector.storage.journal import Journal


@pytest.fixture
def replayed() -> Callable[..., dict[int, bytes]]:
    """`replayed(journal, position=0)` is each payload from a position on, by the position after it."""

    def replay(journal: Journal, position: int = 0) -> dict[int, bytes]:
        return {after: bytes(payload) for after, payload in journal.replay(position)}

    return replay


@pytest.fixture
def files_limited() -> Callable[[int], AbstractContextManager[None]]:
    """A context in which the kernel takes nothing beyond a size, in bytes, into any file of this process."""

    @contextlib.contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture
def segments(tmp_path: Path) -> Callable[[], list[Path]]:
    """`segments()` is the journal's files in tmp_path, in their order."""
    return lambda: sorted(tmp_path.glob("*.journal"))
