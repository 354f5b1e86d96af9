"""What a snapshot holds comes back, whatever the limits and families have become."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector import expose
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Kind
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.expose import Format
from llmvitals_collector.quality import expected
from llmvitals_collector.saved import CONTENTS

BORN = 1_700_000_000.5

rows = st.fixed_dictionaries(
    {"service": st.sampled_from("abc"), "model": st.text(max_size=3)},
    optional={
        "duration": st.floats(0, 1e6),
        "input_tokens": st.integers(0, 10**9),
        "time_to_first_token": st.floats(0, 100),
        "attempts": st.integers(0, 3),
        "streamed": st.booleans(),
    },
)


def processed(rows):
    calls = Calls.from_rows(rows)
    for column in Calls.derived:
        calls.add(column.name, np.full(len(calls), 1.25 if column.kind is Kind.AMOUNT else 0))
    return calls


def filled(batches, limits=Limits(), metrics=Metrics()):  # noqa: B008 - they cannot change
    state = State(limits, metrics, clock=lambda: BORN)
    for batch in batches:
        state.add(processed(batch))
    return state


def lines(state):
    """The lines of a scrape, in any order: label sets may have other rows."""
    return sorted(b"".join(expose.render(state.snapshot(), Format.OPENMETRICS)).splitlines())


@given(batches=st.lists(st.lists(rows, max_size=20), max_size=3), limit=st.integers(1, 20), values=st.integers(1, 8))
def test_a_state_comes_back_as_it_was(batches, limit, values):
    limits = Limits(label_sets=limit, label_values=values)
    before = filled(batches, limits)
    after = State(limits, Metrics(), clock=lambda: BORN)
    assert after.restore(before.parts()) == []
    assert lines(after) == lines(before)
    for family, series in after.series.items():
        assert series.overflowed == before.series[family].overflowed
    for label, label_values in after.label_values.items():
        assert label_values.replaced == before.label_values[label].replaced


@given(batches=st.lists(st.lists(rows, max_size=20), max_size=3), limit=st.integers(1, 5), values=st.integers(1, 3))
def test_nothing_is_lost_where_there_is_less_room_than_before(batches, limit, values):
    before = filled(batches)
    after = State(Limits(label_sets=limit, label_values=values), Metrics())
    assert after.restore(before.parts()) == []
    one, two = (
        {
            each.family.name: (each.sums if hasattr(each, "sums") else each.cells).sum()
            for each in state.snapshot().series
        }
        for state in (before, after)
    )
    assert two == pytest.approx(one)
    assert all(len(label_sets) <= limit for label_sets in after.label_sets.values())


def test_a_form_of_histograms_can_be_switched_off_without_a_loss():
    batch = [{"duration": value, "streamed": True} for value in (0.001, 0.5, 7.0, 1e6)]
    classic = msgspec.structs.replace(Metrics(), native_histograms=False)
    after = State(Limits(), classic, clock=lambda: BORN)
    assert after.restore(filled([batch]).parts()) == []
    assert lines(after) == lines(filled([batch], metrics=classic))


def test_a_form_that_is_switched_on_starts_at_zero_and_says_so():
    batch = [{"duration": 2.0, "input_tokens": 5}]
    classic = msgspec.structs.replace(Metrics(), native_histograms=False)
    after = State(Limits(), Metrics())
    lost = after.restore(filled([batch], metrics=classic).parts())
    reason = "as its buckets have become finer than those that were saved"
    assert f"{semconv.DURATION.name} starts at zero, {reason}" in lost
    calls = next(each for each in after.snapshot().series if each.family is semconv.CALLS)
    assert calls.cells.sum() == 1.25


def test_what_is_not_known_any_more_is_dropped_and_told():
    parts = filled([[{"duration": 2.0}]]).parts()
    contents = json.loads(parts[CONTENTS])
    calls = contents["families"][semconv.CALLS.name]
    contents["families"]["llm_gone_total"] = contents["families"].pop(semconv.COST.name)
    calls["members"][0] = ["vanished", ""]
    contents["label_sets"]["gone"] = [["x"]]
    after = State(Limits(), Metrics())
    assert after.restore({**parts, CONTENTS: json.dumps(contents).encode()}) == [
        f"{semconv.CALLS.name} has no series any more for vanished",
        "llm_gone_total is dropped, as there is no such metric with these labels any more",
    ]
    durations = next(each for each in after.snapshot().series if each.family is semconv.DURATION)
    assert durations.sums.sum() == 2.5


def test_what_was_announced_is_still_there_at_0():
    state = State(Limits(), Metrics())
    judged = {"dimension": "safety", "source": semconv.SOURCE_JUDGE, "rubric": "abc", "evaluator": "gpt-x"}
    labels = (semconv.LABEL_SERVICE, semconv.LABEL_MODEL, "template", "template_version", "release")
    state.announce(expected([dict.fromkeys(labels, "a")], lambda _template: [judged], ()))
    restored = State(Limits(), Metrics())
    assert restored.restore(state.parts()) == []
    before, after = ({each.family: each.shown.sum() for each in one.snapshot().series} for one in (state, restored))
    assert before == after
    assert before[semconv.QUALITY_SCORE] == 1


def test_the_time_at_which_a_series_began_is_kept():
    before = State(Limits(), Metrics(), clock=lambda: 100.0)
    before.add(processed([{"model": "m"}]))
    after = State(Limits(), Metrics(), clock=lambda: 200.0)
    after.restore(before.parts())
    label_sets = after.snapshot().label_sets[semconv.CALL_LABELS]
    assert label_sets.created.tolist() == [100.0, 100.0]
    assert label_sets.last_seen[1] == 100.0
