"""What a client gives: feedback in JSON, and the handle that says on which call."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Annotated

import msgspec

from llmvitals import semconv
from llmvitals._handle import (
    ExpiredHandleError,
    ForgedHandleError,
    Handle,
    HandleError,
    MangledHandleError,
    UnknownKeyError,
    read,
)
from llmvitals_collector.receivers import RefusedError

_FORM = '{"handle": "lv1...", "kind": "thumb_up"}, and where they are known "value", from 0 to 1, and "comment"'
_KIND_CHARACTERS = 64
_OUTCOMES: Mapping[type[HandleError], str] = {
    MangledHandleError: semconv.MALFORMED,
    UnknownKeyError: semconv.UNKNOWN_KEY,
    ForgedHandleError: semconv.FORGED,
    ExpiredHandleError: semconv.EXPIRED,
    HandleError: semconv.UNAVAILABLE,  # sealed, and `cryptography` is not installed here
}


class Feedback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Feedback of a user.

    Attributes:
        handle: of the answer, as the SDK made it.
        kind: one of semconv.FEEDBACK_SCORES.
        value: the score from 0 (bad) to 1 (good), for kinds that have a scale.
        comment: the user's own words.
    """

    handle: str
    kind: str
    value: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    comment: str | None = None


def parsed(body: bytes, kinds: Collection[str]) -> Feedback:
    """Read a body; kinds: those that are taken.

    Raises:
        RefusedError: it is no feedback, or of no such kind.
    """
    try:
        feedback = msgspec.json.decode(body, type=Feedback)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(semconv.MALFORMED, f"the body is no feedback: {error}; valid: {_FORM}") from error
    if feedback.kind not in kinds:
        kind = feedback.kind[:_KIND_CHARACTERS]
        near = get_close_matches(kind, kinds, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else "."
        message = f"kind: {kind!r} is none that is taken here{meant} Valid: {', '.join(kinds)}"
        raise RefusedError(semconv.UNKNOWN_KIND, message)
    return feedback


def opened(feedback: Feedback) -> Handle:
    """What the handle says of the call.

    Raises:
        RefusedError: it is of no use, or too old for this kind.
    """
    try:
        return read(feedback.handle, semconv.FEEDBACK_MAX_AGE[feedback.kind])
    except HandleError as error:
        raise RefusedError(_OUTCOMES[type(error)], str(error)) from error
