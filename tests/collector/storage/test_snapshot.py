"""A snapshot is there as a whole or not at all."""

import numpy as np
import pytest

from llmvitals_collector.storage import Snapshots, StorageError, snapshot

PARTS = {
    "cells": np.arange(24.0).reshape(2, 3, 4),
    "transposed": np.arange(6, dtype=np.uint16).reshape(2, 3).T,
    "touched": np.array([True, False]),
    "single": np.array(7, np.int64),
    "none": np.zeros((0, 3), np.uint64),
    "labels": b'["chat"]',
    "empty": b"",
}


def written(directory, *positions):
    """Snapshots at these positions, which tell theirs."""
    snapshots = Snapshots(directory)
    for position in positions:
        snapshots.write(position, {"position": np.array([position])})
    return snapshots


def newest(directory):
    """The position of the newest intact snapshot, which has to be the one that it tells."""
    found = Snapshots(directory).read_newest()
    if found is None:
        return None
    position, parts = found
    assert parts["position"].tolist() == [position]
    return position


def test_the_parts_come_back_as_they_were(tmp_path):
    Snapshots(tmp_path).write(42, PARTS)
    position, parts = Snapshots(tmp_path).read_newest()
    assert position == 42
    assert parts.keys() == PARTS.keys()
    for name, part in PARTS.items():
        assert np.array_equal(parts[name], part) if isinstance(part, np.ndarray) else parts[name] == part
        assert getattr(parts[name], "dtype", None) == getattr(part, "dtype", None)
    parts["cells"][0] = 1  # the reader's own


def test_without_a_snapshot_there_is_none(tmp_path):
    assert Snapshots(tmp_path).read_newest() is None
    assert (Snapshots(tmp_path).position, Snapshots(tmp_path).needed_from) == (0, 0)


def test_two_are_kept_and_the_journal_is_needed_from_the_older_one(tmp_path):
    for positions, kept, needed_from in [((3,), {3}, 0), ((5,), {3, 5}, 3), ((9,), {5, 9}, 5), ((9,), {5, 9}, 5)]:
        snapshots = written(tmp_path, *positions)
        assert {int(path.stem) for path in tmp_path.iterdir()} == kept
        assert (snapshots.position, snapshots.needed_from) == (max(kept), needed_from)
        assert snapshots.size == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_any_flipped_bit_leads_to_the_older_one(tmp_path, caplog):
    written(tmp_path, 3, 5)
    path = max(tmp_path.iterdir())
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert newest(tmp_path) == 3
    assert f"{path} is damaged" in caplog.text


def test_one_that_ends_early_leads_to_the_older_one(tmp_path):
    written(tmp_path, 3, 5)
    path = max(tmp_path.iterdir())
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert newest(tmp_path) == 3


def test_a_damaged_one_still_tells_its_position_and_is_counted_and_deleted(tmp_path):
    written(tmp_path, 3, 5)
    max(tmp_path.iterdir()).write_bytes(b"")
    snapshots = Snapshots(tmp_path)
    assert snapshots.position == 5
    snapshots.read_newest()
    assert snapshots.damaged == 1
    assert [int(path.stem) for path in tmp_path.iterdir()] == [3]


def test_what_could_not_be_written_leaves_the_ones_before(tmp_path, files_limited):
    snapshots = written(tmp_path, 3, 5)
    with files_limited(1000), pytest.raises(StorageError, match="snapshot cannot be written: File too large"):
        snapshots.write(9, {"cells": np.zeros(1000)})
    assert {path.name.lstrip("0") for path in tmp_path.iterdir()} == {"3.snapshot", "5.snapshot"}
    assert newest(tmp_path) == 5


def test_what_a_crash_left_unfinished_is_removed(tmp_path):
    written(tmp_path, 3)
    (tmp_path / "0000000000000005.unfinished").write_bytes(b"LVS")
    assert newest(tmp_path) == 3
    assert len([*tmp_path.iterdir()]) == 1


def test_the_files_are_the_owners_alone(tmp_path):
    written(tmp_path, 3)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


def test_another_format_is_refused_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "VERSION", 2)
    written(tmp_path, 3)
    monkeypatch.undo()
    with pytest.raises(StorageError, match=r"3\.snapshot has format 2, but this version of llmvitals reads format 1"):
        Snapshots(tmp_path).read_newest()
    assert len([*tmp_path.iterdir()]) == 1
