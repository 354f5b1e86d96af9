"""The statistics: against published values, against their definitions, and at their limits."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmvitals_collector.statistics import (
    CALIBRATED_PAIRS,
    Estimate,
    Moments,
    Pairs,
    corrected,
    corrected_mean,
    difference,
    hajek,
    kappa,
    wilson,
)

tables = st.builds(Pairs, *(st.integers(0, 300),) * 4)
scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def moments(graded: list[tuple[float, float]], judged: list[float]) -> Moments:
    """The sums over a person's and the judge's score of some answers, and the judge's of all."""
    y, f = zip(*graded, strict=True)
    return Moments(
        n=len(graded),
        y=sum(y),
        f=sum(f),
        yy=sum(each**2 for each in y),
        ff=sum(each**2 for each in f),
        yf=sum(a * b for a, b in graded),
        N=len(judged),
        F=sum(judged),
        FF=sum(each**2 for each in judged),
    )


@pytest.mark.parametrize(
    ("passes", "n", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_as_published(passes, n, low, high):
    assert wilson(passes, n)[1:3] == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_rate_lies_in_its_interval_and_that_in_0_to_1(counts):
    estimate = wilson(*counts)
    assert 0 <= estimate.low <= estimate.rate <= estimate.high <= 1
    assert estimate.low < estimate.high


@given(st.integers(1, 500), st.integers(0, 500), st.floats(0.1, 50))
def test_equal_weights_are_no_weights(passes, fails, weight):
    n = passes + fails
    assert hajek(weight * n, weight**2 * n, weight * passes) == pytest.approx(wilson(passes, n))


def test_what_weighs_nothing_changes_nothing_and_unequal_weights_leave_less():
    """Ten answers that stand for one each and ten that stand for nine are worth 12.2 by Kish's formula."""
    estimate = hajek(10 * 1 + 10 * 9, 10 * 1 + 10 * 81, weighted_pass=10 * 9)
    assert (estimate.rate, estimate.n) == pytest.approx((0.9, 100**2 / 820))


# ---- Corrected rates -------------------------------------------------------------------------------------


def test_with_49_pairs_a_judge_is_uncalibrated_and_with_50_it_is_not():
    assert corrected(Pairs(40, 5, 3, 1), 700, 300) is None
    assert corrected(Pairs(40, 5, 3, 2), 700, 300) is not None
    assert corrected(Pairs(40, 5, 3, 2), 0, 0) is None


def test_a_judge_that_passes_too_much_is_corrected_down_to_what_people_say():
    """It passes 90 % of everything; of what it passes people pass 80 of 90, of what it fails none."""
    found = corrected(Pairs(80, 10, 0, 10), 4500, 500)
    assert found.rate == pytest.approx(0.8)
    assert found.low < 0.8 < found.high < 0.9


@given(tables, st.integers(1, 5000), st.integers(0, 5000))
def test_a_corrected_rate_lies_in_its_interval_whatever_the_counts(pairs, judged_pass, judged_fail):
    assume(sum(pairs) >= CALIBRATED_PAIRS)
    found = corrected(pairs, judged_pass, judged_fail)
    assert 0 <= found.low <= found.rate <= found.high <= 1
    assert -1 < found.lambda_ < 1
    assert found.pairs == sum(pairs)


@given(tables)
def test_where_people_graded_all_of_it_their_own_rate_remains(pairs):
    assume(sum(pairs) >= CALIBRATED_PAIRS)
    people = wilson(pairs.pass_pass + pairs.fail_pass, sum(pairs))
    found = corrected(pairs, pairs.pass_pass + pairs.pass_fail, pairs.fail_pass + pairs.fail_fail)
    assert found[:4] == pytest.approx(people)


@given(tables, st.integers(0, 5000), st.integers(0, 5000))
def test_a_judge_never_makes_less_of_the_pairs_than_they_are_alone(pairs, more_pass, more_fail):
    """And a good one makes more of them."""
    assume(sum(pairs) >= CALIBRATED_PAIRS)
    found = corrected(
        pairs, pairs.pass_pass + pairs.pass_fail + more_pass, pairs.fail_pass + pairs.fail_fail + more_fail
    )
    assert found.n >= found.pairs * (1 - 1e-12)


def test_a_judge_that_cannot_tell_adds_nothing():
    found = corrected(Pairs(81, 9, 9, 1), 4500, 500)
    assert found.lambda_ == pytest.approx(0, abs=0.06)
    assert found[:4] == pytest.approx(wilson(90, 100), abs=0.5)


# ---- Corrected means -------------------------------------------------------------------------------------


@given(st.lists(st.tuples(scores, scores), min_size=CALIBRATED_PAIRS, max_size=80), st.lists(scores, max_size=80))
def test_a_corrected_mean_is_the_regression_of_peoples_scores_on_the_judges(graded, more):
    """Cross-checked with least squares over the rows themselves, which sums need not keep."""
    judged = [f for _, f in graded] + more
    found = corrected_mean(moments(graded, judged))
    n, of_people, of_judge = len(graded), *(sum(column) / len(graded) for column in zip(*graded, strict=True))
    spread = sum((f - of_judge) ** 2 for _, f in graded)
    slope = sum((y - of_people) * (f - of_judge) for y, f in graded) / spread if spread > 1e-6 else 0.0
    everything = sum(judged) / len(judged)
    mean = of_people + slope * (everything - of_judge)
    residual = sum((y - of_people - slope * (f - of_judge)) ** 2 for y, f in graded) / (n - 2)
    of_all = sum((f - everything) ** 2 for f in judged) / len(judged)
    margin = 2.0106 * math.sqrt(residual / n + slope**2 * of_all / len(judged))
    assert found.lambda_ == pytest.approx(slope, abs=1e-9)
    assert found.mean == pytest.approx(min(max(mean, 0), 1), abs=1e-9)
    assert found.high == pytest.approx(min(max(mean + margin, 0), 1), rel=0.02, abs=0.002)
    assert found.low <= found.mean <= found.high


def test_a_mean_of_49_pairs_is_none():
    assert corrected_mean(moments([(1.0, 1.0)] * 49, [1.0] * 100)) is None


# ---- Agreement -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "published"),
    [  # sklearn.metrics.cohen_kappa_score of scikit-learn 1.9.1
        (Pairs(20, 5, 10, 15), 0.4),
        (Pairs(160, 10, 12, 18), 0.5564516129032258),
        (Pairs(45, 15, 25, 15), 0.13043478260869568),
        (Pairs(25, 35, 5, 35), 0.2592592592592593),
        (Pairs(0, 10, 10, 0), -1.0),
        (Pairs(1, 0, 0, 1), 1.0),
        (Pairs(97, 2, 1, 0), -0.013513513513513598),
        (Pairs(3, 4, 5, 6), -0.025316455696202445),
    ],
)
def test_kappa_is_that_of_scikit_learn(pairs, published):
    assert kappa(pairs) == pytest.approx(published, abs=1e-12)


@given(tables)
def test_kappa_is_agreement_beyond_what_the_raters_would_reach_by_drawing_lots(pairs):
    n = sum(pairs)
    first, second = pairs.pass_pass + pairs.pass_fail, pairs.pass_pass + pairs.fail_pass
    assume(n and not (first == second == 0) and not (first == second == n))
    by_lot = (first / n) * (second / n) + (1 - first / n) * (1 - second / n)
    observed = (pairs.pass_pass + pairs.fail_fail) / n
    assert kappa(pairs) == pytest.approx((observed - by_lot) / (1 - by_lot))


def test_of_raters_who_always_say_the_same_nobody_can_tell():
    assert kappa(Pairs(50, 0, 0, 0)) is None
    assert kappa(Pairs(0, 0, 0, 0)) is None


# ---- Is the second better? -------------------------------------------------------------------------------


def test_a_difference_is_told_with_an_interval_wider_than_that_for_a_single_look():
    first, second = wilson(800, 1000), wilson(900, 1000)
    found = difference(first, second)
    assert found.difference == pytest.approx(0.1)
    assert found.decided
    single_look = 1.96 * math.sqrt(0.8 * 0.2 / 1000 + 0.9 * 0.1 / 1000)
    assert single_look < found.high - found.difference < 2 * single_look


def test_a_few_answers_decide_nothing_even_if_all_of_them_differ():
    assert not difference(wilson(0, 3), wilson(3, 3)).decided


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1, 1e6), st.floats(1, 1e6))
def test_which_of_two_comes_first_only_changes_the_sign(one, other, n, m):
    first, second = Estimate(one, 0, 1, n), Estimate(other, 0, 1, m)
    there, back = difference(first, second), difference(second, first)
    assert (there.difference, there.low, there.high) == pytest.approx((-back.difference, -back.high, -back.low))
    assert there.low <= there.difference <= there.high
