"""The same request is refused for the same reason over gRPC and over HTTP, so that a client knows what to do next."""

import gzip
import socket
import zlib
from http import HTTPStatus
from threading import Event

import grpc
import pytest
from backports import zstd
from google.rpc.code_pb2 import Code

from llmvitals import semconv
from llmvitals_collector.config import GrpcReceiver, HttpReceiver, Receivers
from llmvitals_collector.decode import MalformedError
from llmvitals_collector.receivers import Rejected, UnavailableError

LIMIT = 1 << 20
TOO_LARGE = "the request is larger than 1048576 bytes; receivers.{}.max_request_bytes sets the limit"
BATCH = b"a batch"
GZIP_OF_NOTHING = gzip.compress(b"")


@pytest.fixture
def settings():
    """Requests of at most a megabyte, and room for two of them."""
    common = {"address": "127.0.0.1:0", "max_request_bytes": LIMIT}
    return Receivers(
        max_in_flight_bytes=2 * LIMIT + (192 << 10), grpc=GrpcReceiver(**common), http=HttpReceiver(**common)
    )


def compressed(protocol):
    """How a client says that a body is compressed: gRPC's own compression is known by its first byte."""
    return {"compression": "gzip"} if protocol == "http" else {}


def is_refused(answer, protocol, intake, code, http_status, reason):
    assert answer.status.code == code
    assert (answer.code.value[0] == code) if protocol == "grpc" else (answer.code is http_status)
    assert intake.refused == {(protocol, reason): 1}
    assert intake.bodies == []


# What the intake raises, and how that is told.
RAISED = [
    (MalformedError("the body is no batch"), Code.INVALID_ARGUMENT, HTTPStatus.BAD_REQUEST, semconv.MALFORMED),
    (UnavailableError(3, "the disk is full"), Code.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE, semconv.UNAVAILABLE),
    (RuntimeError("a secret"), Code.INTERNAL, HTTPStatus.INTERNAL_SERVER_ERROR, semconv.INTERNAL),
]


@pytest.mark.parametrize(("error", "code", "http_status", "reason"), RAISED, ids=[row[-1] for row in RAISED])
def test_what_the_intake_refuses_has_the_codes_of_both_protocols(
    send, protocol, intake, error, code, http_status, reason
):
    intake.outcome = error
    is_refused(send(BATCH), protocol, intake, code, http_status, reason)


def test_a_client_is_told_what_the_intake_says(send, intake):
    intake.outcome = MalformedError("the body is no batch")
    assert send(BATCH).message == "the body is no batch"


def test_an_error_of_our_own_is_in_our_log_and_not_in_the_answer(send, intake, caplog):
    intake.outcome = RuntimeError("a secret")
    assert send(BATCH).message == "the collector failed on this request; its log says why"
    assert "a secret" in caplog.text


def test_what_may_be_taken_later_says_when_in_each_place_where_clients_look(send, intake):
    intake.outcome = UnavailableError(3, "the disk is full")
    assert send(BATCH).retry_after == [3, 3]


def test_what_is_never_taken_says_no_time(send, intake):
    intake.outcome = MalformedError("the body is no batch")
    assert send(BATCH).retry_after == []


def test_a_request_that_is_too_large_is_not_to_come_again(send, protocol, intake):
    answer = send(bytes(LIMIT + 1))
    is_refused(answer, protocol, intake, Code.INVALID_ARGUMENT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, semconv.TOO_LARGE)
    assert answer.message == TOO_LARGE.format(protocol)
    assert answer.retry_after == []


def test_over_http_a_body_that_is_too_large_need_not_announce_it(post, intake):
    assert post(iter([bytes(LIMIT), b"x"]), transfer_encoding="chunked").code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert intake.refused == {("http", semconv.TOO_LARGE): 1}


def test_a_small_request_that_inflates_to_a_large_one_is_stopped(send, protocol, intake):
    answer = send(gzip.compress(bytes(40 * LIMIT), 1), **compressed(protocol))
    is_refused(answer, protocol, intake, Code.INVALID_ARGUMENT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, semconv.TOO_LARGE)
    assert answer.message == TOO_LARGE.format(protocol)


