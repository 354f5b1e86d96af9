"""Whether the user asks again, in other words or the same, what the answer before was to answer."""

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange

REPHRASE = EVALUATORS["rephrase"]


def verdict(before, now):
    found = REPHRASE.evaluate(Exchange("whatever", query=now, earlier=("hello", before)))
    return found and found.verdict


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("How do I reset my password?", "how can I reset the password"),
        ("Where is my order?", "Where is my order?"),
        ("cancel my gold subscription", "I want to cancel my gold subscription, please!"),
        ("Which trains go from Bonn to Kiel on Sunday?", "trains on sunday from bonn to kiel"),
        ("Wie kann ich mein Passwort ändern?", "Wie kann ich mein Passwort jetzt ändern?"),
        ("why is that so", "Why is that so?"),
    ],
)
def test_the_same_question_again_shows_that_the_answer_before_did_not_help(before, now):
    assert verdict(before, now) == semconv.FAIL


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("How do I reset my password?", "And how do I change my email address?"),
        ("What is the weather in Paris?", "What is the weather in London?"),
        ("price of item 123 in the shop", "price of item 124 in the shop"),
        ("Which trains go from Bonn to Kiel?", "Thanks! That is all."),
        ("why is that so", "who was that then"),
        ("yes please", "yes, please"),
        ("Tell me more", "tell me more"),
        ("go on", "go on"),
    ],
)
def test_another_question_does_not(before, now):
    assert verdict(before, now) == semconv.PASS


def test_the_first_question_repeats_none():
    assert REPHRASE.evaluate(Exchange("whatever", query="Where is my order?")) is None


@pytest.mark.parametrize(("before", "now"), [("yes", "yes"), ("", "Where is it?"), ("word " * 200, "word " * 200)])
def test_a_word_and_a_document_are_no_questions_to_compare(before, now):
    assert verdict(before, now) is None


def test_it_is_about_the_answer_before():
    assert REPHRASE.kind in semconv.FEEDBACK_SCORES
    assert REPHRASE.mode == REPHRASE.dimension == ""
