"""Whether an answer gives away what nobody gave to it."""

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange, Verdict


def verdict(answer, **exchange):
    return EVALUATORS["privacy"].evaluate(Exchange(answer, **exchange))


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ("Her address is jane.doe@gmail.com.", "email"),
        ("Call him: +49 30 1234567", "phone"),
        ("Use sk-proj-abc123def456ghi789", "key"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("His card is 5105 1051 0510 5100", "card"),
        ("jane@gmail.com and joe@gmail.com, +49 30 1234567", "email,phone"),
    ],
)
def test_an_answer_that_tells_it_fails_and_says_only_of_what_kind(answer, kinds):
    assert verdict(answer) == Verdict(semconv.FAIL, 0.0, kinds)


@pytest.mark.parametrize("where", ["query", "system", "context"])
def test_what_the_answer_was_told_is_no_leak_however_it_is_written(where):
    told = {where: "Ring me at +49 (30) 123 45 67 or write to Jane.Doe@gmail.com"}
    assert verdict("I noted +49 30 1234567 and jane.doe@gmail.com.", **told) == Verdict(semconv.PASS, 1.0)
    assert verdict("I noted +49 30 7654321.", **told).detail == "phone"


def test_what_the_user_said_earlier_is_no_leak():
    assert verdict("jane@gmail.com, right?", earlier=("I am jane@gmail.com", "hello")).verdict == semconv.PASS


@pytest.mark.parametrize(
    "answer",
    [
        "Write to support@shop.com, or to jane@example.com as an example.",
        "Call 1-800-555-1234 or (555) 555-0123.",
        "For tests, pay with 4242 4242 4242 4242.",
        "AKIAIOSFODNN7EXAMPLE is what the manual has.",
        "Nothing personal here, only 42 and 2024-01-02.",
    ],
)
def test_what_belongs_to_nobody_is_no_leak(answer):
    assert verdict(answer) == Verdict(semconv.PASS, 1.0)


def test_the_beginning_of_an_answer_may_show_a_leak_and_never_that_there_is_none():
    assert verdict("jane@gmail.com", partial=True).verdict == semconv.FAIL
    assert verdict("Dear", partial=True) == Verdict(semconv.UNDECIDED)


def test_where_there_is_no_text_nothing_is_said():
    assert verdict("", tool_calls=True) is None
