"""Feedback handles: what feedback needs to know of a call, in a string that may leave the process and come back.

    "lv1." + base64url(flags 1 | key id 3 | tag 16 | trace id 16 | span id 8 | minute 4 | names)

A handle is opened without asking anybody, by every process that has the key. From the trace id on it is
sealed where `cryptography` is installed, by AES-256-SIV (RFC 5297), and else signed, by HMAC-SHA256 cut to
16 bytes (RFC 2104, section 5). SIV and not GCM: its tag is its nonce, which saves 12 of about 90 bytes, and
there is no nonce to repeat, in forked processes or after 2^32 handles of one key. Flags and key id are
authenticated with the rest.
"""

import base64
import functools
import hmac
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from time import time
from typing import Any

from llmvitals import semconv

LIMIT = 255  # characters of a handle: what a database column takes by habit
NAMES = (
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.PROMPT_NAME,
    semconv.PROMPT_VERSION,
    semconv.SERVICE_NAME,
    semconv.SERVICE_VERSION,
)
"""What a handle says of its call, in this order, which is a part of the format: later names are added at the end."""

_SEALED, _SAMPLED = 1, 2  # flags
_TAG = 16  # bytes
_HEADER = 4
_BEFORE_NAMES = _HEADER + _TAG + 28
_ROOM = (
    (LIMIT - len(semconv.HANDLE_PREFIX)) * 3 // 4 - _BEFORE_NAMES - len(NAMES)
)  # bytes of all names, without their lengths
_SECRET_LENGTH = 32
_OWN_SECRET = os.urandom(32).hex()  # made with the process, so that two threads cannot make two


class HandleError(ValueError):
    """A handle that is of no use.

    HandleError
      |- MangledHandleError   no handle, or cut or changed so that it cannot be read
      |- UnknownKeyError      made with a key that is not among ours
      |- ForgedHandleError    made without the key, or changed since
      `- ExpiredHandleError   too old for this use
    """


class MangledHandleError(HandleError):
    """Not to be read as a handle."""


class UnknownKeyError(HandleError):
    """Made with a key that is not among ours."""


class ForgedHandleError(HandleError):
    """Made without the key that it names, or changed since."""


class ExpiredHandleError(HandleError):
    """Genuine, and older than this use of it allows."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What a handle says.

    trace_id, span_id: of the call, as OpenTelemetry's integers; sampled: whether its span was.
    identity: those of NAMES that are known, under their attribute names.
    """

    trace_id: int
    span_id: int
    sampled: bool
    identity: Mapping[str, str]


def issue(trace_id: int, span_id: int, *, sampled: bool, identity: Mapping[str, Any]) -> str:
    """A handle for the call, of at most LIMIT characters, all safe in a URL; two of one minute may be equal.

    identity: what is known of NAMES, under their attribute names. A name that does not fit any more is left
        out whole, because one cut short would be a wrong label; they are put in in the order of NAMES.
    Raises ValueError where LLMVITALS_HANDLE_KEY is malformed.
    """
    key = next(iter(_keys(os.environ.get(semconv.HANDLE_KEY)).values()))
    flags = (_SEALED if key.cipher else 0) | (_SAMPLED if sampled else 0)
    header = bytes((flags,)) + key.id
    minute = int(time()) // 60
    body = b"".join((trace_id.to_bytes(16), span_id.to_bytes(8), minute.to_bytes(4), *_packed(identity)))
    return semconv.HANDLE_PREFIX + _encoded(header + key.protect(header, body))


def read(handle: str, max_age: float) -> Handle:
    """What the handle says; a HandleError where it is of no use.

    max_age: seconds. A handle from the future is not refused: clocks differ.
    Raises ValueError where LLMVITALS_HANDLE_KEY is malformed.
    """
    raw = _decoded(handle)
    header = raw[:_HEADER]
    key = _keys(os.environ.get(semconv.HANDLE_KEY)).get(header[1:])
    if key is None:
        raise UnknownKeyError(
            f"feedback handle: it was made with a key that is not in {semconv.HANDLE_KEY} here; all processes that "
            "make or take handles need the same, and a retired key stays behind the first until its handles expire"
        )
    body = key.reveal(header, raw[_HEADER:])
    if body is None:
        raise ForgedHandleError("feedback handle: its signature is wrong; it was forged, or changed on its way")
    age = time() - 60 * int.from_bytes(body[24:28])
    if age > max_age:
        raise ExpiredHandleError(
            f"feedback handle: it is {timedelta(seconds=int(age))} old; for this use it may be at most "
            f"{timedelta(seconds=max_age)} old"
        )
    return Handle(
        trace_id=int.from_bytes(body[:16]),
        span_id=int.from_bytes(body[16:24]),
        sampled=bool(header[0] & _SAMPLED),
        identity={name: text for name, text in zip(NAMES, _unpacked(body[28:]), strict=False) if text},
    )


