"""Whether an answer keeps to what its prompt declares."""

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange, Instructions, Verdict


def verdict(answer, partial=False, **instructions):
    return EVALUATORS["instruction_adherence"].evaluate(
        Exchange(answer, partial=partial, instructions=Instructions(**instructions))
    )


@pytest.mark.parametrize(
    ("instructions", "kept", "broken"),
    [
        ({"max_words": 3}, "one two three", "one two three four"),
        ({"min_words": 2}, "two words", "one"),
        ({"max_characters": 5}, " 12345 ", "123456"),
        ({"max_sentences": 1}, "See e.g. Dr. Who at 3.5 km.", "First. Second!"),
        ({"max_sentences": 1}, "The U.S. opens at 9 a.m. for J. R. Doe.", "So it is. Is it?"),
        ({"max_sentences": 2}, "# Title\n\nReally?! Yes.", "- one\n- two\n- three"),
        ({"max_sentences": 1}, "这是一句话。", "这是一句话。这是第二句。"),
        ({"bullets": (2, 3)}, "So:\n- one\n* two\n  3. three", "- one"),
        ({"bullets": (0, 1)}, "-1 is less than 0", "- one\n- two"),
        ({"required": ("kind regards",)}, "Yours,\nKind\nRegards", "kindest regards"),
        ({"forbidden": ("AI",)}, "She said so", "As an ai, I do"),
        ({"forbidden": ("don't know",)}, "We know", "I don\u2019t know."),
        ({"required": ("退款",)}, "您可以退款吗", "您好"),
        ({"ending": "Thank you!"}, "All done. thank you!\n", "Thank you! Bye"),
    ],
)
def test_each_instruction_is_kept_or_broken(instructions, kept, broken):
    (name,) = instructions
    assert verdict(kept, **instructions) == Verdict(semconv.PASS, 1.0)
    assert verdict(broken, **instructions) == Verdict(semconv.FAIL, 0.0, name)


def test_the_score_is_the_share_that_is_kept_and_the_detail_names_the_others():
    assert verdict("too long, and no end", max_words=2, forbidden=("sorry",), ending=".", min_words=1) == Verdict(
        semconv.FAIL, 0.5, "max_words,ending"
    )


def test_what_is_not_declared_is_not_checked():
    assert verdict("anything") is None
    assert verdict("anything", language="en", json_schema={}) is None, "they have evaluators of their own"


def test_the_call_of_a_tool_is_no_answer_yet():
    exchange = Exchange("", tool_calls=True, instructions=Instructions(min_words=1))
    assert EVALUATORS["instruction_adherence"].evaluate(exchange) is None


def test_the_beginning_of_an_answer_shows_only_what_no_rest_can_mend():
    assert verdict("one two", partial=True, min_words=9, required=("x",), ending=".", max_words=9) == Verdict(
        semconv.UNDECIDED
    )
    assert verdict("one two", partial=True, max_words=1, ending=".").detail == "max_words"
    assert verdict("so sorry", partial=True, forbidden=("sorry",), bullets=(1, 2)).detail == "forbidden"


@pytest.mark.parametrize(
    ("instructions", "message"),
    [
        ({"max_words": -1}, "max_words is -1; valid is a whole number from 0"),
        ({"min_words": True}, "min_words is True; valid is a whole number"),
        ({"max_words": 3, "min_words": 5}, "max_words is 3, below min_words, which is 5"),
        ({"bullets": 3}, r"bullets is 3; valid is \(fewest, most\)"),
        ({"bullets": (3, 2)}, r"bullets is \(3, 2\); valid is"),
        ({"required": "in short"}, "required is 'in short'; valid is a tuple of phrases"),
        ({"forbidden": ("",)}, r"forbidden is \('',\); valid is a tuple of phrases"),
        ({"ending": " "}, "ending is ' '; valid is a text"),
        ({"language": 1}, "language is 1; valid are two letters, as 'de' or 'pt-BR'"),
        ({"language": "german"}, "language is 'german'; valid are two letters"),
        ({"json_schema": dict}, "json_schema is a type; valid is a dict"),
    ],
)
def test_an_instruction_that_no_answer_can_keep_is_refused_where_it_is_declared(instructions, message):
    with pytest.raises(ValueError, match=message):
        Instructions(**instructions)
