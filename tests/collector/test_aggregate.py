"""Batches become sums: exact, bounded, and the same whichever way they are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.aggregate import MEASURES, State
from llmvitals_collector.calls import Calls
from llmvitals_collector.results import Results


def processed(rows):
    """Calls that ended well, with the columns that processors add."""
    calls = Calls.from_rows(rows)
    for column in Calls.derived:
        calls.add(column.name, np.zeros(len(calls)))
    return calls


def of_family(state, family):
    (found,) = [each for each in state.snapshot() if each.series.family is family]
    return found


seconds = st.one_of(st.sampled_from(semconv.SECONDS_BOUNDS), st.floats(0, 1000), st.floats(0, 1e15))


@given(values=st.lists(seconds, min_size=1, max_size=100))
def test_bucket_counts_and_sum_are_exact_for_any_values(values):
    state = State(label_sets=10)
    state.add(processed([{"duration": value} for value in values]))
    cell = of_family(state, semconv.DURATION).cells[1, 0]
    exact = [np.count_nonzero(np.array(values) <= bound) for bound in semconv.SECONDS_BOUNDS]
    assert np.cumsum(cell[:-1]).tolist() == [*exact, len(values)]
    assert cell[-1] == pytest.approx(sum(values))


rows = st.fixed_dictionaries(
    {"service": st.sampled_from("abcdef"), "model": st.sampled_from("xyz"), "input_tokens": st.integers(0, 10**6)}
)


@given(batches=st.lists(st.lists(rows, max_size=20), max_size=5), limit=st.integers(1, 20))
def test_no_row_is_lost_when_label_sets_overflow(batches, limit):
    state = State(limit)
    for batch in batches:
        state.add(processed(batch))
    every = [row for batch in batches for row in batch]
    distinct = {(row["service"], row["model"]) for row in every}
    calls = of_family(state, semconv.CALLS)
    assert len(calls.series.label_sets) == min(limit, len(distinct))
    assert calls.cells.sum() == len(every)
    assert calls.series.overflowed == calls.cells[0].sum()
    assert (calls.series.overflowed > 0) == (len(distinct) > limit)
    tokens = [each for each in state.snapshot() if each.series.family is semconv.TOKENS]
    assert sum(each.cells.sum() for each in tokens) == sum(row["input_tokens"] for row in every)


@given(batch=st.lists(rows, min_size=1, max_size=30), cut=st.integers(0, 30))
def test_two_halves_of_a_batch_count_as_much_as_the_whole(batch, cut):
    whole, halves = State(label_sets=100), State(label_sets=100)
    whole.add(processed(batch))
    halves.add(processed(batch[:cut]))
    halves.add(processed(batch[cut:]))

    def by_label_set(state):
        calls = of_family(state, semconv.CALLS)
        return {values: calls.cells[row].sum() for row, values in enumerate(calls.series.label_sets.values)}

    assert by_label_set(whole) == by_label_set(halves)


def test_the_overflow_row_keeps_the_closed_labels():
    """A sum over outcome stays exact, however many label sets there are."""
    state = State(label_sets=1)
    state.add(processed([{"model": "known"}, {"model": "late"}]))
    calls = of_family(state, semconv.CALLS)
    assert calls.series.label_sets.values[0] == (semconv.OVERFLOW,) * len(semconv.CALL_LABELS)
    assert calls.cells[0, calls.series.members.index((semconv.OK, "")), 0] == 1


def test_every_outcome_of_a_label_set_is_shown_from_its_first_call():
    state = State(label_sets=10)
    state.add(processed([{"model": "a"}]))
    calls = of_family(state, semconv.CALLS)
    assert calls.series.members == (
        ("ok", ""),
        ("stopped", ""),
        *(("error", error_class) for error_class in semconv.ERROR_CLASSES),
    )
    assert calls.shown[1].all()
    assert not calls.shown[0].any()


def test_neither_absent_values_nor_first_tokens_of_whole_answers_are_observed():
    state = State(label_sets=10)
    streamed = {"streamed": True}
    state.add(processed([streamed | {"time_to_first_token": 1.0}, streamed, {"time_to_first_token": 9.0}]))
    cell = of_family(state, semconv.FIRST_TOKEN).cells[1, 0]
    assert cell[:-1].sum() == 1
    assert cell[-1] == 1.0


def test_a_batch_without_a_derived_column_counts_in_the_families_that_do_not_need_it():
    state = State(label_sets=10)
    state.add(Calls.from_rows([{"streamed": True, "time_to_first_token": 1.0}]))
    assert of_family(state, semconv.FIRST_TOKEN).shown.any()
    assert not of_family(state, semconv.CALLS).shown.any()


def test_a_long_label_value_is_cut_and_one_of_a_fine_tune_is_kept():
    state = State(label_sets=10)
    state.add(processed([{"model": "x" * 5000}, {"model": "ft:gpt-4o:acme::9xYz"}]))
    models = {values[3] for values in of_family(state, semconv.CALLS).series.label_sets.values[1:]}
    assert models == {"x" * 200, "ft:gpt-4o:acme::9xYz"}


def test_an_empty_batch_changes_nothing():
    state = State(label_sets=10)
    state.add(Calls.from_rows([]))
    state.add(Results.from_rows([]))
    assert not any(each.shown.any() for each in state.snapshot())


def test_every_family_of_calls_is_measured():
    """The gauges of the objectives come from the configuration; all other families are sums of records."""
    measured = {measure.family for measures in MEASURES.values() for measure in measures}
    assert measured == set(semconv.CALL_FAMILIES) - {semconv.SLO_OBJECTIVE, semconv.SLO_THRESHOLD}
