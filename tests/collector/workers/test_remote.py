"""Between a worker and the process that counts: one message at a time, with all that came meanwhile."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.calls import CONTENT, Calls
from llmvitals_collector.config import Config
from llmvitals_collector.debug import Debug
from llmvitals_collector.receivers import RefusedError
from llmvitals_collector.receivers.admission import REQUEST_BYTES, Admission
from llmvitals_collector.storage import StorageError
from llmvitals_collector.storage.batch import packed, unpacked_batch
from llmvitals_collector.tasks import Tasks
from llmvitals_collector.telemetry import Telemetry
from llmvitals_collector.workers import account
from llmvitals_collector.workers.messages import Connection, Failed, Start, Stored, Take
from llmvitals_collector.workers.remote import RemoteCounting, RemoteError
from llmvitals_collector.workers.reporting import Reporting

PATIENCE = 20  # seconds


class Ends:
    """Both ends of a socket: what a worker counts with, and the process that counts, which is the test."""

    def __init__(self):
        ours, its = socket.socketpair()
        self.connection = Connection(ours)
        self._its = Connection(its)
        telemetry, config = Telemetry(10, ()), Config()
        self.counting = RemoteCounting(self._its, Reporting(telemetry, Debug(config.debug)), telemetry)
        self.pool = ThreadPoolExecutor(8)

    def received(self):
        """What was handed over: the rows of each batch, without content."""
        message, data = self.connection.receive()
        assert isinstance(message, Take)
        parts = [unpacked_batch(data[a:b]) for a, b in pairwise(accumulate(message.sizes, initial=0))]
        return [(type(part), len(part)) for part in parts[: -1 if message.content else None]]

    def close(self):
        for _ in range(8):
            self.counting.answered(Failed())  # for whoever still waits
        self.pool.shutdown()
        self.connection.close()
        self._its.close()


@pytest.fixture
def ends():
    made = Ends()
    yield made
    made.close()


def calls(count):
    return Calls.from_rows([{"model": f"model-{number}"} for number in range(count)])


def handed_over_meanwhile(ends, counts):
    """Have one request under way, and others waiting; gives what becomes of each."""
    first = ends.pool.submit(ends.counting.take, calls(1))
    assert ends.received() == [(Calls, 1)]
    others = [ends.pool.submit(ends.counting.take, calls(count), Tasks.from_rows([{"task": "t"}])) for count in counts]
    waiting = threading.Event()
    while len(ends.counting._waiting._batches.get(Calls, ())) < len(counts):
        waiting.wait(0.01)
    ends.counting.answered(Stored())
    first.result(PATIENCE)
    return others


def test_what_comes_while_a_message_is_under_way_goes_together_in_the_next(ends):
    others = handed_over_meanwhile(ends, [2, 3, 4])
    assert ends.received() == [(Calls, 9), (Tasks, 3)]
    assert not any(each.done() for each in others)
    ends.counting.answered(Stored())
    assert [each.result(PATIENCE) for each in others] == [None] * 3


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [(Stored("the disk is full"), StorageError, "the disk is full"), (Failed(), RemoteError, "its log says why")],
)
def test_what_a_message_fails_with_all_of_its_requests_do_and_the_next_is_tried(ends, answer, error, sentence):
    others = handed_over_meanwhile(ends, [2, 2])
    ends.received()
    ends.counting.answered(answer)
    for each in others:
        with pytest.raises(error, match=sentence):
            each.result(PATIENCE)
    again = ends.pool.submit(ends.counting.take, calls(5))
    assert ends.received() == [(Calls, 5)]
    ends.counting.answered(Stored())
    again.result(PATIENCE)


def test_a_request_without_records_waits_for_nobody(ends):
    ends.counting.take(calls(0), Tasks.from_rows([]))


def test_when_the_process_that_counts_has_ended_requests_are_to_come_again(ends):
    ends.connection.close()
    with pytest.raises(StorageError, match="the process that counts has ended"):
        ends.counting.take(calls(1))


def test_a_message_is_read_as_it_was_sent_however_many_pieces_it_comes_in(ends):
    body = bytes(range(256)) * 8192
    sent = ends.pool.submit(ends._its.send, Start(Config(), 1), body, memoryview(body))
    message, data = ends.connection.receive()
    sent.result(PATIENCE)
    assert message == Start(Config(), 1)
    assert data == body * 2


texts = st.text(max_size=5)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(("model", "template", *CONTENT), texts)), min_size=1))
def test_what_goes_apart_comes_together_again_and_the_journal_s_part_has_no_content(rows):
    batch = Calls.from_rows(rows)
    kept, content = (memoryview(b"".join(packed(batch, kept=kept))) for kept in (True, False))
    alone = unpacked_batch(kept)
    assert not any(name in alone for name in CONTENT)
    together = alone.beside(unpacked_batch(content))
    for name in rows[0]:
        assert [together.strings[code] for code in together[name]] == [row[name] for row in rows]


def test_the_bytes_in_flight_of_one_process_leave_no_room_in_another():
    places = account.view(account.create(2))
    one, other = Admission(3 * REQUEST_BYTES), Admission(3 * REQUEST_BYTES)
    one.share(places, 0)
    other.share(places, 1)
    with one.admit(), one.admit():
        assert other.held == 2 * REQUEST_BYTES
        with other.admit(), pytest.raises(RefusedError):
            other.admit()
        other.drain(PATIENCE)  # waits for its own alone
    assert one.held == 0
