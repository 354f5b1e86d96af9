"""The number by which it is decided whether an answer is looked at more closely."""

from hashlib import blake2b

_BITS = 53  # of a float


def drawn(trace_id: int) -> float:
    """A number from 0 up to and without 1, uniform over trace ids: below a share p of them it is smaller than p.

    The same trace has the same number in every process and for every evaluator, so that replicas agree without a word,
    and a smaller sample lies within a larger one. It has nothing to do with that of samplers of traces, which
    look at bits of the trace id itself: of the traces that they have kept ours is a fair sample, too.
    """
    digest = blake2b(trace_id.to_bytes(16), digest_size=8, person=b"llmvitals").digest()
    return (int.from_bytes(digest) >> (64 - _BITS)) / (1 << _BITS)
