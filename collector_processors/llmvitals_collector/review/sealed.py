"""The token of a row: what its grade will need to know, and its grader is not to see."""

import base64
import hashlib
import zlib
from dataclasses import replace

import msgspec

from llmvitals.judge.rubric import Rubric
from llmvitals_collector.review.item import Item

_VERSION = "t1."  # which also keeps spreadsheets from taking a token for a number or a formula
_DIGEST_BYTES = 12
_BYTES = 1 << 20  # inflated; real ones have some hundred


class TokenError(ValueError):
    """A token that is none, or was changed: one sentence, with the column."""


class Sealed(msgspec.Struct, frozen=True):
    """What a token tells: an item without its texts, and by which points its answers are graded."""

    item: Item
    rubric: Rubric


def seal(item: Item, rubric: Rubric) -> str:
    """The token of an item: its labels, what the judge said, and the points of its rubric.

    It is checked, and unreadable at a glance; it is no secret from who takes the trouble to inflate it.
    """
    bare = msgspec.structs.replace(item, query="", context="", expected="", actual="")
    questions = tuple(replace(question, ask="") for question in rubric.questions)
    scoring = replace(rubric, questions=questions, examples=(), unknown="", reviewed=None)
    payload = zlib.compress(msgspec.json.encode(Sealed(bare, scoring)), 9)
    return _written(_digest(payload) + payload)


def unseal(token: str) -> Sealed:
    """What a token tells.

    Raises:
        TokenError: it is missing, or is not as it was given out.
    """
    if not token:
        raise TokenError("token: is missing; valid: as it was exported")
    changed = TokenError("token: was changed, and cannot be trusted; valid: as it was exported")
    text = token.removeprefix(_VERSION)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise changed from None
    digest, payload = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if token != _written(data) or digest != _digest(payload):
        raise changed
    try:
        return msgspec.json.decode(zlib.decompressobj().decompress(payload, _BYTES), type=Sealed)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise TokenError("token: is of another version of llmvitals; valid: export again") from error


def _written(data: bytes) -> str:
    return _VERSION + base64.urlsafe_b64encode(data).decode().rstrip("=")


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_DIGEST_BYTES, person=b"llmvitals").digest()
