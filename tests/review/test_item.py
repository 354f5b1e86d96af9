"""What tells items apart."""

from llmvitals import semconv
from llmvitals_collector.review import UNIFORM


def test_an_id_is_that_of_an_answer_a_dimension_and_a_rubric_whoever_judges_it(item):
    ids = {each.id for each in (item(1), item(2), item(1, dimension="tone"), item(1, rubric="another"))}
    assert len(ids) == 4
    assert item(1).id == item(1, judge="another", judge_verdict=semconv.FAIL, query="", weight=1.0).id
    assert len(item(1).id) == 16
    assert set(item(1).id) <= set("0123456789abcdef")


def test_an_item_is_there_to_be_counted_unless_it_says_otherwise(item):
    assert item().why == UNIFORM
