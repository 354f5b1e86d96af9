"""POST /v1/feedback and GET /feedback.js: users' feedback, by the handle of the answer that it is about.

The body is JSON, whatever its content type says: browsers send text/plain without asking leave first, and what that
protects, the check of the origin does. https://fetch.spec.whatwg.org/#simple-header

Each kind counts once for an answer. A repetition that is no longer known here, as after a restart, is accepted, and
told by the event's id where events are counted. Of different kinds each counts: of a user who turns a thumb up into a
thumb down, both, since a counter takes nothing back.
"""

import asyncio
import logging
import math
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path

import msgspec

from llmvitals import semconv
from llmvitals._handle import feedback_id, has_keys
from llmvitals_collector.config import ConfigError, FeedbackReceiver
from llmvitals_collector.decode import Encoding
from llmvitals_collector.feedback.event import request_of
from llmvitals_collector.feedback.given import opened, parsed
from llmvitals_collector.feedback.limits import Once, RateLimit, client_of
from llmvitals_collector.http_server import App, Receive, Scope, Send, header, respond
from llmvitals_collector.receivers import Intake, RefusedError, Signal
from llmvitals_collector.receivers.admission import Admission, SizeLimit
from llmvitals_collector.receivers.cors import CorsPolicy
from llmvitals_collector.receivers.http_body import HttpBody
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

