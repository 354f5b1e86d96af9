"""A message that is set aside in a file is there whatever happens then, or the replica is told that it is not."""

import errno
import os

import pytest

from llmvitals import semconv
from llmvitals_collector.receivers.kafka import Message, set_aside
from llmvitals_collector.receivers.kafka.set_aside import Files, SetAsideError
from llmvitals_collector.storage import directory

POISON = Message(("calls", 3), 17, b"\xff", None, ())


def test_every_folder_on_the_way_to_it_survives_a_loss_of_power(tmp_path, monkeypatch):
    durable = []
    for module in (set_aside, directory):
        monkeypatch.setattr(module, "sync_names", lambda folder: durable.append((folder, *folder.iterdir())))
    Files(tmp_path).keep(POISON, semconv.MALFORMED)
    folder = tmp_path / "set-aside"
    assert durable == [
        (tmp_path, folder),
        (folder, folder / "calls"),
        (folder / "calls", folder / "calls" / "3-17.malformed"),
    ]


def test_one_that_may_get_lost_is_told_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    files = Files(tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SetAsideError, match=r"set-aside/.* cannot be written: Input/output error$"):
        files.keep(POISON, semconv.MALFORMED)
    monkeypatch.undo()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    files.keep(POISON, semconv.MALFORMED)
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"\xff"]
