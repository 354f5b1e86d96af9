"""Journal and snapshots together: what was acknowledged is there once, whatever happened and whenever."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from llmvitals_collector.storage import Storage, StorageConfig, StorageError, journal
from llmvitals_collector.storage.entries import HEADER_BYTES

MAX_BYTES = 8192  # segments of 512 bytes, and a snapshot is due every 2048


class Collector:
    """Counts batches as the collector does; its state is the list of them."""

    def __init__(self, directory):
        self.storage = Storage(StorageConfig(directory=str(directory), max_bytes=MAX_BYTES))
        position, parts = self.storage.snapshots.read_newest() or (0, {"counted": b"[]"})
        self.counted = msgspec.json.decode(parts["counted"])
        for _, payload in self.storage.journal.replay(position):
            self.counted.append(bytes(payload).decode())

    def take(self, batch):
        position = self.storage.journal.append([batch.encode()])
        self.counted.append(batch)
        return position

    def save(self):
        self.storage.save(self.storage.journal.position, {"counted": msgspec.json.encode(self.counted)})


@pytest.fixture
def collector(tmp_path):
    running = Collector(tmp_path / "kept")
    yield running
    running.storage.close()


# ---- Moments ---------------------------------------------------------------------------------------


def test_a_crash_between_any_two_steps_loses_nothing_that_was_acknowledged(tmp_path, monkeypatch, collector):
    """The directory is copied before and after everything that changes it, as kill -9 would leave it."""
    moments, copying = [], threading.Lock()
    taken, acknowledged = [], 0

    def watched(function):
        def call(*arguments, **keywords):
            copy()
            try:
                return function(*arguments, **keywords)
            finally:
                copy()

        return call

    def copy():
        with copying:
            moment = tmp_path / f"moment {len(moments)}"
            shutil.copytree(tmp_path / "kept", moment)
            moments.append((moment, acknowledged, len(taken)))

    for owner, name in [
        *((os, name) for name in ("open", "pwritev", "fsync")),
        *((Path, name) for name in ("replace", "unlink")),
        (journal, "_flush"),
    ]:
        monkeypatch.setattr(owner, name, watched(getattr(owner, name)))
    for number in range(30):
        taken.append(f"{number} " * 60)
        position = collector.take(taken[-1])
        collector.storage.journal.sync(position)
        acknowledged = position
        if number % 8 == 7:
            collector.save()
            collector.storage.wait()
    monkeypatch.undo()
    assert len(moments) > 150
    for moment, acknowledged, begun in moments:
        again = Collector(moment)
        assert again.counted == taken[: len(again.counted)]
        assert acknowledged <= len(again.counted) <= begun
        assert again.storage.journal.lost_entries == 0
        again.storage.close()


def test_a_snapshot_is_due_when_the_journal_has_grown_by_a_quarter_of_its_limit(collector):
    def until_due():
        return next(count for count in itertools.count() if collector.storage.due or not collector.take("x" * 100))

    assert until_due() == MAX_BYTES // 4 // 128 + 1
    collector.save()
    collector.storage.wait()
    assert until_due() == MAX_BYTES // 4 // 128 + 1


def test_a_snapshot_that_fails_is_counted_and_due_again_sooner(collector, monkeypatch, caplog):
    def fail(*_):
        raise StorageError("no space left")

    collector.take("kept all the same")
    monkeypatch.setattr(collector.storage.snapshots, "write", fail)
    collector.save()
    collector.storage.wait()
    assert collector.storage.failed_snapshots == 1
    assert "no snapshot at position 1: no space left" in caplog.text
    while not collector.storage.due:
        collector.take("x" * 100)
    assert collector.storage.journal.written < MAX_BYTES // 8


def test_a_snapshot_is_not_written_before_the_journal_is_durable(collector, monkeypatch, tmp_path):
    """Else the power could fail between the two, and the batch would be lost with the snapshot."""

    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal, "_flush", fail)
    collector.take("not safe")
    collector.save()
    collector.storage.wait()
    assert not [*tmp_path.glob("kept/*.snapshot")]
    with pytest.raises(StorageError, match="has failed"):
        collector.storage.close()


def test_snapshots_keep_the_journal_from_filling_up(collector):
    for _ in range(200):
        collector.take("x" * 300)
        if collector.storage.due:
            collector.save()
            collector.storage.wait()
    assert collector.storage.journal.size < MAX_BYTES


# ---- The directory ---------------------------------------------------------------------------------


def test_two_collectors_cannot_share_a_directory(collector, tmp_path):
    with pytest.raises(StorageError, match=r"^storage\.directory: .*/kept is in use by another collector"):
        Collector(tmp_path / "kept")


def test_the_directory_is_free_once_its_collector_is_closed_or_killed(tmp_path):
    Collector(tmp_path).storage.close()
    script = (
        "import os, signal\n"
        "from llmvitals_collector.storage import Storage, StorageConfig\n"
        f"storage = Storage(StorageConfig(directory={str(tmp_path)!r}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode < 0
    Collector(tmp_path).storage.close()


def test_a_missing_directory_is_created_for_its_owner_alone(tmp_path):
    Collector(tmp_path / "new" / "kept").storage.close()
    assert (tmp_path / "new" / "kept").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new" / "kept").iterdir()} == {0o600}


@pytest.mark.parametrize("place", ["file", "file/kept"])
def test_what_cannot_be_a_directory_is_told_in_a_sentence(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=rf"^storage\.directory: .*/{place} cannot be written: "):
        Collector(tmp_path / place)


# ---- Everything, in any order ----------------------------------------------------------------------


class Crashes(RuleBasedStateMachine):
    """A collector that is killed, loses power, finds its disk full and its files damaged, against a list."""

    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.lives = itertools.count()
        self.numbers = itertools.count()
        self.taken, self.acknowledged, self.durable = [], 0, 0

    @initialize()
    def start(self):
        self.directory = Path(self.folder.name, str(next(self.lives)))
        self.collector = Collector(self.directory)

    def teardown(self):
        self.collector.storage.close()
        self.folder.cleanup()

    @rule(length=st.integers(0, 700))
    def take(self, length):
        batch = f"{next(self.numbers)}" + "x" * length
        if self.collector.storage.due:
            self.save()
        if self.collector.storage.journal.size + HEADER_BYTES + len(batch) > MAX_BYTES:
            with pytest.raises(StorageError, match=r"storage\.max_bytes"):
                self.collector.take(batch)
        else:
            self.collector.take(batch)
            self.taken.append(batch)

    @rule()
    def acknowledge(self):
        self.collector.storage.journal.sync(self.collector.storage.journal.position)
        self.acknowledged = len(self.taken)
        self.durable = self.last_segment().stat().st_size

    @rule(short=st.integers(0, 100))
    def find_the_disk_full(self, short):
        real = os.pwritev
        os.pwritev = lambda file, buffers, at: real(file, [b"".join(buffers)[:short]], at)
        try:
            with pytest.raises(StorageError):
                self.collector.take("y" * 100)
        finally:
            os.pwritev = real

    @rule()
    def save(self):
        self.collector.save()
        self.collector.storage.wait()
        self.acknowledge()  # a snapshot makes durable what it is of

    @rule(lost=st.integers(0, 1000), damage=st.booleans())
    def crash(self, lost, damage):
        """Bytes that were not synced are lost with the power; one snapshot of two may be damaged, too."""
        after = Path(self.folder.name, str(next(self.lives)))
        shutil.copytree(self.directory, after)
        self.collector.storage.close()
        self.directory = after
        last = self.last_segment()
        synced = self.durable if self.acknowledged_is_in(last) else 0
        os.truncate(last, max(last.stat().st_size - lost, min(synced, last.stat().st_size)))
        snapshots = sorted(after.glob("*.snapshot"))
        if damage and len(snapshots) == 2:
            snapshots[1].write_bytes(snapshots[1].read_bytes()[:-1])
        self.collector = Collector(after)
        counted = self.collector.counted
        assert counted == self.taken[: len(counted)]
        assert len(counted) >= self.acknowledged
        self.taken = [*counted]
        self.acknowledge()

    def last_segment(self):
        return max(self.directory.glob("*.journal"))

    def acknowledged_is_in(self, segment):
        return int(segment.stem) < self.acknowledged

    @invariant()
    def the_journal_is_bounded(self):
        assert sum(path.stat().st_size for path in self.directory.glob("*.journal")) <= MAX_BYTES


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