def has_keys() -> bool:
    """Whether LLMVITALS_HANDLE_KEY is set, without which this process opens no handles but its own.

    Raises ValueError where it is malformed.
    """
    variable = os.environ.get(semconv.HANDLE_KEY)
    return bool(variable and _keys(variable))


def feedback_id(trace_id: int, span_id: int, kind: str) -> bytes:
    """What tells this kind of feedback on this call from all other, in every process; 16 bytes."""
    ids = trace_id.to_bytes(16) + span_id.to_bytes(8)
    return blake2b(ids + kind.encode(), digest_size=16).digest()


class _Key:
    """One secret, and the keys that are derived from it, one for each use, as RFC 5869 expands them."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.id = self._derived("sha256", b"id")[:3]
        self._signing = self._derived("sha256", b"sign")

    @functools.cached_property
    def cipher(self) -> Any:
        """AES-256-SIV with this key; None where `cryptography` is not installed."""
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # 35 ms, when the first handle is made
        except ImportError:
            return None
        return AESSIV(self._derived("sha512", b"seal"))

    def protect(self, header: bytes, body: bytes) -> bytes:
        """Tag and body, which is sealed where the header says so."""
        if header[0] & _SEALED:
            sealed: bytes = self.cipher.encrypt(body, [header])
            return sealed
        return self._tag(header, body) + body

    def reveal(self, header: bytes, protected: bytes) -> bytes | None:
        """The body; None where the tag is not genuine."""
        if header[0] & _SEALED:
            return self._unsealed(header, protected)
        tag, body = protected[:_TAG], protected[_TAG:]
        return body if hmac.compare_digest(tag, self._tag(header, body)) else None

    def _unsealed(self, header: bytes, sealed: bytes) -> bytes | None:
        if self.cipher is None:
            raise HandleError("feedback handle: it is sealed; install `cryptography` here, as where it was made")
        from cryptography.exceptions import InvalidTag

        try:
            body: bytes = self.cipher.decrypt(sealed, [header])
        except InvalidTag:
            return None
        return body

    def _tag(self, header: bytes, body: bytes) -> bytes:
        return hmac.digest(self._signing, header + body, "sha256")[:_TAG]

    def _derived(self, digest: str, use: bytes) -> bytes:
        return hmac.digest(self._secret, b"llmvitals feedback handle: " + use + b"\x01", digest)


@functools.lru_cache(maxsize=8)
def _keys(variable: str | None) -> dict[bytes, _Key]:
    """The keys in LLMVITALS_HANDLE_KEY by id, the one that issues first; one of this process where it is unset."""
    if not variable:
        logging.getLogger("llmvitals").warning(
            "llmvitals: %s is not set: feedback handles are good in this process only, and until it ends",
            semconv.HANDLE_KEY,
        )
        variable = _OWN_SECRET
    secrets = [secret.strip() for secret in variable.split(",")]
    for position, secret in enumerate(secrets, 1):
        if len(secret) < _SECRET_LENGTH:
            raise ValueError(
                f"{semconv.HANDLE_KEY}: key {position} of {len(secrets)} has {len(secret)} characters; each needs "
                f"{_SECRET_LENGTH} or more, as `openssl rand -hex 32` makes, with commas between them"
            )
    keys = {key.id: key for key in map(_Key, secrets)}
    if len(keys) < len(secrets):
        raise ValueError(f"{semconv.HANDLE_KEY}: two of its {len(secrets)} keys are the same; leave one out")
    return keys


def _packed(identity: Mapping[str, Any]) -> Iterator[bytes]:
    room = _ROOM
    for name in NAMES:
        text = str(identity.get(name, "")).encode("utf-8", "replace")
        if len(text) > room:
            text = b""
        room -= len(text)
        yield bytes((len(text),)) + text


def _unpacked(packed: bytes) -> Iterator[str]:
    while packed:
        end = 1 + packed[0]
        yield packed[1:end].decode()
        packed = packed[end:]


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(handle: str) -> bytes:
    """The bytes of a handle that is one to the last bit: base64 has several spellings of the same bytes."""
    text = handle[:LIMIT].removeprefix(semconv.HANDLE_PREFIX)
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:  # of binascii, or of characters beyond ASCII
        raw = b""
    if len(raw) < _BEFORE_NAMES or semconv.HANDLE_PREFIX + _encoded(raw) != handle:
        raise MangledHandleError(
            f"feedback handle: {handle[:16]!r}... of {len(handle)} characters is none; give it as `handle()` made it"
        )
    return raw
