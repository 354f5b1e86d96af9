"""Answered calls, taken out of a batch with their texts, so that the batch can go."""

from typing import NamedTuple, TypeVar

import numpy as np

from llmvitals import semconv
from llmvitals_collector.calls import CONTENT, Calls

T = TypeVar("T")

_TEXTS = ("service", "provider", "operation", "model", "template", "template_version", "release", "checks", "language")


class Answered(NamedTuple):
    """A call that was answered, and whose messages came with it.

    service to release: its labels. checks: what evaluators in the app have found, as semconv.CHECKS has it.
    language, latency_band: "" is unknown. input_messages to system_instructions: JSON, as the attributes have it.
    trace_id, span_id: of 128 and 64 bits. answered_at: seconds since the epoch. weight: how many calls it stands for.
    failure: whether the call itself tells of a failure, so that none which is found later is its primary one.
    """

    service: str
    provider: str
    operation: str
    model: str
    template: str
    template_version: str
    release: str
    checks: str
    language: str
    input_messages: str
    output_messages: str
    system_instructions: str
    latency_band: str
    trace_id: int
    span_id: int
    answered_at: float
    weight: float
    failure: bool


def with_answers(calls: Calls, room: int) -> tuple[Calls, int, int]:
    """Those calls of a batch whose answers came with them, in whole columns, as this is on the way of requests.

    room: for so many characters of messages; of the calls the first are taken that fit. Returns them, how many
    characters they hold, and how many calls did not fit.
    """
    if "output_messages" not in calls:
        return calls.where(np.zeros(len(calls), np.bool_)), 0, 0
    # What came before a call failed is no answer that a user got.
    answers = calls["output_messages"] > 0
    rows = np.flatnonzero(answers & calls["answered"] if "answered" in calls else answers)
    lengths = np.fromiter(map(len, calls.strings), np.int64, len(calls.strings))
    held = np.cumsum(sum(lengths[calls[name][rows]] for name in CONTENT))
    taken = int(held.searchsorted(room, side="right"))
    mask = np.zeros(len(calls), np.bool_)
    mask[rows[:taken]] = True
    kept = calls.where(mask)
    # The others' texts go.
    needed = np.zeros(len(calls.strings), np.bool_)
    for name in (*_TEXTS, *CONTENT):
        needed[kept[name]] = True
    strings = [text if needs else "" for text, needs in zip(calls.strings, needed.tolist(), strict=True)]
    return Calls(strings, kept.arrays), int(held[taken - 1]) if taken else 0, len(rows) - taken


def answered(calls: Calls) -> list[Answered]:
    """What `with_answers` gave, call by call."""
    strings = calls.strings
    texts = [[strings[code] for code in calls[name].tolist()] for name in (*_TEXTS, *CONTENT)]
    bands = [semconv.LATENCY_BANDS[place] if place >= 0 else "" for place in _derived(calls, "latency_band", -1)]
    high, low = calls["trace_id_high"].tolist(), calls["trace_id_low"].tolist()
    columns = (
        *texts,
        bands,
        [left << 64 | right for left, right in zip(high, low, strict=True)],
        calls["span_id"].tolist(),
        calls["end_time"].tolist(),
        _derived(calls, "weight", 1.0),
        _derived(calls, "failure", False),
    )
    return list(map(Answered._make, zip(*columns, strict=True)))


def _derived(calls: Calls, name: str, otherwise: T) -> list[T]:
    """A column that is missing if the processor that adds it has failed."""
    found: list[T] = calls[name].tolist() if name in calls else [otherwise] * len(calls)
    return found
