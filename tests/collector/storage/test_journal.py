"""What the journal has taken is there again after a crash, in its order, and once."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from llmvitals_collector.storage import StorageError, entries, journal
from llmvitals_collector.storage.entries import HEADER_BYTES
from llmvitals_collector.storage.journal import Journal

PAYLOADS = [b"first", b"", b"the third " * 4, b"LVJ\x01 is no entry", b"last"]


def filled(directory, **settings):
    """A journal that has the payloads, durably."""
    written = Journal(directory, **settings)
    for payload in PAYLOADS:
        written.append([payload])
    written.sync(written.position)
    return written


def test_a_payload_of_several_buffers_comes_back_as_one(tmp_path, replayed):
    written = Journal(tmp_path)
    assert written.append([b"numbers: ", np.array([[1, 2], [3, 4]], np.int8).data, np.array([]).data]) == 1
    assert replayed(written) == {1: b"numbers: \x01\x02\x03\x04"}


def test_a_journal_goes_on_where_it_ended(tmp_path, replayed):
    filled(tmp_path).close()
    again = Journal(tmp_path)
    assert again.append([b"more"]) == len(PAYLOADS) + 1
    assert list(replayed(again).items()) == list(enumerate([*PAYLOADS, b"more"], 1))
    assert (again.cut_bytes, again.lost_entries) == (0, 0)


def test_a_replay_begins_at_its_position(tmp_path, replayed):
    written = filled(tmp_path, segment_bytes=64)
    for position in range(len(PAYLOADS) + 1):
        assert list(replayed(written, position).values()) == PAYLOADS[position:]


def test_a_full_segment_is_followed_by_one_that_is_named_by_its_first_entry(tmp_path, segments, replayed):
    written = filled(tmp_path, segment_bytes=2 * HEADER_BYTES + 10)
    assert [int(path.stem) for path in segments()] == [0, 2, 3, 4]
    assert written.size == written.written == sum(path.stat().st_size for path in segments())
    assert [*replayed(Journal(tmp_path)).values()] == PAYLOADS


def test_a_segment_is_durable_before_the_next_one_begins(tmp_path, segments, monkeypatch):
    """So that only the last one can have a torn end."""
    durable = []
    monkeypatch.setattr(journal, "_flush", lambda file: durable.append((os.fstat(file).st_size, len(segments()))))
    written = Journal(tmp_path, segment_bytes=2 * HEADER_BYTES + 10)
    for payload in PAYLOADS:
        written.append([payload])
    sizes = [path.stat().st_size for path in segments()]
    assert durable == list(zip(sizes[:-1], range(1, len(sizes)), strict=True))


def test_only_segments_before_the_position_are_dropped(tmp_path, segments, replayed):
    written = filled(tmp_path, segment_bytes=2 * HEADER_BYTES + 10)
    for position, left in [(1, [0, 2, 3, 4]), (2, [2, 3, 4]), (4, [4]), (99, [4])]:
        written.drop(position)
        assert [int(path.stem) for path in segments()] == left
    assert written.size == segments()[0].stat().st_size
    assert replayed(written, 4) == {5: b"last"}


def test_the_files_are_the_owners_alone(tmp_path, segments):
    filled(tmp_path)
    assert [path.stat().st_mode & 0o777 for path in segments()] == [0o600]


# ---- What is damaged -------------------------------------------------------------------------------


def test_a_torn_end_is_cut_at_the_last_entry_wherever_it_tore(tmp_path, segments, replayed):
    filled(tmp_path).close()
    whole = segments()[0].read_bytes()
    ends = [sum(HEADER_BYTES + len(payload) for payload in PAYLOADS[:count]) for count in range(len(PAYLOADS) + 1)]
    for size in range(len(whole) + 1):
        segments()[0].write_bytes(whole[:size])
        torn = Journal(tmp_path)
        intact = sum(end <= size for end in ends) - 1
        assert torn.cut_bytes == size - ends[intact]
        assert segments()[0].stat().st_size == ends[intact]
        torn.append([b"more"])
        assert [*replayed(torn).values()] == [*PAYLOADS[:intact], b"more"]
        assert torn.lost_entries == 0
        torn.close()


@pytest.mark.parametrize("settings", [{}, {"segment_bytes": 2 * HEADER_BYTES + 10}], ids=["a segment", "segments"])
def test_a_flipped_bit_costs_the_entry_it_is_in_and_no_other(tmp_path, segments, replayed, settings):
    filled(tmp_path, **settings).close()
    for path in segments():
        whole = path.read_bytes()
        for bit in range(0, len(whole) * 8, 3):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            damaged = Journal(tmp_path)
            left = replayed(damaged)
            assert len(left) == len(PAYLOADS) - 1
            assert all(PAYLOADS[after - 1] == payload for after, payload in left.items())
            # The last entry counts as one that was never finished.
            assert (damaged.lost_entries == 1) == (damaged.cut_bytes == 0)
            damaged.close()
            path.write_bytes(whole)


def test_a_missing_segment_is_counted_by_its_entries(tmp_path, segments, replayed, caplog):
    filled(tmp_path, segment_bytes=2 * HEADER_BYTES + 10).close()
    segments()[0].unlink()
    segments()[1].unlink()
    holed = Journal(tmp_path)
    assert replayed(holed) == {3: PAYLOADS[2], 5: PAYLOADS[4]}
    assert holed.lost_entries == 3
    assert "the entries 0 to 1 are damaged or missing" in caplog.text
    assert "the entries 3 to 3 are damaged or missing" in caplog.text


def test_what_only_a_snapshot_has_does_not_get_its_numbers_used_again(tmp_path, replayed):
    filled(tmp_path).close()
    ahead = Journal(tmp_path, start=8)
    assert ahead.append([b"the ninth"]) == 9
    ahead.close()
    again = Journal(tmp_path, start=8)
    assert replayed(again, 8) == {9: b"the ninth"}
    assert again.lost_entries == 0
    assert [*replayed(again, 3).values()] == [*PAYLOADS[3:], b"the ninth"]
    assert again.lost_entries == 3


def test_another_format_is_refused_and_left_alone(tmp_path, segments, monkeypatch):
    monkeypatch.setattr(entries, "VERSION", 2)
    filled(tmp_path).close()
    before = segments()[0].read_bytes()
    monkeypatch.undo()
    with pytest.raises(StorageError, match="has format 2, but this version of llmvitals reads format 1"):
        Journal(tmp_path)
    assert segments()[0].read_bytes() == before


# ---- What cannot be written ------------------------------------------------------------------------


def test_what_does_not_fit_on_the_disk_is_taken_back_and_refused(tmp_path, segments, replayed, files_limited):
    written = filled(tmp_path)
    size = written.size
    with files_limited(size + HEADER_BYTES + 3), pytest.raises(StorageError, match=r"storage\.directory: .* cannot be"):
        written.append([b"too much"])
    assert segments()[0].stat().st_size == written.size == size
    written.sync(written.append([b"small"]))
    assert [*replayed(Journal(tmp_path)).values()] == [*PAYLOADS, b"small"]


def test_a_full_file_system_refuses_until_there_is_room(tmp_path, replayed):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to be allowed to mount a small file system")
    try:
        written = Journal(disk, segment_bytes=8192)
        with pytest.raises(StorageError, match="No space left on device"):
            all(written.append([bytes(1000)]) for _ in range(100))
        full = written.position
        assert 0 < full < 100
        written.drop(full - 1)
        written.sync(written.append([b"room again"]))
        written.close()
        again = Journal(disk)
        assert again.cut_bytes == 0
        assert replayed(again, full) == {full + 1: b"room again"}
        again.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_journal_refuses_until_some_of_it_is_dropped(tmp_path):
    written = filled(tmp_path, segment_bytes=64, max_bytes=400)
    with pytest.raises(StorageError, match=r"storage\.max_bytes: the journal in .* is full: it has \d+ bytes of 400"):
        written.append([bytes(200)])
    written.drop(written.position)
    assert written.append([bytes(200)]) == len(PAYLOADS) + 1


def test_after_a_failed_sync_nothing_is_taken_or_acknowledged(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    written = filled(tmp_path)
    position = written.append([b"lost, maybe"])
    monkeypatch.setattr(journal, "_flush", fail)
    with pytest.raises(StorageError, match="has failed, and needs a restart: Input/output error"):
        written.sync(position)
    monkeypatch.undo()
    with pytest.raises(StorageError, match="has failed"):
        written.sync(position)
    with pytest.raises(StorageError, match="has failed"):
        written.append([b"more"])
    written.sync(position - 1)  # which was durable before


def test_a_segment_that_may_not_be_found_again_fails_the_journal(tmp_path, replayed, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    written = filled(tmp_path, segment_bytes=2 * HEADER_BYTES + 10)
    monkeypatch.setattr(journal, "sync_names", fail)
    with pytest.raises(StorageError, match="cannot be written: Input/output error"):
        written.append([b"needs a new segment"])
    monkeypatch.undo()
    with pytest.raises(StorageError, match="has failed"):
        written.append([b""])
    again = Journal(tmp_path)
    assert again.append([b"more"]) == len(PAYLOADS) + 1
    assert [*replayed(again).values()] == [*PAYLOADS, b"more"]


def test_what_cannot_be_taken_back_fails_the_journal(tmp_path, replayed, files_limited, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    written = filled(tmp_path)
    monkeypatch.setattr(os, "ftruncate", fail)
    with files_limited(written.size + HEADER_BYTES + 3), pytest.raises(StorageError, match="cannot be written"):
        written.append([b"too much"])
    with pytest.raises(StorageError, match="has failed"):
        written.append([b"more"])
    monkeypatch.undo()
    assert [*replayed(Journal(tmp_path)).values()] == PAYLOADS


# ---- Many at once, and the end of a process --------------------------------------------------------


def test_all_who_wait_share_one_flush(tmp_path, monkeypatch):
    """The first to wait flushes for itself; those who come meanwhile are made durable together."""
    flushes, begun, go_on = [], threading.Event(), threading.Event()

    def flush(file):
        flushes.append(file)
        begun.set()
        assert go_on.wait(10)

    written = Journal(tmp_path)
    monkeypatch.setattr(journal, "_flush", flush)
    threads = [threading.Thread(target=written.sync, args=(written.append([b"first"]),))]
    threads[0].start()
    assert begun.wait(10)
    threads += [threading.Thread(target=written.sync, args=(written.append([b"another"]),)) for _ in range(20)]
    for thread in threads[1:]:
        thread.start()
    assert all(thread.is_alive() for thread in threads)
    go_on.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert len(flushes) == 2


WRITER = """
import sys, threading
from pathlib import Path
from llmvitals_collector.storage.journal import Journal

journal, lock = Journal(Path(sys.argv[1]), segment_bytes=20_000), threading.Lock()

def write(thread):
    for number in range(1_000_000):
        payload = b"%d of %d " % (number, thread) * 50
        with lock:
            position = journal.append([payload])
        journal.sync(position)
        with lock:
            print(position, thread, number, flush=True)

for thread in range(4):
    threading.Thread(target=write, args=(thread,)).start()
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path, replayed):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        acknowledged = [writer.stdout.readline() for _ in range(300)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read().splitlines(keepends=True)
    after = Journal(Path(tmp_path))
    payloads = replayed(after)
    assert [*payloads] == [*range(1, after.position + 1)]
    assert len(set(payloads.values())) == len(payloads)
    for line in acknowledged:
        if line.endswith(b"\n"):
            position, thread, number = map(int, line.split())
            assert payloads[position] == b"%d of %d " % (number, thread) * 50
