"""What comes while a request is worked on is worked on as one, and every sender gets its own answer."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Barrier

import pytest

from llmvitals import semconv
from llmvitals_collector.config import Config
from llmvitals_collector.decode import Encoding, MalformedError
from llmvitals_collector.expose import Format
from llmvitals_collector.joining import Joining
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Rejected, Signal, UnavailableError
from llmvitals_collector.storage import StorageError


def held_up(joining, works):
    """Have several threads come while a request is worked on; their futures, once all are answered."""
    with ThreadPoolExecutor(len(works)) as pool, joining._turn:
        futures = []
        for number, work in enumerate(works, 1):
            futures.append(pool.submit(work))
            while len(joining._waiting) < number:
                pass  # so that they come in this order
        joining._turn.release()
        for future in futures:
            future.exception()
        joining._turn.acquire()
    return futures


class Worker:
    """Works on requests, and notes which together; `fails` are those that it raises for."""

    def __init__(self, *fails, refuses=()):
        self.done = []
        self._fails = fails
        self._refuses = refuses
        self.joining = Joining(self.alone, self.together, b"together")

    def alone(self, body):
        self.done.append([body])
        if body in self._fails:
            raise ValueError(body)
        return b"alone: " + body

    def together(self, bodies):
        if set(self._refuses) & set(bodies):
            return False
        self.done.append(list(bodies))
        if set(self._fails) & set(bodies):
            raise ValueError
        return True

    def take(self, *bodies):
        return held_up(self.joining, [lambda body=body: self.joining.take(body) for body in bodies])


def test_a_request_that_comes_alone_is_worked_on_alone():
    worker = Worker()
    assert worker.joining.take(b"one") == b"alone: one"
    assert worker.done == [[b"one"]]


def test_what_waits_when_a_turn_ends_is_worked_on_as_one():
    worker = Worker()
    futures = worker.take(b"one", b"two", b"three")
    assert [future.result() for future in futures] == [b"together"] * 3
    assert worker.done == [[b"one", b"two", b"three"]]


def test_what_cannot_be_worked_on_as_one_is_worked_on_alone_and_each_gets_its_own_answer():
    worker = Worker(b"two", refuses=[b"two"])
    one, two, three = worker.take(b"one", b"two", b"three")
    assert [one.result(), three.result()] == [b"alone: one", b"alone: three"]
    with pytest.raises(ValueError, match="two"):
        two.result()
    assert sorted(worker.done) == [[b"one"], [b"three"], [b"two"]]


def test_one_that_keeps_the_others_from_going_together_does_not_make_them_wait_for_each_other():
    worker = Worker(refuses=[b"two"])
    both = Barrier(3, timeout=20)
    alone, worker.joining._alone = worker.alone, lambda body: (both.wait(), alone(body))[1]
    futures = worker.take(b"one", b"two", b"three")
    assert [future.result() for future in futures] == [b"alone: one", b"alone: two", b"alone: three"]


def test_what_fails_for_all_fails_for_each():
    worker = Worker(b"two")
    assert [type(future.exception()) for future in worker.take(b"one", b"two")] == [ValueError] * 2
    assert worker.done == [[b"one", b"two"]]


def test_a_turn_that_failed_is_followed_by_others():
    worker = Worker(b"one")
    with pytest.raises(ValueError, match="one"):
        worker.joining.take(b"one")
    assert worker.joining.take(b"two") == b"alone: two"


def test_of_many_threads_every_request_is_worked_on_once():
    worker = Worker()
    bodies = [b"%d" % number for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(worker.joining.take, bodies))
    assert sorted(chain.from_iterable(worker.done)) == sorted(bodies)
    alone = {body for done in worker.done if len(done) == 1 for body in done}
    assert answers == [b"alone: " + body if body in alone else b"together" for body in bodies]


class Sender:
    """Sends a collector requests that come at the same moment."""

    def __init__(self):
        self.pipeline = Pipeline(Config())
        self.joining = self.pipeline.intake._joining[semconv.RECEIVER_HTTP, Signal.TRACES]

    def take(self, body):
        return self.pipeline.intake.take(semconv.RECEIVER_HTTP, Signal.TRACES, body, Encoding.PROTOBUF)

    def send(self, *bodies):
        return held_up(self.joining, [lambda body=body: self.take(body) for body in bodies])

    def told(self):
        """What /metrics and /debug say, without times."""
        text = b"".join(self.pipeline.render(Format.TEXT)).decode().splitlines()
        names = [family.name for family in semconv.COUNTED_FAMILIES]
        names += [semconv.COLLECTOR_RECEIVED_SPANS.name, semconv.OTELCOL_ACCEPTED_SPANS.name]
        names += [semconv.COLLECTOR_REJECTED_SPANS.name, semconv.OTELCOL_REFUSED_SPANS.name]
        samples = [line for line in text if line.startswith(tuple(names)) and "_created" not in line]
        return samples, self.pipeline._debug.view().totals


@pytest.fixture
def bodies(spans):
    return [spans({semconv.USAGE_INPUT_TOKENS: number}).SerializeToString() for number in (3, 5, 7)]


def test_joined_requests_count_as_they_would_alone(bodies):
    joined, one_by_one = Sender(), Sender()
    assert [future.result() for future in joined.send(*bodies)] == [None] * 3
    for body in bodies:
        one_by_one.take(body)
    assert joined.told() == one_by_one.told()


def test_of_joined_requests_the_malformed_one_alone_is_refused(bodies):
    joined, one_by_one = Sender(), Sender()
    malformed = bodies[0].replace(b"shop", b"\xff" * 4)  # no UTF-8
    first, refused, second = joined.send(bodies[1], malformed, bodies[2])
    assert first.result() is second.result() is None
    assert isinstance(refused.exception(), MalformedError)
    for body in bodies[1:]:
        one_by_one.take(body)
    assert joined.told() == one_by_one.told()


def test_of_joined_requests_only_the_sender_of_what_is_rejected_hears_of_it(spans, bodies):
    request = spans({}, {})
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b""
    joined, one_by_one = Sender(), Sender()
    with_fault = request.SerializeToString()
    answers = [future.result() for future in joined.send(bodies[0], with_fault, bodies[1])]
    assert [answers[0], answers[2]] == [None, None]
    assert isinstance(answers[1], Rejected)
    assert answers[1].count == 1
    for body in (bodies[0], with_fault, bodies[1]):
        one_by_one.take(body)
    assert joined.told() == one_by_one.told()


def test_joined_requests_that_cannot_be_kept_are_all_to_be_sent_again(bodies, monkeypatch):
    sender = Sender()

    def full(*_batches):
        raise StorageError("the disk is full")

    monkeypatch.setattr(sender.pipeline.intake, "_counting", type("Full", (), {"take": staticmethod(full)}))
    assert [type(future.exception()) for future in sender.send(*bodies)] == [UnavailableError] * 3
    samples, _ = sender.told()
    refused = [
        line for line in samples if line.startswith(semconv.OTELCOL_REFUSED_SPANS.name) and 'transport="http"' in line
    ]
    assert [float(line.split()[-1]) for line in refused] == [3.0]
