"""Every value is counted in the bucket that Prometheus would put it in, in both forms of a histogram."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.grid import BUCKETS_PER_OCTAVE, SCHEMA, Grid, native_bound

HISTOGRAMS = [family for family in semconv.COUNTED_FAMILIES if family.kind == "histogram"]
GRIDS = {family.name: Grid(family.bounds, family.octaves) for family in HISTOGRAMS}
DIFFERENT = {(family.bounds, family.octaves): family.name for family in HISTOGRAMS}.values()


@pytest.mark.parametrize("name", DIFFERENT)
@given(data=st.data())
def test_a_bound_belongs_to_the_bucket_below_it_and_the_next_float_to_the_one_above(name, data):
    grid = GRIDS[name]
    bounds = st.sampled_from(grid.bounds.tolist())
    near = bounds.flatmap(lambda bound: st.sampled_from([bound, math.nextafter(bound, 0), math.nextafter(bound, 1e9)]))
    values = np.array(data.draw(st.lists(near | st.floats(0, 1e300), min_size=1, max_size=50)))
    assert grid.locate(values).tolist() == np.searchsorted(grid.bounds, values).tolist()


def test_nothing_is_too_small_or_too_large_for_a_grid():
    values = np.array([0.0, -0.0, 5e-324, 1.7e308])
    for grid in GRIDS.values():
        assert grid.locate(values).tolist() == [0, 0, 0, len(grid) - 1]


@pytest.mark.parametrize("name", GRIDS)
def test_both_forms_are_sums_of_the_same_buckets(name):
    grid = GRIDS[name]
    family = next(family for family in HISTOGRAMS if family.name == name)
    assert grid.bounds[grid.classic].tolist() == list(family.bounds)
    if family.octaves:
        low, high = family.octaves
        natives = grid.bounds[grid.native].tolist()
        assert (natives[0], natives[-1]) == (grid.zero_threshold, 2.0**high)
        assert natives[0] == 2.0**low
        assert len(natives) - 1 == (high - low) * BUCKETS_PER_OCTAVE
        assert natives[1] == native_bound(grid.first_native)


@given(index=st.integers(-2000, 2000))
def test_native_bounds_are_the_powers_that_the_schema_says(index):
    assert native_bound(index) == pytest.approx(2.0 ** (index * 2.0**-SCHEMA), rel=1e-15)


def test_no_family_has_more_native_buckets_than_prometheus_keeps_without_merging():
    for family in HISTOGRAMS:
        if family.octaves:
            assert len(GRIDS[family.name].native) - 1 <= 160
