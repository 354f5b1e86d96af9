"""One answer that a person may grade in one dimension, with all that its grade is to say of it."""

from hashlib import blake2b

import msgspec

# Why an item is here: drawn at random, which is what rates are worked out from; or odd, and only to be read.
UNIFORM, TAIL = "uniform", "tail"


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer that a judge has judged by one rubric.

    service, provider, operation, model, template, template_version, release: the labels of the call; "" is unknown.
    trace_id, span_id: the call's, 32 and 16 hex digits. answered_at: when it was complete, seconds since the epoch;
        None is unknown.
    query, context, expected, actual: content; "" is what there was none of.
    dimension, track: of semconv.DIMENSIONS or the user's own, and one of semconv.TRACKS.
    rubric: the hash of its canonical form. judge: the judge's model.
    judge_verdict: one of semconv.RESULT_VERDICTS. judge_score: 0 to 1, None where there is none.
    weight: one over the probability that the answer came here; 0 where `why` is TAIL.
    stratum: one of semconv.STRATA. why: UNIFORM or TAIL.
    language, latency_band: of the answer, as ISO 639-1 and semconv.LATENCY_BANDS have it; "" is unknown.
    """

    service: str
    provider: str = ""
    operation: str = ""
    model: str = ""
    template: str = ""
    template_version: str = ""
    release: str = ""
    trace_id: str
    span_id: str
    answered_at: float | None
    query: str
    context: str = ""
    expected: str = ""
    actual: str
    dimension: str
    track: str
    rubric: str
    judge: str
    judge_verdict: str
    judge_score: float | None = None
    weight: float
    stratum: str
    why: str = UNIFORM
    language: str = ""
    latency_band: str = ""

    @property
    def id(self) -> str:
        """16 hex digits, the same for the same answer, dimension and rubric, whoever judges or grades it."""
        told = "\0".join((self.trace_id, self.span_id, self.dimension, self.rubric))
        return blake2b(told.encode(), digest_size=8).hexdigest()