@pytest.mark.parametrize(
    "body", [gzip.compress(BATCH * 99)[:-5], GZIP_OF_NOTHING + b"more"], ids=["cut off", "with more behind it"]
)
def test_a_body_that_does_not_inflate_is_malformed(send, protocol, intake, body):
    answer = send(body, **compressed(protocol))
    is_refused(answer, protocol, intake, Code.INVALID_ARGUMENT, HTTPStatus.BAD_REQUEST, semconv.MALFORMED)
    assert answer.message == "the body is not gzip"


def test_what_does_not_fit_beside_what_is_in_flight_is_to_come_again(send, protocol, intake, held):
    """The account is one for both receivers: what fills it here is gRPC's."""
    held(bytes(LIMIT))
    intake.waiting.clear()
    held(bytes(LIMIT // 2))
    answer = send(bytes(LIMIT))
    is_refused(answer, protocol, intake, Code.RESOURCE_EXHAUSTED, HTTPStatus.TOO_MANY_REQUESTS, semconv.BUSY)
    assert len(answer.retry_after) == 2
    assert all(1 <= seconds <= 2 for seconds in answer.retry_after)
    assert [answer.body for answer in held.let_go()] == [b"", b""]
    assert send(bytes(LIMIT)).body == b""


def test_a_request_takes_up_what_it_inflates_to_as_well(send, protocol, intake, held):
    held(bytes(LIMIT))
    intake.waiting.clear()
    held(bytes(LIMIT // 2))
    answer = send(gzip.compress(bytes(LIMIT)), **compressed(protocol))
    is_refused(answer, protocol, intake, Code.RESOURCE_EXHAUSTED, HTTPStatus.TOO_MANY_REQUESTS, semconv.BUSY)


def test_while_it_drains_the_collector_finishes_what_it_has_and_sends_others_away(
    receivers, send, protocol, intake, held
):
    held(b"first")
    receivers.admission.drain(seconds=0)
    answer = send(b"second")
    is_refused(answer, protocol, intake, Code.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE, semconv.UNAVAILABLE)
    assert answer.message == "the collector is stopping"
    assert len(answer.retry_after) == 2
    assert [answer.body for answer in held.let_go()] == [b""]
    assert intake.bodies == [b"first"]


def test_a_request_that_is_taken_in_part_is_a_success_that_says_what_is_missing(send, intake):
    intake.outcome = Rejected(2, "2 spans have no ids")
    partial = send(BATCH).response.partial_success
    assert (partial.rejected_spans, partial.error_message) == (2, "2 spans have no ids")


def test_a_request_that_is_taken_as_a_whole_has_an_empty_answer(send, intake):
    assert send(BATCH).body == b""
    assert intake.bodies == [BATCH]


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_body_arrives_as_it_was_before_its_compression(send, protocol, intake, compress):
    body = b"some text, " * 90_000
    coding = {"compression": "gzip" if compress is gzip.compress else "deflate"} if protocol == "http" else {}
    send(compress(body), **coding)
    assert intake.bodies == [body]


def test_over_http_a_body_may_be_compressed_with_zstandard_too(post, intake):
    """GRPC's library knows no Zstandard, and refuses it before us."""
    body = b"some text, " * 90_000
    post(zstd.compress(body), compression="zstd")
    assert intake.bodies == [body]


def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(receivers, protocol, intake):
    if protocol == "grpc":
        path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        message = Event()
        with grpc.insecure_channel(f"127.0.0.1:{receivers.grpc.port}") as channel:
            grpc.channel_ready_future(channel).result(20)
            with pytest.raises(grpc.RpcError):
                channel.stream_unary(path)(iter(message.wait, True), timeout=1)
        message.set()
    else:
        with socket.create_connection(("127.0.0.1", receivers.http.port)) as connection:
            lines = ["POST /v1/traces HTTP/1.1", "host: x", "content-type: application/x-protobuf", "content-length: 9"]
            connection.sendall("\r\n".join([*lines, "", "half"]).encode())
    assert intake.noted.wait(10)
    assert intake.refused == {(protocol, semconv.ABORTED): 1}


def test_after_all_of_this_nothing_is_held(receivers, send, intake):
    """Whatever became of a request, its bytes are given back."""
    intake.outcome = RuntimeError("fails")
    for body in (b"", BATCH, bytes(LIMIT + 1), b"\x1f not gzip"):
        send(body)
    assert receivers.admission.held == 0
