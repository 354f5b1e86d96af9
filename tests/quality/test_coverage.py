"""How often the intervals hold what they claim to: simulated, on judges and samples as one meets them."""

import itertools

import numpy as np
import pytest

from llmvitals_collector.statistics import (
    Moments,
    Pairs,
    corrected,
    corrected_mean,
    difference,
    hajek,
    wilson,
)

QUALITY = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95)  # the share of answers that people would pass
# A judge's sensitivity and specificity: which share of those that people pass, and fail, it passes, and fails.
JUDGES = ((0.92, 0.70), (0.97, 0.60), (0.85, 0.80), (0.70, 0.96), (0.80, 0.50), (0.95, 0.90), (0.98, 0.95))
GRADED = (50, 100, 200, 300, 500)
JUDGED = (500, 1000, 5000)
GRID = list(itertools.product(QUALITY, JUDGES, GRADED, JUDGED))


def cell_chances(quality: float, judge: tuple[float, float]) -> list[float]:
    """The probability of each cell of the table of judge and person."""
    sensitivity, specificity = judge
    return [
        quality * sensitivity,
        (1 - quality) * (1 - specificity),
        quality * (1 - sensitivity),
        (1 - quality) * specificity,
    ]


def simulated(rng, quality, judge, graded, judged, runs):
    """The pairs of each run, and how many of all that was judged the judge passed; the pairs are a part of that."""
    chances = cell_chances(quality, judge)
    tables = rng.multinomial(graded, chances, size=runs)
    passed = tables[:, 0] + tables[:, 1] + rng.binomial(judged - graded, chances[0] + chances[1], size=runs)
    return tables, passed


def coverage(rng, quality, judge, graded, judged, runs) -> float:
    """How often the corrected interval holds the truth; equal outcomes are worked out once."""
    tables, passed = simulated(rng, quality, judge, graded, judged, runs)
    outcomes, counts = np.unique(np.column_stack([tables, passed]), axis=0, return_counts=True)
    held = 0
    for (*cells, judge_passes), count in zip(outcomes.tolist(), counts.tolist(), strict=True):
        found = corrected(Pairs(*cells), judge_passes, judged - judge_passes)
        held += count * (found.low <= quality <= found.high)
    return held / runs


def disagreements(quality, judge, graded) -> float:
    """How many pairs judge and person are expected to see differently."""
    _, judge_alone, person_alone, _ = cell_chances(quality, judge)
    return graded * (judge_alone + person_alone)


@pytest.mark.parametrize(
    ("quality", "judge", "graded"),
    [
        (0.85, (0.92, 0.70), 50),
        (0.85, (0.92, 0.70), 500),
        (0.95, (0.97, 0.60), 100),
        (0.60, (0.85, 0.80), 100),
        (0.80, (0.70, 0.96), 200),
    ],
)
def test_the_corrected_interval_holds_the_truth_as_often_as_it_says(quality, judge, graded):
    """Where the judge's own interval hardly ever does."""
    rng = np.random.default_rng(graded)
    assert 0.93 <= coverage(rng, quality, judge, graded, 5000, 4000) <= 0.97
    _, passed = simulated(rng, quality, judge, graded, 5000, 400)
    uncorrected = [wilson(passes, 5000) for passes in passed.tolist()]
    assert np.mean([each.low <= quality <= each.high for each in uncorrected]) < 0.75


@pytest.mark.long
@pytest.mark.parametrize("judge", JUDGES, ids=str)
@pytest.mark.parametrize("graded", GRADED)
def test_over_the_whole_grid_it_holds_the_truth_as_often_as_it_says(judge, graded):
    """Where fewer than four pairs are expected to differ, counts are too coarse: there it errs on the safe side."""
    rng = np.random.default_rng(graded)
    for quality, judged in itertools.product(QUALITY, JUDGED):
        found = coverage(rng, quality, judge, graded, judged, 20_000)
        most = 0.97 if disagreements(quality, judge, graded) >= 4 else 1.0
        assert 0.93 <= found <= most, (quality, judged, found)