_SIZE = SizeLimit(4096)
# Of the bodies that are being read. An account of its own, so that who is slow here does not keep telemetry out.
_IN_FLIGHT_BYTES = 64 << 20
_RETRY_SECONDS = 5.0
_STATUS: Mapping[str, HTTPStatus] = {
    semconv.ACCEPTED: HTTPStatus.ACCEPTED,
    semconv.MALFORMED: HTTPStatus.BAD_REQUEST,
    semconv.UNKNOWN_KIND: HTTPStatus.BAD_REQUEST,
    semconv.UNKNOWN_KEY: HTTPStatus.UNAUTHORIZED,
    semconv.FORGED: HTTPStatus.UNAUTHORIZED,
    semconv.FOREIGN_ORIGIN: HTTPStatus.FORBIDDEN,
    semconv.ABORTED: HTTPStatus.REQUEST_TIMEOUT,
    semconv.REPEATED: HTTPStatus.CONFLICT,
    semconv.EXPIRED: HTTPStatus.GONE,
    semconv.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    semconv.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    semconv.BUSY: HTTPStatus.TOO_MANY_REQUESTS,
    semconv.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_SCRIPT = Path(__file__).with_name("feedback.js").read_bytes()
_SCRIPT_HEADERS = {
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=3600",
    "etag": f'"{blake2b(_SCRIPT, digest_size=8).hexdigest()}"',
    "x-content-type-options": "nosniff",
    "vary": "origin",
}


class FeedbackEndpoint:
    """Takes feedback, and gives it to the intake as the event `gen_ai.evaluation.result`.

    Raises:
        ConfigError: LLMVITALS_HANDLE_KEY is malformed.
    """

    def __init__(self, config: FeedbackReceiver, intake: Intake, telemetry: Telemetry) -> None:
        self._intake = intake
        self._telemetry = telemetry
        self._in_flight = Admission(_IN_FLIGHT_BYTES)
        self._counted = Once()
        try:
            self._has_keys = has_keys()
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.routes: Mapping[str, App] = {"/v1/feedback": self._feedback, "/feedback.js": self._script}
        self.configure(config)

    def configure(self, config: FeedbackReceiver) -> None:
        """Go on with other settings, from the next request on."""
        self._kinds = config.kinds
        self._cors = CorsPolicy(config.cors)
        self._trusted_proxies = config.trusted_proxies
        self._clients = RateLimit(config.client_requests_per_minute, "from this address")
        self._answers = RateLimit(config.answer_requests_per_minute, "on this answer")

    async def _feedback(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = header(scope, b"origin")
        headers = dict(self._cors.answer(origin))
        asks_first = scope["method"] == "OPTIONS" and origin
        if asks_first and headers:
            await respond(send, HTTPStatus.NO_CONTENT, b"", self._cors.preflight(origin).items())
        elif asks_first or scope["method"] == "POST":
            await self._answer(scope, HttpBody(receive), send, headers)
        else:
            await _not_allowed(send, "POST", headers)

    async def _answer(self, scope: Scope, body: HttpBody, send: Send, headers: dict[str, str]) -> None:
        answer = {"status": semconv.ACCEPTED}
        try:
            await self._take(scope, body)
        except RefusedError as refused:
            answer = {"status": refused.reason, "message": str(refused)}
            if refused.retry_after_seconds is not None:
                headers["retry-after"] = str(math.ceil(refused.retry_after_seconds))
            if _STATUS[refused.reason] is HTTPStatus.UNAUTHORIZED:
                headers["www-authenticate"] = "Handle"
            await body.discard()
        self._telemetry.count(semconv.COLLECTOR_FEEDBACK, answer["status"])
        headers["content-type"] = "application/json"
        await respond(send, _STATUS[answer["status"]], msgspec.json.encode(answer), headers.items())

    async def _take(self, scope: Scope, body: HttpBody) -> None:
        """Have one request counted, all of it or nothing.

        Raises:
            RefusedError: nothing of it is.
        """
        origin = header(scope, b"origin")
        if origin and not self._cors.answer(origin):
            message = f"pages of {origin} may send none; receivers.feedback.cors.allowed_origins has those that may"
            raise RefusedError(semconv.FOREIGN_ORIGIN, message)
        if not self._has_keys:
            message = f"the collector takes no feedback, because {semconv.HANDLE_KEY} is not set in its environment"
            raise RefusedError(semconv.UNAVAILABLE, message)
        self._clients.check(client_of(scope, self._trusted_proxies))
        with self._in_flight.admit() as lease:
            feedback = parsed(await body.read(_SIZE, lease), self._kinds)
        call = opened(feedback)
        self._answers.check((call.trace_id, call.span_id))
        event_id = feedback_id(call.trace_id, call.span_id, feedback.kind)
        if not self._counted.add(event_id):
            raise RefusedError(semconv.REPEATED, f"there was {feedback.kind!r} on this answer already; it counts once")
        try:
            # In a thread, as it may wait for the journal.
            await asyncio.to_thread(self._give, request_of(call, feedback))
        except BaseException:
            self._counted.discard(event_id)
            raise

    def _give(self, request: bytes) -> None:
        try:
            self._intake.take(semconv.RECEIVER_HTTP, Signal.LOGS, request, Encoding.PROTOBUF)
        except RefusedError:
            raise
        except Exception as error:
            _logger.exception("feedback could not be taken")
            message = "the collector failed on this feedback; its log says why"
            raise RefusedError(semconv.UNAVAILABLE, message, _RETRY_SECONDS) from error

    async def _script(self, scope: Scope, _receive: Receive, send: Send) -> None:
        headers = {**_SCRIPT_HEADERS, **self._cors.answer(header(scope, b"origin"))}
        if scope["method"] not in ("GET", "HEAD"):
            await _not_allowed(send, "GET, HEAD", headers)
        elif headers["etag"] in header(scope, b"if-none-match"):
            await respond(send, HTTPStatus.NOT_MODIFIED, b"", headers.items())
        else:
            await respond(send, HTTPStatus.OK, _SCRIPT, headers.items())


async def _not_allowed(send: Send, methods: str, headers: Mapping[str, str]) -> None:
    lines = {**headers, "content-type": "text/plain; charset=utf-8", "allow": methods}
    await respond(send, HTTPStatus.METHOD_NOT_ALLOWED, f"only {methods} is allowed\n".encode(), lines.items())
