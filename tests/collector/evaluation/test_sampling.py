"""Which answers are judged: fair shares, a minimum for the rare, and weights with which estimates stay right."""

import random
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.evaluation.drawn import drawn
from llmvitals_collector.evaluation.sampling import Rate, Sampling

HOUR = 3600
NOBODY, TENTH = Rate(0.0, 0), Rate(0.1, 0)
CHAT = ("shop", "chat")


def draw(sampling, number, now=0.0, stratum=CHAT, judged=TENTH, graded=NOBODY, flagged=False):
    return sampling.draw(stratum, number, now, judged=judged, graded=graded, flagged=flagged)


def test_a_trace_has_the_same_number_everywhere_and_for_ever():
    assert drawn(0x0AF7651916CD43DD8448EB211C80319C) == 0.17647679972611108


@given(st.integers(0, 2**128 - 1))
def test_a_number_is_at_least_0_and_below_1(trace_id):
    assert 0 <= drawn(trace_id) < 1


def test_numbers_are_uniform_also_of_traces_that_a_sampler_has_kept():
    # OpenTelemetry's samplers look at the last 56 bits.
    kept = [(place << 64) | place for place in range(20_000)]
    shares = [sum(low <= drawn(trace_id) < low + 0.1 for trace_id in kept) for low in (0.0, 0.3, 0.9)]
    assert all(abs(share - 2000) < 5 * (2000 * 0.9) ** 0.5 for share in shares)


def test_a_share_of_a_template_s_answers_is_judged_and_weighs_its_inverse():
    sampling = Sampling(HOUR)
    assert draw(sampling, 0.0999).chance == 0.1
    assert draw(sampling, 0.1) is None
    assert sampling.shares() == {CHAT: 0.1}


def test_a_rare_template_has_its_minimum_by_its_volume_in_the_window_before():
    sampling, wanted = Sampling(HOUR), Rate(0.01, 20)
    for _ in range(100):
        draw(sampling, 0.99, now=10, judged=wanted)
    assert draw(sampling, 0.19, now=HOUR, judged=wanted).chance == 0.2
    assert draw(sampling, 0.21, now=HOUR, judged=wanted) is None
    # What it has in this window does not change its chance in it.
    for _ in range(1000):
        draw(sampling, 0.99, now=HOUR + 1, judged=wanted)
    assert draw(sampling, 0.19, now=2 * HOUR - 1, judged=wanted).chance == 0.2
    assert draw(sampling, 0.021, now=2 * HOUR, judged=wanted) is None


def test_the_first_answers_of_a_new_template_are_all_judged_up_to_its_minimum():
    sampling = Sampling(HOUR)
    assert [draw(sampling, 0.5, judged=Rate(0.01, 3)) is not None for _ in range(5)] == [True] * 3 + [False] * 2


def test_windows_begin_when_the_clock_says_so_and_an_empty_one_is_remembered():
    sampling, wanted = Sampling(HOUR), Rate(0.01, 1)
    draw(sampling, 0.5, now=2 * HOUR - 1, judged=wanted)
    assert draw(sampling, 0.5, now=2 * HOUR, judged=wanted).chance == 1.0  # one was there, and one is wanted
    draw(sampling, 0.5, now=5 * HOUR, judged=wanted)
    assert draw(sampling, 0.5, now=5 * HOUR, judged=wanted) is None


def test_flagged_answers_are_judged_in_any_case_and_only_those_of_the_share_are_uniform():
    sampling = Sampling(HOUR)
    within, beyond = draw(sampling, 0.05, flagged=True), draw(sampling, 0.5, flagged=True)
    assert (within.stratum, within.chance) == (semconv.UNIFORM, 1.0)
    assert (beyond.stratum, beyond.chance) == (semconv.FLAGGED, 1.0)


@given(number=st.floats(0, 1, exclude_max=True), share=st.floats(0, 1), people=st.floats(0, 1), flagged=st.booleans())
def test_what_people_see_is_a_part_of_the_uniform_sample(number, share, people, flagged):
    found = draw(Sampling(HOUR), number, judged=Rate(share, 0), graded=Rate(people, 0), flagged=flagged)
    if found and found.graded:
        assert number < found.graded == min(share, people)
        assert found.stratum == semconv.UNIFORM
    elif number < min(share, people):
        pytest.fail("it was to be seen by people")


def test_replicas_decide_alike_and_their_minima_add_up():
    # Each of two has half of the traffic, and half of the minimum.
    replicas = [Sampling(HOUR), Sampling(HOUR)]
    for place in range(200):
        draw(replicas[place % 2], 0.99, judged=Rate(0.01, 10))
    chance = random.Random(7)
    numbers = [chance.random() for _ in range(500)]
    decisions = [[draw(each, number, now=HOUR, judged=Rate(0.01, 10)) for number in numbers] for each in replicas]
    assert decisions[0] == decisions[1]
    assert {found.chance for found in decisions[0] if found} == {0.1}


