"""Batches become sums: exact, bounded, and the same whichever way they are cut."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector import placing
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import Kind
from llmvitals_collector.config import Limits, Metrics
from llmvitals_collector.measures import LABEL_COLUMNS, MEASURES, SUMS
from llmvitals_collector.quality import expected, rated
from llmvitals_collector.results import Results

HOUR = 3600.0


@pytest.fixture
def clock():
    """A clock that is set by hand: `clock.now = 5.0`."""

    class Clock:
        now = 1_700_000_000.0

        def __call__(self):
            return self.now

    return Clock()


def state_of(**limits):
    return State(Limits(**limits), Metrics())


def processed(rows, **columns):
    """Calls that ended well, with the columns that processors add; `columns` has other ones."""
    calls = Calls.from_rows(rows)
    for column in Calls.derived:
        absent = np.ones(len(calls)) if column.kind is Kind.AMOUNT else np.zeros(len(calls))
        calls.add(column.name, np.array(columns.get(column.name, absent)))
    return calls


def of_family(state, family):
    """The series of a family in a snapshot, and its label sets."""
    snapshot = state.snapshot()
    (found,) = [each for each in snapshot.series if each.family is family]
    return found, snapshot.label_sets[found.names].texts


def counts(histograms, row, member=0):
    """The count of each bucket of the grid of one histogram."""
    return histograms.counts(np.array([row]), np.array([member]))[0]


seconds = st.one_of(st.sampled_from(semconv.SECONDS_BOUNDS), st.floats(0, 1000), st.floats(0, 1e15))


@given(values=st.lists(seconds, min_size=1, max_size=100))
def test_bucket_counts_and_sum_are_exact_for_any_values(values):
    state = state_of()
    state.add(processed([{"duration": value} for value in values]))
    histograms, _ = of_family(state, semconv.DURATION)
    below = np.cumsum(counts(histograms, 1))
    exact = [np.count_nonzero(np.array(values) <= bound) for bound in histograms.grid.bounds]
    assert below.tolist() == [*exact, len(values)]
    assert histograms.sums[1, 0] == pytest.approx(sum(values))


@given(tokens=st.lists(st.integers(0, 2**40), min_size=1, max_size=100), cut=st.integers(0, 100))
def test_sums_of_whole_numbers_are_exact(tokens, cut):
    state = state_of()
    for part in (tokens[:cut], tokens[cut:]):
        state.add(processed([{"input_tokens": amount} for amount in part]))
    sums, _ = of_family(state, semconv.TOKENS)
    assert sums.cells.sum() == sum(tokens)


rows = st.fixed_dictionaries(
    {"service": st.sampled_from("abcdef"), "model": st.sampled_from("xyz"), "input_tokens": st.integers(0, 10**6)}
)


@given(batches=st.lists(st.lists(rows, max_size=20), max_size=5), limit=st.integers(1, 20), values=st.integers(1, 8))
def test_no_row_is_lost_when_label_sets_or_values_overflow(batches, limit, values):
    state = state_of(label_sets=limit, label_values=values)
    for batch in batches:
        state.add(processed(batch))
    every = [row for batch in batches for row in batch]
    calls, texts = of_family(state, semconv.CALLS)
    assert len(state.label_sets[semconv.CALL_LABELS]) <= limit
    assert len({labels[0] for labels in texts} - {semconv.OVERFLOW}) <= values
    assert calls.cells.sum() == len(every)
    assert state.series[semconv.CALLS].overflowed == calls.cells[0].sum()
    assert of_family(state, semconv.TOKENS)[0].cells.sum() == sum(row["input_tokens"] for row in every)
    for label, column in ((semconv.LABEL_SERVICE, "service"), (semconv.LABEL_MODEL, "model")):
        first = list(dict.fromkeys(row[column] for row in every))[:values]
        assert state.label_values[label].replaced == sum(row[column] not in first for row in every)


@given(batch=st.lists(rows, min_size=1, max_size=30), cut=st.integers(0, 30))
def test_two_halves_of_a_batch_count_as_much_as_the_whole(batch, cut):
    whole, halves = state_of(), state_of()
    whole.add(processed(batch))
    halves.add(processed(batch[:cut]))
    halves.add(processed(batch[cut:]))

    def by_label_set(state):
        calls, texts = of_family(state, semconv.CALLS)
        return {values: calls.cells[row].sum() for row, values in enumerate(texts)}

    assert by_label_set(whole) == by_label_set(halves)


def test_only_the_label_that_explodes_becomes_overflow():
    state = state_of(label_values=2)
    state.add(processed([{"service": "shop", "template": f"prompt {number}"} for number in range(5)]))
    calls, texts = of_family(state, semconv.CALLS)
    by_label = {(labels[0], labels[4]): calls.cells[row].sum() for row, labels in enumerate(texts)}
    del by_label[semconv.OVERFLOW, semconv.OVERFLOW]
    assert by_label == {("shop", "prompt 0"): 1, ("shop", "prompt 1"): 1, ("shop", semconv.OVERFLOW): 3}
    assert {name: each.replaced for name, each in state.label_values.items()} == {
        **dict.fromkeys(LABEL_COLUMNS, 0),
        semconv.LABEL_TEMPLATE: 3,
    }


def test_the_overflow_row_keeps_the_closed_labels():
    """A sum over outcome stays exact, however many label sets there are."""
    state = state_of(label_sets=1)
    state.add(processed([{"model": "known"}, {"model": "late"}]))
    calls, texts = of_family(state, semconv.CALLS)
    assert texts[0] == (semconv.OVERFLOW,) * len(semconv.CALL_LABELS)
    assert calls.cells[0, calls.members.index((semconv.OK, ""))] == 1


def test_every_outcome_of_a_label_set_is_shown_from_its_first_call():
    state = state_of()
    state.add(processed([{"model": "a"}]))
    calls, _ = of_family(state, semconv.CALLS)
    assert calls.members == (
        ("ok", ""),
        ("stopped", ""),
        *(("error", error_class) for error_class in semconv.ERROR_CLASSES),
    )
    assert calls.shown[1].all()
    assert not calls.shown[0].any()


def test_what_a_sender_does_not_tell_is_not_shown_as_zero():
    state = state_of()
    state.add(processed([{"input_tokens": 0}]))
    tokens, _ = of_family(state, semconv.TOKENS)
    assert [member for member, shown in zip(tokens.members, tokens.shown[1], strict=True) if shown] == [("input",)]


def test_neither_absent_values_nor_first_tokens_of_whole_answers_are_observed():
    state = state_of()
    streamed = {"streamed": True}
    state.add(processed([streamed | {"time_to_first_token": 1.0}, streamed, {"time_to_first_token": 9.0}]))
    histograms, _ = of_family(state, semconv.FIRST_TOKEN)
    assert counts(histograms, 1).sum() == 1
    assert histograms.sums[1, 0] == 1.0


def test_a_call_that_stands_for_several_counts_as_often_in_every_family():
    state = state_of()
    state.add(processed([{"duration": 2.0, "input_tokens": 10, "cost": 0.5}, {"duration": 2.0}], weight=[2.5, np.nan]))
    assert of_family(state, semconv.CALLS)[0].cells.sum() == 3.5
    assert of_family(state, semconv.TOKENS)[0].cells.sum() == 25
    assert of_family(state, semconv.COST)[0].cells.sum() == 1.25
    durations, _ = of_family(state, semconv.DURATION)
    assert (counts(durations, 1).sum(), durations.sums[1, 0]) == (3.5, 7.0)


def test_gaps_between_chunks_are_added_as_the_sender_has_counted_them():
    state = state_of()
    gaps = np.zeros(len(semconv.GAP_BOUNDS) + 1)
    gaps[[2, -1]] = 5, 1
    row = {"streamed": True, "gaps": gaps, "gaps_time": 90.0}
    state.add(processed([row, row | {"model": "other"}, row, {"streamed": True}], weight=[1, 1, 2, 1]))
    histograms, texts = of_family(state, semconv.CHUNK_GAPS)
    assert histograms.grid.bounds.tolist() == list(semconv.GAP_BOUNDS)
    (same, other) = (next(row for row, labels in enumerate(texts) if labels[3] == model) for model in ("", "other"))
    assert counts(histograms, same).tolist() == (3 * gaps).tolist()
    assert counts(histograms, other).tolist() == gaps.tolist()
    assert histograms.sums[[same, other], 0].tolist() == [270, 90]


def test_gaps_of_label_sets_without_room_are_in_the_overflow_row():
    state = state_of(label_sets=1)
    gaps = np.arange(len(semconv.GAP_BOUNDS) + 1.0)
    rows = [{"model": model, "streamed": True, "gaps": gaps, "gaps_time": 1.0} for model in "abca"]
    for batch in (rows[:1], rows[1:]):
        state.add(processed(batch))
    histograms, _ = of_family(state, semconv.CHUNK_GAPS)
    assert counts(histograms, 0).tolist() == counts(histograms, 1).tolist() == (2 * gaps).tolist()
    assert state.series[semconv.CHUNK_GAPS].overflowed == 2 * gaps.sum()


def test_retries_are_attempts_beyond_the_first():
    state = state_of()
    state.add(processed([{"attempts": 1}, {"attempts": 3}, {"attempts": 0}, {}]))
    assert of_family(state, semconv.RETRIES)[0].cells.sum() == 2


def test_a_call_that_says_nothing_of_the_cache_is_compared_with_its_like():
    state = state_of()
    calls = processed([{"duration": 1.0}, {"duration": 1.0}], input_band=[1, 1], prompt_cache=[0, -1])
    state.add(calls)
    histograms, _ = of_family(state, semconv.DURATION_BY_INPUT)
    shown = [histograms.members[member] for member in np.flatnonzero(histograms.shown[1])]
    band = semconv.INPUT_BANDS[1]
    assert shown == [(band, semconv.HIT), (band, "")]


def test_a_batch_without_a_derived_column_counts_in_the_families_that_do_not_need_it():
    state = state_of()
    state.add(Calls.from_rows([{"streamed": True, "time_to_first_token": 1.0}]))
    assert of_family(state, semconv.FIRST_TOKEN)[0].shown.any()
    assert not of_family(state, semconv.CALLS)[0].shown.any()


def test_a_long_label_value_is_cut_and_one_of_a_fine_tune_is_kept():
    state = state_of()
    state.add(processed([{"model": "x" * 5000}, {"model": "x" * 4000}, {"model": "ft:gpt-4o:acme::9xYz"}]))
    _, texts = of_family(state, semconv.CALLS)
    assert [labels[3] for labels in texts[1:]] == ["x" * 200, "ft:gpt-4o:acme::9xYz"]


def test_an_empty_batch_changes_nothing():
    state = state_of()
    state.add(Calls.from_rows([]))
    state.add(Results.from_rows([]))
    assert not any(each.shown.any() for each in state.snapshot().series)


def test_more_combinations_than_are_remembered_are_counted_where_they_belong(monkeypatch):
    monkeypatch.setattr(placing, "REMEMBERED", 4)
    state = state_of()
    for models in ("abc", "bcd", "abcdef", "fa"):
        state.add(processed([{"model": model} for model in models]))
    calls, texts = of_family(state, semconv.CALLS)
    found = {labels[3]: amount for labels, amount in zip(texts, calls.cells.sum(axis=1).tolist(), strict=True)}
    assert found == {semconv.OVERFLOW: 0, "a": 3, "b": 3, "c": 3, "d": 2, "e": 1, "f": 2}


def test_a_record_takes_no_row_among_the_label_sets_of_families_in_which_it_does_not_count():
    state = state_of()
    found = {"template": "support", "set": semconv.LIVE, "source": semconv.SOURCE_HEURISTIC}
    verdicts = [{**found, "dimension": each, "verdict": semconv.PASS} for each in ("privacy", "format_valid")]
    failures = [{**found, "mode": each, "primary": "true"} for each in ("refusal", "empty")]
    for batch in (verdicts, [*failures, *verdicts], [{**found, "kind": "rephrase"}]):
        state.add(rated(Results.from_rows(batch)))
    held = {family: len(state.series[family].label_sets) for family in state.series}
    assert (held[semconv.QUALITY_RESULTS], held[semconv.FAILURES], held[semconv.FEEDBACK]) == (2, 1, 1)
    assert held[semconv.QUALITY_JUDGED] == held[semconv.HUMAN_PAIRS] == held[semconv.EVALUATION_LAG] == 0


@pytest.mark.parametrize("off", ["native_histograms", "classic_histograms"])
def test_a_form_that_is_switched_off_has_no_buckets(off):
    state = State(Limits(), msgspec.structs.replace(Metrics(), **{off: False}))
    state.add(processed([{"duration": 2.0}]))
    histograms, _ = of_family(state, semconv.DURATION)
    assert counts(histograms, 1).sum() == 1
    assert len(histograms.grid.native if off == "native_histograms" else histograms.grid.classic) == 0
    assert len(histograms.grid.native if off != "native_histograms" else histograms.grid.classic) > 0


# ---- Expiry -----------------------------------------------------------------------------------------


def test_a_label_set_that_is_not_seen_for_long_makes_room_and_comes_back_at_zero(clock):
    state = State(Limits(label_sets=2, label_values=2, expire_after_seconds=3600), Metrics(), clock)
    both = [{"model": model, "duration": 1.0} for model in ("old", "steady")]
    state.add(processed(both))
    clock.now += HOUR / 2
    state.add(processed(both[1:]))
    clock.now += HOUR / 2 + 1
    state.add(processed([{"model": "new", "duration": 3.0}, *both[1:]]))
    durations, texts = of_family(state, semconv.DURATION)
    by_model = {labels[3]: row for row, labels in enumerate(texts)}
    assert set(by_model) == {semconv.OVERFLOW, "steady", "new"}
    assert durations.sums[[by_model["new"], by_model["steady"]], 0].tolist() == [3.0, 3.0]
    assert counts(durations, by_model["new"]).sum() == 1
    label_sets = state.snapshot().label_sets[semconv.CALL_LABELS]
    assert label_sets.created[[by_model["new"], by_model["steady"]]].tolist() == [clock.now, clock.now - HOUR - 1]


def test_a_label_set_that_counts_by_one_of_its_measures_only_does_not_expire(clock):
    state = State(Limits(expire_after_seconds=3600), Metrics(), clock)
    rows = [{"input_tokens": 1.0, "output_tokens": 2.0}]
    state.add(processed(rows))
    for _ in range(3):
        clock.now += HOUR / 2 + 1
        state.add(processed([{"output_tokens": 2.0}]))
    tokens, _ = of_family(state, semconv.TOKEN_USAGE)
    assert tokens.sums.sum() == 9


def test_what_was_announced_for_a_label_set_can_be_announced_again_when_it_has_expired(clock):
    """A template that is asked all day may have its first thumb the day after."""
    state = State(Limits(expire_after_seconds=3600), Metrics(), clock)
    asked = processed([{"template": "support"}], answered=np.ones(1, np.bool_))
    state.add(asked)
    [first] = state.firsts(semconv.RESPONSES)
    state.announce(expected([first], lambda _template: (), ()))
    assert len(state.label_sets[state.series[semconv.FEEDBACK].label_sets.names]) == 1
    clock.now += HOUR / 2
    state.add(asked)
    assert state.firsts(semconv.RESPONSES) == []
    clock.now += HOUR / 2 + 1
    state.add(asked)
    assert len(state.label_sets[state.series[semconv.FEEDBACK].label_sets.names]) == 0
    assert state.firsts(semconv.RESPONSES) == [first]


def test_a_label_value_is_forgotten_with_its_last_label_set(clock):
    state = State(Limits(label_values=1, expire_after_seconds=3600), Metrics(), clock)
    state.add(processed([{"model": "first"}, {"model": "no room"}]))
    clock.now += HOUR + 1
    state.add(processed([{"model": "second"}]))
    _, texts = of_family(state, semconv.CALLS)
    assert [labels[3] for labels in texts if labels] == [semconv.OVERFLOW, "second"]


def test_churning_labels_take_no_more_memory_than_the_limits_allow(clock):
    state = State(Limits(label_sets=20, expire_after_seconds=600), Metrics(), clock)
    for number in range(200):
        clock.now += 61.0
        state.add(processed([{"model": f"model {number}", "duration": 1.0}, {"model": "steady", "duration": 1.0}]))
    durations, texts = of_family(state, semconv.DURATION)
    assert len(texts) <= 21
    assert len(durations.pages) <= 40
    assert durations.sums[texts.index(("", "", "", "steady", "")), 0] == 200


def test_a_label_set_that_found_no_room_gets_it_when_another_expires(clock):
    state = State(Limits(label_sets=1, expire_after_seconds=3600), Metrics(), clock)
    state.add(processed([{"model": "first"}]))
    state.add(processed([{"model": "second"}]))
    clock.now += HOUR + 1
    state.add(processed([{"model": "second"}]))
    calls, texts = of_family(state, semconv.CALLS)
    assert [labels[3] for labels in texts] == [semconv.OVERFLOW, "second"]
    assert calls.cells.sum(axis=1).tolist() == [1, 1]


def test_nothing_expires_where_the_limit_is_0(clock):
    state = State(Limits(expire_after_seconds=0), Metrics(), clock)
    state.add(processed([{"model": "old"}]))
    clock.now += 1000 * HOUR
    state.add(processed([{"model": "new"}]))
    assert len(state.label_sets[semconv.CALL_LABELS]) == 2


# ---- Exemplars --------------------------------------------------------------------------------------


def traced(span, duration, **more):
    return {"duration": duration, "sampled": True, "trace_id_low": 7, "span_id": span, "end_time": 5.0, **more}


def exemplars(state):
    durations, _ = of_family(state, semconv.DURATION)
    return [(each["trace"]["span"], each["value"]) for each in durations.exemplars[:, 1, 0] if each["taken"]]


def test_the_largest_value_of_a_minute_is_an_exemplar_and_a_recent_one_is_another(clock):
    state = State(Limits(), Metrics(), clock)
    state.add(processed([traced(1, 2.0), traced(2, 8.0), traced(3, 4.0)]))
    assert exemplars(state) == [(2, 8.0), (3, 4.0)]
    clock.now += 20
    state.add(processed([traced(4, 1.0)]))
    assert exemplars(state) == [(2, 8.0), (4, 1.0)]
    clock.now += 61
    state.add(processed([traced(5, 3.0)]))
    assert exemplars(state) == [(5, 3.0), (5, 3.0)]


@pytest.mark.parametrize("unknown", [{"sampled": False}, {"trace_id_low": 0}])
def test_a_trace_that_cannot_be_looked_up_is_no_exemplar(unknown):
    state = state_of()
    state.add(processed([traced(1, 2.0, **unknown)]))
    assert exemplars(state) == []
    state.add(processed([traced(1, 2.0, **unknown), traced(2, 1.0)]))
    assert exemplars(state) == [(2, 1.0), (2, 1.0)]


def test_every_family_of_records_is_measured():
    """Gauges come from elsewhere; all other families are sums of records."""
    measured = {measure.family for measures in MEASURES.values() for measure in measures}
    assert measured | set(SUMS.values()) == {family for family in semconv.COUNTED_FAMILIES if family.kind != "gauge"}
