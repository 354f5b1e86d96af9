"""Sending on over OTLP/HTTP. https://opentelemetry.io/docs/specs/otlp/#otlphttp"""

import gzip
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import requests
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.config import Destination
from llmvitals_collector.forward.transport import (
    SENTENCE_CHARACTERS,
    USER_AGENT,
    BusyError,
    Request,
    SendError,
    rejected,
)
from llmvitals_collector.receivers import Signal
from llmvitals_collector.reread import read

# https://opentelemetry.io/docs/specs/otlp/#failures-1
_RETRIED = (429, 502, 503, 504)
_ANSWER_BYTES = 64 << 10


class Http:
    """A session of one thread; see transport.Transport."""

    def __init__(self, config: Destination, key: str) -> None:
        tls = config.tls
        for name in ("ca_file", "cert_file", "key_file"):
            if file := getattr(tls, name):
                read(file, f"{key}.tls.{name}")
        self._config = config
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": USER_AGENT, **config.headers})
        # Else requests (2.34) would put the host's login of ~/.netrc in place of our authorization, ...
        self._session.auth = lambda prepared: prepared
        # ... and, of a session's own setting, REQUESTS_CA_BUNDLE in place of ca_file.
        self._verify = tls.ca_file or True
        self._session.cert = (tls.cert_file, tls.key_file) if tls.cert_file else None

    def send(self, request: Request) -> int:
        headers = {"Content-Type": request.encoding.value}
        body = request.body
        if self._config.compression == "gzip":
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, compresslevel=1)
        try:
            response = self._session.post(
                self._config.endpoint.rstrip("/") + request.signal.value,
                data=body,
                headers=headers,
                timeout=self._config.timeout_seconds,
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise BusyError(f"cannot be reached: {_cause(error)}") from error
        with response:
            return _outcome(request.signal, response)

    def close(self) -> None:
        self._session.close()


def _outcome(signal: Signal, response: requests.Response) -> int:
    encoding = response.headers.get("Content-Type", "").partition(";")[0]
    try:
        answer = next(response.iter_content(_ANSWER_BYTES), b"")
    except requests.RequestException:
        answer = b""  # the status says what is needed
    if requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
        return rejected(signal, answer, encoding)
    sentence = f"answers {response.status_code}: {_told(answer, encoding)}"
    if response.status_code in _RETRIED:
        raise BusyError(sentence, _retry_after(response.headers))
    raise SendError(sentence)


def _cause(error: BaseException) -> str:
    """What went wrong at the bottom of a chain of errors, without addresses of objects."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)[:SENTENCE_CHARACTERS] or type(error).__name__


def _told(answer: bytes, content_type: str) -> str:
    """The sentence in the answer to a request that was not accepted."""
    text = answer.decode("utf-8", "replace")
    try:
        if content_type == Encoding.PROTOBUF.value:
            text = Status.FromString(answer).message
    except DecodeError:
        pass
    return " ".join(text.split())[:SENTENCE_CHARACTERS]


def _retry_after(headers: Mapping[str, str]) -> float:
    """https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    told = headers.get("Retry-After", "")
    if told.isdecimal():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return 0.0
