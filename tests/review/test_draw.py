"""Which answers people get, and in which order."""

from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.review import TAIL, UNIFORM
from llmvitals_collector.review.draw import drawn


def ids(items):
    return [each.id for each in items]


def test_the_same_seed_draws_the_same_answers_in_whatever_order_they_came(item):
    items = [item(number) for number in range(300)]
    assert ids(drawn(items, 40, 0, "week 1")) == ids(drawn(items[::-1], 40, 0, "week 1"))
    others = set(ids(drawn(items, 40, 0, "week 2")))
    assert 0 < len(others & set(ids(drawn(items, 40, 0, "week 1")))) < 20


def test_fewer_are_a_part_of_more(item):
    items = [item(number) for number in range(100)]
    assert set(ids(drawn(items, 10, 0, ""))) < set(ids(drawn(items, 20, 0, "")))


def test_the_same_answers_are_drawn_in_all_dimensions_and_stand_together(item):
    items = [item(number, dimension=dimension) for number in range(50) for dimension in ("tone", "helpfulness")]
    chosen = drawn(items, 10, 0, "")
    assert len(chosen) == 20
    assert [each.trace_id for each in chosen[::2]] == [each.trace_id for each in chosen[1::2]]


@given(st.integers(1, 60), st.integers(0, 80))
def test_those_that_are_drawn_stand_for_all(item, there, number):
    items = [item(each, weight=5.0) for each in range(there)]
    chosen = drawn(items, number, 0, "")
    assert len(chosen) == min(there, number)
    if chosen:
        assert abs(sum(each.weight for each in chosen) - 5 * there) < 1e-6


def test_odd_answers_come_besides_and_weigh_nothing(item):
    items = [item(number, why=TAIL if number % 3 else UNIFORM) for number in range(90)]
    chosen = drawn(items, 20, 10, "")
    assert sum(each.why == TAIL for each in chosen) == 10
    assert {each.weight for each in chosen if each.why == TAIL} == {0.0}


def test_the_order_tells_nothing_of_why_an_answer_is_there(item):
    """Of 400 answers of which every second one is odd, the odd ones have the same places on average as the others."""
    items = [item(number, why=TAIL if number % 2 else UNIFORM) for number in range(2000)]
    chosen = drawn(items, 200, 200, "")
    places = [place for place, each in enumerate(chosen) if each.why == TAIL]
    standard_error = 400 / 12**0.5 / 200**0.5
    assert abs(sum(places) / len(places) - 199.5) < 3 * standard_error
