"""Whether an answer stops before its end, and whether it says anything at all."""

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange, Verdict


def truncation(answer, **exchange):
    return EVALUATORS["truncation"].evaluate(Exchange(answer, **exchange))


def empty(answer, **exchange):
    return EVALUATORS["empty"].evaluate(Exchange(answer, **exchange)).verdict


def test_the_provider_s_word_counts_before_the_text():
    assert truncation("Complete.", finish_reason="length") == Verdict(semconv.FAIL, None, "limit")
    assert truncation("", finish_reason="length").verdict == semconv.FAIL, "all its tokens went into reasoning"
    for finish_reason in ("stop", "tool_call", "content_filter"):
        assert truncation("```python\nfor", finish_reason=finish_reason).verdict == semconv.PASS


@pytest.mark.parametrize("finish_reason", ["", "error"])
@pytest.mark.parametrize(
    ("answer", "left_open"),
    [
        ("Like this:\n```python\nprint(1)", "fence"),
        ("```\na\n```\nand\n```\nb", "fence"),
        ('{"a": [1, 2', "bracket"),
        ("[1, 2, 3", "bracket"),
        ("It costs 3 euros (or 4", "bracket"),
    ],
)
def test_without_it_what_is_left_open_tells(answer, left_open, finish_reason):
    assert truncation(answer, finish_reason=finish_reason) == Verdict(semconv.FAIL, None, left_open)


@pytest.mark.parametrize(
    "answer",
    [
        *("Done.", "1) one 2) two", "```\na\n```", "{}", "[1, 2]", "Berlin", "Too bad :(", "[here](https://a.example)"),
        *("(see above), so yes.", "好的。", "He said: (yes!"),
    ],
)
def test_an_answer_that_looks_whole_passes(answer):
    assert truncation(answer) == Verdict(semconv.PASS)


def test_an_answer_of_which_the_end_is_not_known_is_undecided():
    assert truncation("Like (this", partial=True) == Verdict(semconv.UNDECIDED)
    assert truncation("Like (this", partial=True, finish_reason="stop").verdict == semconv.PASS


def test_no_answer_was_not_cut():
    assert truncation("") is None


@pytest.mark.parametrize("answer", ["", " \n\t", "\u200b\ufeff", "\n\u200b\n"])
def test_what_shows_nothing_is_empty_unless_it_calls_a_tool(answer):
    assert empty(answer) == semconv.FAIL
    assert empty(answer, tool_calls=True) == semconv.PASS
    assert empty(answer, partial=True) == semconv.UNDECIDED


@pytest.mark.parametrize("answer", [".", "0", "👩\u200d🚀"])
def test_what_shows_something_is_not_empty(answer):
    assert empty(answer) == semconv.PASS
