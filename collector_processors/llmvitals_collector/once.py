"""One call counts once, however many spans tell of it.

A call is told of more than once by a request that is sent again, by a wrapper around the client that makes a span of
its own, by a second instrumentation, by a proxy in the same trace and by the model's server. Who is right about which:

- The same span again is a duplicate.
- A call that has a call as its direct child is a wrapper, and its children count. Where the wrapper came first, and
  was counted, its first child is counted already.
- What two instrumentations tell of a trace with one response id is one call. Of spans that come together, those of the
  instrumentation that a client has, and that tells most, count; what another knows of template and cost is added.
  Two spans of one instrumentation are two calls: servers there are that give an id again.
- Anthropic's client (2.x) makes a span of its own, which other instrumentations do not see and which may be in a trace
  of its own. Anthropic's response ids are told apart in the whole service; of calls that failed, which have none, the
  client's own span does not count once another instrumentation has told of Anthropic.
- What a model's server says about a request, its client says, too.

So spans may come in any order and in any batches, as long as each two spans of a call know of each other: by being
parent and child, or by the response id. Of three nested calls without response ids, the one in the middle must not come
after both others: each of them would have counted by then.
"""

import zlib
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.calls import Calls

Keys: TypeAlias = NDArray[np.uint64]
Marks: TypeAlias = NDArray[np.uint32]
Mask: TypeAlias = NDArray[np.bool_]

# Odd and without a pattern: a key is a sum of products with them, modulo 2**64.
_TRACE_HIGH, _TRACE_LOW, _ID = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93
# What a key says of the id in it.
_SPAN, _WRAPPER, _ANSWER = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3
_SERVICE = 0x1D8E4E27C47D124F
_SERVERS = ("vllm",)  # dialects in which a model's server speaks
_OWN_CLIENT = "anthropic"  # the dialect of Anthropic's client
# What a span may know about its call, beside what all of them do.
_KNOWLEDGE = ("time_to_first_token", "time_to_first_chunk", "input_tokens", "output_tokens", "cost")
_BY_CLIENT, _IS_LEAF, _IS_COUNTED, _IS_OWNER = 10, 20, 40, 80  # each outweighs all before it


class Memory(Protocol):
    """Keys that came before, as many as there is room for."""

    def contains(self, ids: Keys, /) -> Mask:
        """Which of the keys are there. Shape: (n,)."""
        ...

    def marks(self, ids: Keys, /) -> Marks:
        """The marks of the keys; 0 of those that are not there. Shape: (n,)."""
        ...

    def new(self, ids: Keys, marks: Marks | None = None, /) -> Mask:
        """Remember the keys, and say which were not there; of equal ones, the first was not. Shape: (n,).

        marks: of those that were not there, by default 1.
        """
        ...


def once(calls: Calls, memory: Memory) -> NDArray[np.int8]:
    """Tell which calls are to be counted, and remember them; templates and costs move to the calls that do.

    Returns why each of the others is not: its place in `semconv.REPEATED_REASONS`; -1 for what counts. Shape: (n,).
    """
    client_side = ~_among(calls, "dialect", _SERVERS)
    # No span is its own parent; one that says so is not to vanish as its own wrapper.
    nested = (calls["parent_id"] > 0) & (calls["parent_id"] != calls["span_id"]) & client_side
    told = (calls["response_id"] > 0) & client_side
    span, parent = _key(calls, "span_id"), _key(calls, "parent_id")
    service = _text_keys(calls, "service")
    # As the mark of an answer: who told of it and counted. 1, which all others have, is nobody.
    emitter = (service * _TRACE_HIGH + _text_keys(calls, "dialect", "scope") >> 32).astype(np.uint32) | np.uint32(2)
    of_anthropic = _among(calls, "provider", ("anthropic", "Anthropic"))
    answer = np.where(of_anthropic, service + calls["response_id"] * _ID, _key(calls, "response_id")) + _ANSWER
    above = np.where(nested, _places(parent, span), -1)  # the row of the parent, -1 where it is not here

    parent_came, wraps = memory.contains(np.concatenate([parent + _SPAN, span + _WRAPPER])).reshape(2, -1)
    owner = memory.marks(answer)
    answered, is_owner = owner != 0, owner == emitter
    new = memory.new(np.concatenate([span + _SPAN, (parent + _WRAPPER)[nested]]))
    fresh = new[: len(calls)]
    first_child = np.zeros(len(calls), np.bool_)
    first_child[nested] = new[len(calls) :]

    elsewhere = answered & told & ~is_owner
    wraps[above[above >= 0]] = True
    # A wrapper that was counted stands for its first child, and this one for its own first child.
    counted = _inherited(elsewhere | (first_child & parent_came & nested), first_child, above)
    _inherit(calls, above)
    same_answer = elsewhere | _told_by_others(calls, of_anthropic, service, memory)
    unanswered = told & ~answered
    if _repeat(answer[unanswered]):
        rows = np.flatnonzero(told & fresh & ~same_answer)
        rank = _BY_CLIENT * calls["client"] + _IS_LEAF * ~wraps + _IS_COUNTED * counted + _IS_OWNER * is_owner
        same_answer |= _outranked(calls, rows, answer[rows], emitter, rank)

    # In the order of semconv.REPEATED_REASONS.
    reasons = [~client_side, ~fresh, wraps | (counted & ~elsewhere), same_answer]
    repeated = np.select(reasons, range(len(reasons)), -1).astype(np.int8)
    # What counts comes first, so that its mark stays.
    counts = unanswered & (repeated < 0)
    memory.new(answer[counts], emitter[counts])
    memory.new(answer[unanswered & ~counts])
    return repeated


