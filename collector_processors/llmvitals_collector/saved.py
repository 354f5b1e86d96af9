"""The state in arrays and JSON, for a file, and back again, under other limits and families if need be."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmvitals_collector.counters import Counters, CounterSnapshot
from llmvitals_collector.histograms import Histograms, HistogramSnapshot
from llmvitals_collector.labels import LabelSetSnapshot

Parts: TypeAlias = Mapping[str, NDArray[Any] | bytes]

# The part that tells what the arrays are about. Those are named LABELS/ARRAY and FAMILY/ARRAY.
CONTENTS = "state"


def parts(
    label_sets: Iterable[LabelSetSnapshot], series: Iterable[CounterSnapshot | HistogramSnapshot], **more: Any
) -> dict[str, NDArray[Any] | bytes]:
    """Snapshots as flat arrays: of what is shown only, and of buckets in which something is.

    more: goes into the contents, and has to be fit for JSON.
    """
    contents: dict[str, Any] = {"label_sets": {}, "families": {}, **more}
    arrays: dict[str, NDArray[Any] | bytes] = {}
    for each in label_sets:
        key = label_key(each.names)
        contents["label_sets"][key] = each.texts
        arrays |= {f"{key}/created": each.created, f"{key}/last_seen": each.last_seen}
    for one in series:
        name = one.family.name
        contents["families"][name] = {"label_sets": label_key(one.names), "members": one.members}
        cells = np.flatnonzero(one.shown)
        arrays[f"{name}/cells"] = cells
        if isinstance(one, HistogramSnapshot):
            arrays |= {f"{name}/sums": one.sums.reshape(-1)[cells], f"{name}/bounds": one.grid.bounds}
            arrays |= zip((f"{name}/filled", f"{name}/buckets", f"{name}/counts"), one.filled(), strict=True)
        else:
            arrays[f"{name}/amounts"] = one.cells.reshape(-1)[cells]
    return {CONTENTS: json.dumps(contents).encode(), **arrays}


def label_key(names: tuple[str, ...]) -> str:
    """The name under which label sets are saved."""
    return ",".join(names)


def restore(saved: Parts, series: Counters | Histograms, rows: NDArray[np.intp]) -> str | None:
    """Add the numbers that a family had, which is in `saved`; rows: the row now of each row that was saved.

    Returns:
        what is lost of them, in a sentence; None if nothing is.
    """
    name = series.family.name
    prefix = f"{name}/"
    arrays = {key.removeprefix(prefix): np.asarray(part) for key, part in saved.items() if key.startswith(prefix)}
    before = [tuple(member) for member in contents(saved)["families"][name]["members"]]
    now = {member: place for place, member in enumerate(series.members)}
    members = np.array([now.get(member, -1) for member in before], np.intp)

    def placed(cells: NDArray[np.intp], *values: NDArray[Any]) -> list[NDArray[Any]]:
        """Rows and members of today, and the values, of those cells that are still known."""
        member = members[cells % len(before)]
        known = member >= 0
        return [rows[cells // len(before)][known], member[known], *(each[known] for each in values)]

    if isinstance(series, Counters):
        at, member, amounts = placed(arrays["cells"], arrays["amounts"])
        series.add(at, member, series.groups[member], amounts)
    else:
        bounds = arrays["bounds"]
        if not np.isin(series.grid.bounds, bounds).all():
            return f"{name} starts at zero, as its buckets have become finer than those that were saved"
        at, member, sums = placed(arrays["cells"], arrays["sums"])
        series.add(series.cells(at, member), sums)
        at, member, buckets, counts = placed(arrays["filled"], arrays["buckets"], arrays["counts"])
        # What was in a bucket is not above its bound, and above the last one there is no bound.
        buckets_now = np.append(series.grid.locate(bounds), len(series.grid) - 1)
        series.count(series.cells(at, member), buckets_now[buckets], counts)
        # What was announced, and had nothing to observe yet, is there at 0.
        at, member = placed(np.setdiff1d(arrays["cells"], arrays["filled"]))
        series.count(series.cells(at, member), np.zeros(len(at), np.intp), np.zeros(len(at)))
    counted = np.unique(arrays["cells"] % len(before))
    gone = [" ".join(filter(None, before[place])) for place in counted[members[counted] < 0].tolist()]
    return f"{name} has no series any more for {', '.join(gone)}" if gone else None


def contents(saved: Parts) -> dict[str, Any]:
    """What the arrays of saved parts are about."""
    found = saved[CONTENTS]
    decoded: dict[str, Any] = json.loads(bytes(found))
    return decoded
