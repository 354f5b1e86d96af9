"""OTLP over HTTP. https://opentelemetry.io/docs/specs/otlp/#otlphttp"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

from llmvitals import semconv
from llmvitals_collector.config import HttpReceiver
from llmvitals_collector.decode import Encoding
from llmvitals_collector.http_server import App, HttpServer, Receive, Scope, Send, header, respond
from llmvitals_collector.receivers import RECEIVED, Intake, RefusedError, Signal
from llmvitals_collector.receivers.admission import Admission, Lease, SizeLimit
from llmvitals_collector.receivers.answers import CODES, encoded, status, taken
from llmvitals_collector.receivers.compression import CODINGS, inflated
from llmvitals_collector.receivers.cors import CorsPolicy
from llmvitals_collector.receivers.http_body import HttpBody
from llmvitals_collector.tokens import BearerTokens

_KEY = "receivers.http"
_IDENTITY = "identity"
# Decoding takes milliseconds, in which the loop goes on with other connections, and a request may wait until it is in
# the journal together with others.
_THREADS = 8


class OtlpHttp(HttpServer):
    """An HTTP server for /v1/traces and /v1/logs, in protobuf or JSON, and for what else has a path at its address."""

    def __init__(
        self,
        config: HttpReceiver,
        intake: Intake,
        admission: Admission,
        further: Mapping[str, App] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        super().__init__(self._answer, config.address, config.tls, _KEY, shared=shared)
        self._limit = SizeLimit(config.max_request_bytes, f"{_KEY}.max_request_bytes")
        self._intake = intake
        self._admission = admission
        self._pool: ThreadPoolExecutor | None = None
        self._routes: Mapping[str, App] = {
            **{signal.value: partial(self._otlp, signal) for signal in RECEIVED},
            **(further or {}),
        }
        # May be set anew at any time.
        self.tokens = BearerTokens(config.auth, f"{_KEY}.auth")
        self.cors = CorsPolicy(config.cors)

    def start(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="otlp-http")
        super().start()

    def stop(self) -> None:
        super().stop()
        if self._pool:
            # Who was cut off may still be counting.
            self._pool.shutdown()
            self._pool = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes.get(scope["path"], self._nothing)(scope, receive, send)

    async def _nothing(self, scope: Scope, _receive: Receive, send: Send) -> None:
        answer = Status(code=Code.NOT_FOUND, message=f"no such path; there are: {', '.join(self._routes)}")
        await _tell(send, HTTPStatus.NOT_FOUND, answer, self.cors.answer(header(scope, b"origin")))

    async def _otlp(self, signal: Signal, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin")
        headers = dict(self.cors.answer(origin))
        if scope["method"] == "OPTIONS" and origin:
            await respond(send, HTTPStatus.NO_CONTENT, b"", self.cors.preflight(origin).items())
        elif scope["method"] != "POST":
            headers["allow"] = "POST"
            answer = Status(code=Code.UNIMPLEMENTED, message="only POST is allowed")
            await _tell(send, HTTPStatus.METHOD_NOT_ALLOWED, answer, headers)
        else:
            await self._export(signal, scope, receive, send, headers)

    async def _export(
        self, signal: Signal, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]
    ) -> None:
        encoding = Encoding.JSON
        sent = HttpBody(receive)
        try:
            encoding = _encoding(scope)
            self.tokens.check(header(scope, b"authorization"))
            coding = _coding(scope)
            announced = int(header(scope, b"content-length") or 0)
            self._limit.check(announced)
            with self._admission.admit(announced) as lease:
                body = await sent.read(self._limit, lease)
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(self._pool, self._taken, signal, body, coding, encoding, lease)
        except RefusedError as refused:
            self._intake.refuse(semconv.RECEIVER_HTTP, refused, ":".join(map(str, scope["client"] or ())))
            if refused.retry_after_seconds is not None:
                headers["retry-after"] = str(round(refused.retry_after_seconds))
            if refused.reason == semconv.UNAUTHENTICATED:
                headers["www-authenticate"] = "Bearer"
            await sent.discard()
            await _tell(send, CODES[refused.reason][1], status(refused), headers, encoding)
        else:
            headers["content-type"] = encoding.value
            await respond(send, HTTPStatus.OK, answer, headers.items())

    def _taken(self, signal: Signal, body: bytes, coding: str, encoding: Encoding, lease: Lease) -> bytes:
        """The work of a thread: from the body as it was sent to the body of the answer."""
        if coding != _IDENTITY:
            body = inflated(body, coding, self._limit, lease)
        return taken(self._intake, semconv.RECEIVER_HTTP, signal, body, encoding)


def _encoding(scope: Scope) -> Encoding:
    content_type = header(scope, b"content-type").partition(";")[0].strip().lower()
    try:
        return Encoding(content_type)
    except ValueError:
        valid = " or ".join(encoding.value for encoding in Encoding)
        message = f"the content type is {content_type!r}; valid: {valid}"
        raise RefusedError(semconv.UNSUPPORTED_TYPE, message) from None


def _coding(scope: Scope) -> str:
    coding = header(scope, b"content-encoding").strip().lower() or _IDENTITY
    if coding not in (_IDENTITY, *CODINGS):
        message = f"the content encoding is {coding!r}; valid: {', '.join((_IDENTITY, *CODINGS))}"
        raise RefusedError(semconv.UNSUPPORTED_TYPE, message)
    return coding


async def _tell(
    send: Send, code: HTTPStatus, answer: Status, headers: Mapping[str, str], encoding: Encoding = Encoding.JSON
) -> None:
    """Answer with a google.rpc.Status, as OTLP/HTTP wants, in the request's own encoding."""
    lines = {"content-type": encoding.value, **headers}
    await respond(send, code, encoded(answer, encoding), lines.items())