@pytest.mark.parametrize("graded", [50, 200])
def test_the_corrected_mean_holds_the_truth_as_often_as_it_says(graded):
    """Grades out of 12 points; the judge gives half a point too much and errs by one either way."""
    rng = np.random.default_rng(7)
    truth = rng.binomial(12, 0.75, size=200_000)
    judge = np.clip(truth + rng.choice([-1, 0, 1, 2], size=truth.size), 0, 12)
    held, runs = 0, 2000
    for _ in range(runs):
        rows = rng.integers(truth.size, size=1000)
        F, (y, f) = judge[rows] / 12, (truth[rows[:graded]] / 12, judge[rows[:graded]] / 12)  # noqa: N806
        sums = Moments(graded, y.sum(), f.sum(), y @ y, f @ f, y @ f, 1000, F.sum(), F @ F)
        found = corrected_mean(sums)
        held += found.low <= truth.mean() / 12 <= found.high
    assert 0.93 <= held / runs <= 0.97


def test_a_stratified_sample_gives_the_rate_of_all_answers_and_says_how_sure_it_is():
    """Forty templates, the rare ones looked at more often and worse: unweighted, one would be 3 points off."""
    rng = np.random.default_rng(11)
    popularity = 1 / np.arange(1, 41) ** 1.1
    answers = np.round(100_000 * popularity / popularity.sum()).astype(int)
    quality = np.linspace(0.92, 0.67, 40)
    share = np.clip(20 / answers, 0.01, 1)
    truth = answers @ quality / answers.sum()
    held, unweighted, runs = 0, [], 2000
    for _ in range(runs):
        looked_at = rng.binomial(answers, share)
        passes = rng.binomial(looked_at, quality)
        found = hajek(*((each / share**power).sum() for each, power in ((looked_at, 1), (looked_at, 2), (passes, 1))))
        held += found.low <= truth <= found.high
        unweighted.append(passes.sum() / looked_at.sum())
    assert 0.93 <= held / runs <= 0.97
    assert np.mean(unweighted) < truth - 0.01


def looks(rng, quality: tuple[float, float], every: int, number: int):
    """Two prompts, looked at again and again while answers come: for each look the passes of both, and of how many."""
    passes = rng.binomial(every, quality, size=(number, 2)).cumsum(axis=0).tolist()
    return [(wilson(a, every * look), wilson(b, every * look)) for look, (a, b) in enumerate(passes, start=1)]


@pytest.mark.parametrize("quality", [0.5, 0.85, 0.97])
def test_of_two_equal_prompts_hardly_any_is_ever_called_better_however_often_one_looks(quality):
    """A test for a single look, of the same size, is wrong in a third of the cases."""
    rng = np.random.default_rng(3)
    runs = [looks(rng, (quality, quality), every=50, number=100) for _ in range(300)]
    decided = [any(difference(*estimates).decided for estimates in run) for run in runs]
    assert np.mean(decided) < 0.05

    def single_look(first, second):
        sd = np.sqrt(sum(each.rate * (1 - each.rate) / each.n for each in (first, second)))
        return abs(first.rate - second.rate) > 1.96 * sd

    assert np.mean([any(single_look(*estimates) for estimates in run) for run in runs]) > 0.2


def test_a_prompt_that_is_five_points_better_is_found_within_some_thousand_answers():
    rng = np.random.default_rng(5)
    runs = [looks(rng, (0.80, 0.85), every=100, number=50) for _ in range(50)]
    assert all(any(difference(*estimates).low > 0 for estimates in run) for run in runs)


def test_two_judges_that_err_differently_do_not_make_equal_prompts_differ():
    """The second one passes seven points more of the same quality; corrected rates are compared all the same."""
    rng = np.random.default_rng(8)
    wrong, runs = 0, 200
    for _ in range(runs):
        totals = [np.zeros(4, int), np.zeros(4, int)]
        passed, decided = [0, 0], False
        for look in range(1, 51):
            estimates = []
            for side, judge in enumerate(((0.92, 0.70), (0.97, 0.50))):
                tables, passes = simulated(rng, 0.85, judge, 10, 100, 1)
                totals[side] += tables[0]
                passed[side] += int(passes[0])
                estimates.append(corrected(Pairs(*totals[side].tolist()), passed[side], 100 * look - passed[side]))
            decided |= None not in estimates and difference(*estimates).decided
        wrong += decided
    assert wrong / runs < 0.05
