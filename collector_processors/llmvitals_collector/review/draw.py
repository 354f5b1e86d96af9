"""Which of the answers that wait for people go into a sheet, and in which order."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from llmvitals_collector.review.item import UNIFORM, Item


def drawn(items: Iterable[Item], number: int, tail: int, seed: str) -> list[Item]:
    """Draw from each dimension `number` items at random, and `tail` of those that are only to be read.

    The same `seed` draws the same answers from the same items, in all dimensions, for whoever asks. An item that is
    drawn weighs as much more as fewer are drawn than there are. The order tells nothing of why an item is here.
    """
    chosen = []
    groups: defaultdict[tuple[str, bool], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.dimension, item.why == UNIFORM].append(item)
    for (_, uniform), group in groups.items():
        lot = sorted(group, key=lambda item: _rank(item, seed, "draw"))[: number if uniform else tail]
        weighing = len(group) / len(lot) if lot else 0.0
        chosen += [msgspec.structs.replace(item, weight=item.weight * weighing if uniform else 0.0) for item in lot]
    # An answer's dimensions stand together, so that it is read once.
    return sorted(chosen, key=lambda item: (_rank(item, seed, "order"), item.dimension))


def _rank(item: Item, seed: str, purpose: str) -> bytes:
    return blake2b("\0".join((seed, purpose, item.trace_id, item.span_id)).encode(), digest_size=8).digest()
