"""Whether an answer has got into a loop."""

import json
import random

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange

PROSE = (
    "A refund goes back to the card that was charged. Banks take three to five days to show it, and longer around "
    "holidays. If a week has passed, send us the number of the order, so that we can ask the bank. Orders that were "
    "paid with a gift card are refunded with a new one, which comes by mail and is valid for two years from its date. "
)


def verdict(answer):
    found = EVALUATORS["repetition"].evaluate(Exchange(answer))
    return found and found.verdict


@pytest.mark.parametrize(
    "unit",
    ["I will try again. ", "the ", "!", "0, ", "ha", "我不知道该怎么办。", "\n| | | |", PROSE],
    ids=["sentence", "word", "sign", "number", "syllable", "chinese", "table", "paragraph"],
)
@pytest.mark.parametrize("cut", [0, 7])
def test_a_loop_fails_also_where_it_is_cut_in_its_middle(unit, cut):
    looped = unit * (2_400 // len(unit) + 1)
    assert verdict("It depends on the season. " + looped[: len(looped) - cut]) == semconv.FAIL


@pytest.mark.parametrize(
    "answer",
    [
        PROSE,
        json.dumps([{"id": n, "name": f"item {n}", "price": n * 3.5, "in_stock": True} for n in range(60)]),
        "\n".join(f"| {n} | Product {n} | {n * 7 % 13} | in stock |" for n in range(60)),
        "\n".join(f"INSERT INTO users VALUES ({n}, 'User {n}', 'user{n}@example.com');" for n in range(60)),
        ", ".join(map(str, range(600))),
        "Name | Price\n" + "-" * 80,
        "No. No. No. No.",
    ],
    ids=["prose", "json", "table", "sql", "numbers", "ruler", "short"],
)
def test_what_is_only_regular_passes(answer):
    assert verdict(answer) == semconv.PASS


def test_random_words_are_no_loop():
    chance = random.Random(1)
    assert verdict(" ".join(chance.choices(PROSE.split(), k=600))) == semconv.PASS


def test_the_beginning_of_an_answer_may_have_a_loop_after_it():
    repetition = EVALUATORS["repetition"].evaluate
    assert repetition(Exchange(PROSE, partial=True)).verdict == semconv.UNDECIDED
    assert repetition(Exchange(PROSE * 8, partial=True)).verdict == semconv.FAIL


def test_where_there_is_no_text_nothing_is_said():
    assert verdict(" \n") is None
