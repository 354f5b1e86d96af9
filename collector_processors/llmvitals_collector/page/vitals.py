"""Everything that the page shows, as one JSON document."""

from collections.abc import Sequence
from functools import cache, partial
from math import isnan
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.page import verdicts
from llmvitals_collector.page.attention import Seen, attention
from llmvitals_collector.page.figures import Counts, figures, shortened
from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.history import HOUR, RECENT, Counted, History, Slot, last
from llmvitals_collector.page.percentiles import percentiles
from llmvitals_collector.page.question import FILTERS, WINDOWS, Question
from llmvitals_collector.page.reading import Reading

ENOUGH = 30  # answers to be taken seriously
SHORTEST_SLOT = 10.0  # seconds; in less a rate is chance
MOST_ROWS, MOST_SLICES, MOST_CHOICES = 500, 100, 1000
_BY = {"templates": semconv.LABEL_TEMPLATE, "models": semconv.LABEL_MODEL}


def vitals(history: History, now: Reading, question: Question, floors: Floors) -> bytes:
    """The document, in JSON: times in seconds since the epoch, durations in seconds, cost in US dollars."""
    hour = last(history.slots(now), HOUR)
    recent = last(hour, RECENT)
    begun = len(hour) > 1 and hour[-1].end - hour[-1].start < SHORTEST_SLOT
    before = _over(history, hour[: len(hour) - len(recent)])
    latest = _over(history, recent)
    counts: dict[str, Counts] = {
        "5m": latest,
        "1h": cache(partial(_both, before, latest)),
        "all": cache(partial(_so_far, now)),
    }
    asked = counts[question.window]
    start = now.since if WINDOWS[question.window] is None else (recent if question.window == "5m" else hour)[0].start
    of = verdicts.slices(asked, question)
    quality = _ordered(verdicts.told(of), floors)
    told: dict[str, Any] = {
        "at": now.at,
        "since": now.since,
        "window": question.window,
        "seconds": now.at - start,
        "objectives": {slo: value for (slo,), value in now.gauges[semconv.SLO_OBJECTIVE].items()},
        "thresholds": {slo: value for (slo,), value in now.gauges[semconv.SLO_THRESHOLD].items()},
        "choices": _choices(now),
        "attention": attention(Seen(question, counts["5m"], before, counts["1h"], counts["all"], now, floors)),
        "totals": figures(asked, question).get("", {}),
        "quality": quality[:MOST_SLICES],
        "slices": len(quality),
        "trend": _trend(history, hour[:-1] if begun else hour, question),
    }
    worst: dict[str, dict[str, Any]] = {}
    for row in quality:  # the worst first
        worst.setdefault(row["template"], {key: row[key] for key in ("dimension", "rate", "low", "high", "n")})
    for name, label in _BY.items():
        rows = figures(asked, question, label)
        ordered = sorted(rows.items(), key=lambda each: -each[1]["calls"])
        told[name] = [{"name": each, **row} for each, row in ordered[:MOST_ROWS]]
        told[f"{name}_in_all"] = len(rows)
    for row in told["templates"]:
        if row["name"] in worst:
            row["quality"] = worst[row["name"]]
    return msgspec.json.encode(told)


def _over(history: History, slots: Sequence[Slot]) -> Counts:
    return cache(partial(history.counted, slots=slots))


def _both(first: Counts, second: Counts, family: Family) -> Counted:
    one, other = first(family), second(family)
    return one._replace(values=one.values + other.values)


def _so_far(now: Reading, family: Family) -> Counted:
    held = now.held[family]
    return Counted(held.form, held.keys, held.values)


def _ordered(rows: list[dict[str, Any]], floors: Floors) -> list[dict[str, Any]]:
    """With the floor that each has; first what is farthest below it or closest above, and of few answers last."""
    for row in rows:
        if metric := floors.of(row["template"], row["dimension"]):
            row["floor"] = metric.metric.floor
    return sorted(rows, key=lambda row: (row["n"] < ENOUGH, row["low"] - row.get("floor", 1.0)))


def _choices(now: Reading) -> dict[str, list[str]]:
    """The values that there are to choose from: those of the calls."""
    held = now.held[semconv.CALLS]
    places = {name: held.form.names.index(label) for name, label in FILTERS.items()}
    seen = [held.keys[row] for row in np.flatnonzero(held.values.any(axis=1)).tolist()]
    return {name: sorted({key[place] for key in seen})[:MOST_CHOICES] for name, place in places.items()}


def _trend(history: History, slots: Sequence[Slot], question: Question) -> dict[str, Any]:
    """Of each slot: when it began and how long it is, calls, errors, percentiles, and the buckets for the heatmap."""
    told: dict[str, Any] = {
        "start": [round(slot.start) for slot in slots],
        "seconds": [shortened(slot.end - slot.start) for slot in slots],
    }
    calls = history.by_slot(semconv.CALLS, slots, question.of)
    form = history.counted(semconv.CALLS, ()).form
    failed = [member[0] == semconv.ERROR for member in form.members]
    told["calls"] = _shortened(calls.sum(axis=(1, 2)))
    told["errors"] = _shortened(calls[:, failed].sum(axis=(1, 2)))
    told["cost"] = _shortened(history.by_slot(semconv.COST, slots, question.of).sum(axis=(1, 2)))
    for name, family, share in (
        ("first_token", semconv.FIRST_TOKEN, 0.95),
        ("duration", semconv.DURATION, 0.95),
        ("speed", semconv.OUTPUT_SPEED, 0.05),
    ):
        counts = history.by_slot(family, slots, question.of).sum(axis=1)
        form = history.counted(family, ()).form
        assert form.bounds is not None  # noqa: S101 - they are histograms
        tail = percentiles(counts, form.bounds, (share,), exponential=form.exponential)[:, 0]
        told[name] = {"tail": _shortened(tail)}
        if family is not semconv.OUTPUT_SPEED:
            told[name] |= _heat(counts, form.bounds)
    return told


def _heat(counts: NDArray[np.float64], bounds: NDArray[np.float64]) -> dict[str, Any]:
    """The buckets from the first to the last that has anything: `bounds`, one more than buckets, and `counts`."""
    used = np.flatnonzero(counts.any(axis=0))
    if not len(used):
        return {"bounds": [], "counts": []}
    first, last = int(used[0]), int(used[-1]) + 1
    edges = [0.0, *bounds.tolist(), None]
    return {"bounds": edges[first : last + 1], "counts": [_shortened(row) for row in counts[:, first:last]]}


def _shortened(numbers: NDArray[np.float64]) -> list[float | None]:
    """JSON has no NaN: where nothing was observed it is null."""
    return [None if isnan(each) else shortened(each) for each in numbers.tolist()]
