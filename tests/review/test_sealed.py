"""What a row says to the import, and not to its reader."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals import semconv
from llmvitals_collector.review.sealed import TokenError, seal, unseal

LABELS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(service=LABELS, template=LABELS, score=st.none() | st.floats(0, 1), weight=st.floats(0, 1e9))
def test_a_token_tells_all_of_an_item_but_its_texts(item, rubric, service, template, score, weight):
    labels = {"service": service, "template": template, "judge_score": score, "weight": weight}
    sealed = unseal(seal(item(7, **labels, context="c", expected="e"), rubric))
    assert sealed.item == item(7, **labels, query="", actual="")
    assert sealed.item.id == item(7).id


def test_a_token_grades_as_its_rubric_does(item, rubric):
    rubric_of_token = unseal(seal(item(), rubric)).rubric
    for answers in ({"answers": "yes", "honest": "no"}, {"answers": "partly", "honest": "n/a"}):
        assert rubric_of_token.grade(answers) == rubric.grade(answers)
    assert rubric_of_token.grade({"answers": "unknown", "honest": "no"}).verdict == semconv.UNDECIDED


@given(st.data())
def test_every_change_of_a_token_is_noticed(item, rubric, data):
    token = seal(item(), rubric)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_. é"))
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(TokenError, match=r"^token: was changed, and cannot be trusted"):
            unseal(changed)
    with pytest.raises(TokenError):
        unseal(token[:place])


@given(st.text(max_size=50))
def test_a_text_that_is_no_token_is_refused(text):
    with pytest.raises(TokenError, match=r"^token: (is missing|was changed)"):
        unseal(text)


def test_a_reader_sees_nothing_of_what_the_judge_said(item, rubric):
    """Neither in words, nor by the length or the beginning of tokens."""
    tokens = [seal(item(number, judge_verdict=verdict), rubric) for number in range(50) for verdict in ("pass", "fail")]
    assert not any(word in token.lower() for token in tokens for word in ("pass", "fail", "judge"))
    assert len({token[:8] for token in tokens}) == len(tokens)
    lengths = [sum(map(len, tokens[start::2])) / 50 for start in (0, 1)]
    assert abs(lengths[0] - lengths[1]) < 4
