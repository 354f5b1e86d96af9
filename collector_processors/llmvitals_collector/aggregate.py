"""The state of the collector: every batch ends here, as sums."""

from collections.abc import Iterator
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Columns
from llmvitals_collector.labels import LabelSets
from llmvitals_collector.results import Results
from llmvitals_collector.series import Amounts, Histograms, Series, Snapshot, snapshot

# The column behind each label whose values come from outside; the other labels are closed vocabularies.
LABEL_COLUMNS = {
    semconv.LABEL_SERVICE: "service",
    semconv.LABEL_PROVIDER: "provider",
    semconv.LABEL_OPERATION: "operation",
    semconv.LABEL_MODEL: "model",
    semconv.LABEL_TEMPLATE: "template",
}


class Measure(NamedTuple):
    """What a family takes from each record of a batch.

    value: the column that is observed or added up; "" counts records.
    labels: values of the family's first closed labels, the same for every record.
    by: the MEMBER column that gives the values of the closed labels after those.
    where: the FLAG column that must be set.
    """

    family: Family
    value: str = ""
    labels: tuple[str, ...] = ()
    by: str = ""
    where: str = ""


MEASURES: dict[type[Columns], tuple[Measure, ...]] = {
    Calls: (
        Measure(semconv.CALLS, by="outcome_by_class"),
        Measure(semconv.DURATION, "duration", by="outcome"),
        Measure(semconv.FIRST_CHUNK, "time_to_first_chunk", where="streamed"),
        Measure(semconv.FIRST_TOKEN, "time_to_first_token", where="streamed"),
        Measure(semconv.OUTPUT_SPEED, "output_tokens_per_second", where="streamed"),
        *(Measure(semconv.TOKEN_USAGE, f"{kind}_tokens", (kind,)) for kind in semconv.TOKEN_TYPES),
        *(Measure(semconv.TOKENS, f"{kind}_tokens", (kind,)) for kind in semconv.TOKEN_TYPES),
        Measure(semconv.CACHE_LOOKUPS, labels=(semconv.PROMPT_CACHE,), by="prompt_cache"),
        *(Measure(semconv.SLO_EVENTS, labels=(slo,), by=f"slo_{slo}") for slo in semconv.SLOS),
    ),
    Results: (Measure(semconv.FEEDBACK, by="kind"),),
}


class State:
    """The sums of all batches so far, for at most `label_sets` label sets.

    Families with the same open labels share their label sets, so that a batch looks them up once, and a call
    that finds no room goes to the overflow row of all of them. A scrape sees the whole of a batch or nothing.
    """

    def __init__(self, label_sets: int) -> None:
        self._lock = Lock()
        self._label_sets: dict[tuple[str, ...], LabelSets] = {}
        self._series: dict[type[Columns], list[tuple[Measure, Series]]] = {
            record: [(measure, self._build(record, measure, label_sets)) for measure in measures]
            for record, measures in MEASURES.items()
        }

    def _build(self, record: type[Columns], measure: Measure, limit: int) -> Series:
        names = tuple(name for name in measure.family.labels if name in LABEL_COLUMNS)
        label_sets = self._label_sets.setdefault(names, LabelSets(names, limit))
        vocabulary = next((c.members for c in (*record.decoded, *record.derived) if c.name == measure.by), ((),))
        members = tuple((*measure.labels, *((m,) if isinstance(m, str) else m)) for m in vocabulary)
        form = Histograms if measure.family.kind == "histogram" else Amounts
        return form(measure.family, label_sets, members)

    def add(self, batch: Columns) -> None:
        """Count a batch of calls or results. A column that a failed processor did not add is left out."""
        if not len(batch):
            return
        with self._lock:
            measures = self._series[type(batch)]
            rows = {held: held.rows(batch, LABEL_COLUMNS) for held in {series.label_sets for _, series in measures}}
            for measure, series in measures:
                if all(column in batch for column in (measure.value, measure.by, measure.where) if column):
                    kept, members, values = _observed(batch, measure)
                    series.add(rows[series.label_sets][kept], members[kept], values[kept])

    def snapshot(self) -> list[Snapshot]:
        """Copy everything at one moment, family by family."""
        with self._lock:
            return [snapshot(series) for series in self.series()]

    def series(self) -> Iterator[Series]:
        """The series of every measure, those of a family together."""
        return (series for each in self._series.values() for _, series in each)


def _observed(batch: Columns, measure: Measure) -> tuple[NDArray[np.bool_], NDArray[np.int8], NDArray[np.float64]]:
    """Which records count for a measure, and the member and the value of each: three arrays of shape (n,)."""
    values = batch[measure.value] if measure.value else np.ones(len(batch))
    members = batch[measure.by] if measure.by else np.zeros(len(batch), np.int8)
    kept = np.isfinite(values) & (members >= 0)
    return (kept & batch[measure.where] if measure.where else kept), members, values