def test_three_replicas_judge_together_as_many_answers_as_one_collector_would():
    """Each has the traces that fall to it, and a third of the minimum; within five standard deviations."""
    chance, wanted = random.Random(3), Rate(0.02, 30)
    alone, replicas = Sampling(HOUR), [Sampling(HOUR) for _ in range(3)]
    third = wanted._replace(minimum=wanted.minimum / len(replicas))
    volumes = {("shop", "rare"): 12, ("shop", "frequent"): 5_000, ("shop", "usual"): 300}
    by_one, by_three = Counter(), Counter()
    for now in (0, HOUR, 2 * HOUR, 3 * HOUR):
        for stratum, volume in volumes.items():
            for _ in range(volume):
                number, replica = chance.random(), chance.choice(replicas)
                if draw(alone, number, now, stratum, wanted) and now:
                    by_one[stratum] += 1
                if found := draw(replica, number, now, stratum, third):
                    by_three[stratum] += bool(now)
                    by_three[stratum, "weight"] += bool(now) / found.chance
    for stratum, volume in volumes.items():
        assert by_three[stratum] == pytest.approx(by_one[stratum], abs=5 * by_one[stratum] ** 0.5)
        assert by_three[stratum, "weight"] == pytest.approx(3 * volume, rel=5 / by_three[stratum] ** 0.5)
    assert by_three["shop", "rare"] == 3 * 12


def test_where_the_budget_would_not_last_all_chances_are_lowered_and_told():
    left = iter([1.0, 0.5, 0.5 - 0.5 / 23, 1.0, 1.0])
    sampling = Sampling(HOUR, lambda: next(left))
    assert draw(sampling, 0.01, now=0).chance == 0.1
    # Half of the budget went in the first hour of 24; so 23 hours have the other half.
    lowered = draw(sampling, 0.001, now=HOUR).chance
    assert lowered == pytest.approx(0.1 * 0.5 / 23 / 0.5)
    assert draw(sampling, 0.5, now=HOUR, flagged=True) is None  # of what is flagged, too
    assert draw(sampling, 0.001, now=2 * HOUR).chance == pytest.approx(lowered)  # spent as it was meant to be
    assert draw(sampling, 0.001, now=24 * HOUR).chance == pytest.approx(
        lowered
    )  # a new day, with the budget whole again


def test_after_a_day_whose_budget_was_gone_chances_find_back_in_a_few_windows():
    left = iter([1.0, 0.0, 0.0, 1.0, 1.0, 0.999, 0.998])
    sampling = Sampling(HOUR, lambda: next(left))
    chances = []
    for hour in (0, 22, 23, 24, 25, 26, 27):
        draw(sampling, 0.99, now=hour * HOUR)
        chances.append(sampling.shares()[CHAT])
    assert chances == pytest.approx([0.1, 1e-4, 1e-4, 1e-4, 1e-3, 1e-2, 0.1])


def test_the_weighted_rate_is_that_of_all_answers_however_they_were_drawn():
    """Rare templates that are worse, flagged answers that are worse: the plain rate of what was judged is far off."""
    volumes = {("shop", f"rare-{place}"): 60 for place in range(8)} | {("shop", "frequent"): 2_000}
    wanted = Rate(0.02, 20)
    plain, weighted, truth = [], [], []
    for seed in range(60):
        chance = random.Random(seed)
        answers = []
        for stratum, volume in volumes.items():
            for _ in range(volume):
                flagged = chance.random() < 0.05
                passes = chance.random() < (0.3 if flagged else 0.6 if stratum[1] != "frequent" else 0.95)
                answers.append((stratum, flagged, passes))
        chance.shuffle(answers)
        sampling = Sampling(HOUR)
        for stratum, flagged, _ in answers:
            draw(sampling, 0.999, stratum=stratum, judged=wanted, flagged=flagged)
        found = [
            (passes, 1 / judged.chance)
            for stratum, flagged, passes in answers
            if (judged := draw(sampling, chance.random(), HOUR, stratum, wanted, flagged=flagged))
        ]
        truth.append(statistics.mean(passes for _, _, passes in answers))
        plain.append(statistics.mean(passes for passes, _ in found))
        weighted.append(sum(passes * weight for passes, weight in found) / sum(weight for _, weight in found))
    errors = [estimate - true for estimate, true in zip(weighted, truth, strict=True)]
    assert abs(statistics.mean(errors)) < 4 * statistics.stdev(errors) / len(errors) ** 0.5
    assert abs(statistics.mean(errors)) < 0.01 < 0.1 < statistics.mean(truth) - statistics.mean(plain)


def test_templates_that_name_themselves_cannot_take_all_memory(monkeypatch):
    monkeypatch.setattr("llmvitals_collector.evaluation.sampling._MOST_STRATA", 2)
    sampling = Sampling(HOUR)
    for place in range(5):
        draw(sampling, 0.5, stratum=("shop", f"user-{place}"))
    assert set(sampling.shares()) == {("shop", "user-0"), ("shop", "user-1"), (semconv.OVERFLOW, semconv.OVERFLOW)}