def _told_by_others(calls: Calls, of_anthropic: Mask, service: Keys, memory: Memory) -> Mask:
    """Which failed calls only the client tells of, in a service where another instrumentation tells of it, too."""
    by_client = _among(calls, "dialect", (_OWN_CLIENT,))
    others = of_anthropic & ~by_client
    keys = np.zeros(len(calls.strings), np.uint64)
    keys[calls["service"][others]] = service[others] + _SERVICE
    memory.new(keys[keys > 0])
    alone: Mask = by_client & calls["failed"] & (calls["response_id"] == 0) & (calls["parent_id"] == 0)
    if alone.any():
        alone[alone] = memory.contains(service[alone] + _SERVICE)
    return alone


def _among(calls: Calls, name: str, texts: tuple[str, ...]) -> Mask:
    """Which calls have one of these texts in a column."""
    return calls.of_texts(name, texts.__contains__, np.bool_)


def _text_keys(calls: Calls, *names: str) -> Keys:
    """A key for what stands in these columns of text, of 32 bits for each."""
    key: Keys = np.zeros(len(calls), np.uint64)
    for name in names:
        key = key * _TRACE_LOW + calls.of_texts(name, lambda text: zlib.crc32(text.encode()), np.uint64) * _ID
    return key


def _key(calls: Calls, name: str) -> Keys:
    """What an id is in its trace: modulo 2**64 nearly as unique as the three numbers are."""
    key: Keys = calls["trace_id_high"] * _TRACE_HIGH + calls["trace_id_low"] * _TRACE_LOW + calls[name] * _ID
    return key


def _inherited(counted: Mask, first_child: Mask, above: NDArray[np.intp]) -> Mask:
    """Which rows were counted already: by themselves, or as the first child of one that was."""
    while (more := first_child & (above >= 0) & counted[above] & ~counted).any():
        counted = counted | more
    return counted


def _inherit(calls: Calls, above: NDArray[np.intp]) -> None:
    """Give calls what their wrappers know: a template, where they have none, and a cost."""
    rows = np.flatnonzero(above >= 0)
    if not len(rows):
        return
    while (lacking := (above >= 0) & (calls["template"] == 0) & (calls["template"][above] > 0)).any():
        _take(calls, "template", np.flatnonzero(lacking), above[lacking])
        _take(calls, "template_version", np.flatnonzero(lacking), above[lacking])
    lacking = (above >= 0) & np.isnan(calls["cost"])
    _take(calls, "cost", np.flatnonzero(lacking), above[lacking])


def _take(calls: Calls, name: str, rows: NDArray[np.intp], others: NDArray[np.intp]) -> None:
    column = calls[name].copy()
    column[rows] = column[others]
    calls.arrays[name] = column


def _outranked(calls: Calls, rows: NDArray[np.intp], answers: Keys, emitter: Marks, rank: NDArray[np.intp]) -> Mask:
    """Which of these rows have the same answer as one that ranks above them, by another emitter. Shape: (n,)."""
    _, which = np.unique(answers, return_inverse=True)
    known = sum((~np.isnan(calls[name][rows]) for name in _KNOWLEDGE), start=(calls["template"][rows] > 0).astype(int))
    order = np.lexsort((-(rank[rows] + known), which))
    first = np.diff(which[order], prepend=-1) > 0
    best = rows[order][first][which]
    for name in ("template", "template_version"):
        lacking = (calls[name][best] == 0) & (calls[name][rows] > 0)
        _take(calls, name, best[lacking], rows[lacking])
    lacking = np.isnan(calls["cost"][best]) & ~np.isnan(calls["cost"][rows])
    _take(calls, "cost", best[lacking], rows[lacking])
    outranked = np.zeros(len(calls), np.bool_)
    outranked[rows[emitter[best] != emitter[rows]]] = True
    return outranked


def _repeat(keys: Keys) -> bool:
    ordered = np.sort(keys)
    return bool((ordered[1:] == ordered[:-1]).any())


def _places(wanted: Keys, held: Keys) -> NDArray[np.intp]:
    """Where each wanted key first stands among those held, -1 where it does not."""
    places = np.full(len(wanted), -1)
    # Few calls have a call as their parent, so that a sieve spares nearly all of the sorting.
    rows = np.flatnonzero(_sieved(wanted, held))
    candidates = np.flatnonzero(_sieved(held, wanted[rows]))
    if len(rows) and len(candidates):
        order = candidates[np.argsort(held[candidates], kind="stable")]
        found = order[np.searchsorted(held[order], wanted[rows]).clip(max=len(order) - 1)]
        places[rows] = np.where(held[found] == wanted[rows], found, -1)
    return places


def _sieved(keys: Keys, among: Keys) -> Mask:
    """Which keys may be among others: all that are, and few that are not."""
    sieve = np.zeros(1 << 16, np.bool_)
    sieve[among >> 48] = True
    found: Mask = sieve[keys >> 48]
    return found
