"""OTLP over HTTP. https://opentelemetry.io/docs/specs/otlp/#otlphttp"""

import json
import zlib
from http import HTTPStatus

from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from llmvitals import semconv
from llmvitals_collector.config import HttpReceiver
from llmvitals_collector.decode import Encoding, MalformedError, decode_logs, decode_traces
from llmvitals_collector.http_server import HttpServer, Receive, Scope, Send, header, respond
from llmvitals_collector.receivers import Decode, Intake

_SIGNALS: dict[str, Decode] = {"/v1/traces": decode_traces, "/v1/logs": decode_logs}
# An Export...ServiceResponse without anything to say.
_ACCEPTED = {Encoding.PROTOBUF: b"", Encoding.JSON: b"{}"}
# Content-Encoding -> the window bits by which zlib knows the format.
_WINDOW_BITS = {"gzip": 31, "deflate": 15}
_CODES = {
    HTTPStatus.BAD_REQUEST: Code.INVALID_ARGUMENT,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.UNIMPLEMENTED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.INVALID_ARGUMENT,
}


class RefusedError(Exception):
    """A request that is answered with an error: its HTTP status, and the reason under which it is counted."""

    def __init__(self, status: HTTPStatus, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class OtlpHttp(HttpServer):
    """An HTTP server for /v1/traces and /v1/logs, in protobuf or JSON."""

    def __init__(self, config: HttpReceiver, intake: Intake) -> None:
        super().__init__(self._answer, config.address, "receivers.http.address")
        self._limit = config.max_request_bytes
        self._intake = intake

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        decode = _SIGNALS.get(scope["path"])
        if decode is None:
            await _fail(send, HTTPStatus.NOT_FOUND, f"no such path; there are: {', '.join(_SIGNALS)}")
            return
        if scope["method"] != "POST":
            await _fail(send, HTTPStatus.METHOD_NOT_ALLOWED, "only POST is allowed", allow="POST")
            return
        encoding = Encoding.JSON
        try:
            encoding = _encoding(scope)
            body = _inflated(await self._body(scope, receive), header(scope, b"content-encoding"), self._limit)
            self._intake.take(semconv.RECEIVER_HTTP, decode, body, encoding)
        except RefusedError as refused:
            self._intake.refuse(semconv.RECEIVER_HTTP, refused.reason)
            await _fail(send, refused.status, str(refused), encoding)
        except MalformedError as malformed:
            await _fail(send, HTTPStatus.BAD_REQUEST, str(malformed), encoding)
        else:
            await respond(send, HTTPStatus.OK, _ACCEPTED[encoding], [("content-type", encoding.value)])

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        # A body that announces its size is refused before it is sent.
        if int(header(scope, b"content-length") or 0) > self._limit:
            raise _too_large(self._limit)
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError(HTTPStatus.BAD_REQUEST, semconv.MALFORMED, "the body ended early")
            body += message.get("body", b"")
            if len(body) > self._limit:
                raise _too_large(self._limit)
            if not message.get("more_body", False):
                return bytes(body)


def _encoding(scope: Scope) -> Encoding:
    content_type = header(scope, b"content-type").partition(";")[0].strip().lower()
    try:
        return Encoding(content_type)
    except ValueError:
        valid = " or ".join(encoding.value for encoding in Encoding)
        message = f"the content type is {content_type!r}; valid: {valid}"
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, semconv.UNSUPPORTED_TYPE, message) from None


def _inflated(body: bytes, compression: str, limit: int) -> bytes:
    """Undo the compression of a body, without ever holding more than `limit` bytes and one."""
    if compression in ("", "identity"):
        return body
    if compression not in _WINDOW_BITS:
        message = f"the content encoding is {compression!r}; valid: identity, {', '.join(_WINDOW_BITS)}"
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, semconv.UNSUPPORTED_TYPE, message)
    inflater = zlib.decompressobj(_WINDOW_BITS[compression])
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error:
        inflated = b""
    if len(inflated) > limit:
        raise _too_large(limit)
    if not inflater.eof or inflater.unused_data:
        raise RefusedError(HTTPStatus.BAD_REQUEST, semconv.MALFORMED, f"the body is not {compression}")
    return inflated


def _too_large(limit: int) -> RefusedError:
    message = f"the request is larger than {limit} bytes; receivers.http.max_request_bytes sets the limit"
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, semconv.TOO_LARGE, message)


async def _fail(
    send: Send, status: HTTPStatus, message: str, encoding: Encoding = Encoding.JSON, **headers: str
) -> None:
    """Answer with a google.rpc.Status, as OTLP/HTTP wants, in the request's own encoding."""
    code = _CODES[status]
    if encoding is Encoding.PROTOBUF:
        body = Status(code=code, message=message).SerializeToString()
    else:
        body = json.dumps({"code": code, "message": message}).encode()
    await respond(send, status, body, [("content-type", encoding.value), *headers.items()])
