"""Captured messages to what evaluators look at, in the conventions' form and in older ones."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals._fit import fit
from llmvitals.evaluators.evaluator import Exchange, Instructions
from llmvitals_collector.evaluation.content import UnreadableError, read

NO_INSTRUCTIONS = Instructions()


def said(role, *parts, **more):
    return {
        "role": role,
        "parts": [{"type": "text", "content": each} if isinstance(each, str) else each for each in parts],
        **more,
    }


def exchange(asked, answered, system=()):
    written = [json.dumps(each) if each else "" for each in (asked, answered, list(system))]
    return read(*written, NO_INSTRUCTIONS)


def test_a_conversation_becomes_its_last_question_what_came_before_and_the_first_choice():
    asked = [
        said("system", "Be kind."),
        said("user", "Who are you?"),
        said("assistant", "A bot."),
        said("user", "Where is my order?"),
        said("assistant", {"type": "tool_call", "name": "find", "arguments": {}}),
        said("tool", {"type": "tool_call_response", "response": {"order": "left"}}),
    ]
    reasoned = {"type": "reasoning", "content": "Let us see."}
    answered = [said("assistant", reasoned, "It has left.", finish_reason="stop"), said("assistant", "Other.")]
    assert exchange(asked, answered, [{"type": "text", "content": "You work for a shop."}]) == Exchange(
        answer="It has left.",
        finish_reason="stop",
        query="Where is my order?",
        earlier=("Who are you?",),
        system="You work for a shop.\nBe kind.",
        context='{"order": "left"}',
    )


def test_content_in_place_of_parts_is_read_too():
    asked = [{"role": "user", "content": "Hello?"}]
    answered = [{"role": "assistant", "content": [{"type": "text", "text": "Hi!"}], "finish_reason": None}]
    assert exchange(asked, answered) == Exchange("Hi!", query="Hello?")


def test_an_answer_that_the_sdk_has_cut_is_known_to_be_partial():
    written = fit([said("assistant", "word " * 2000, finish_reason="stop")], 500, lambda text: text)
    found = read("", written, "", NO_INSTRUCTIONS)
    assert found.partial
    assert found.answer.endswith("word ") or found.answer.endswith("word")


def test_a_tool_call_without_text_is_known_as_such():
    called = said("assistant", {"type": "tool_call", "name": "find", "arguments": {}}, finish_reason="tool_call")
    assert exchange([], [called]) == Exchange("", "tool_call", tool_calls=True)


@pytest.mark.parametrize("text", ['[{"role": "us', "{}", "7", "no JSON", '"text"', "[" * 100_000])
def test_what_is_no_json_of_messages_is_told_apart_from_an_empty_answer(text):
    with pytest.raises(UnreadableError):
        read("", text, "", NO_INSTRUCTIONS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["role", "parts", "content", "type", "text", "finish_reason", "response"]), inner
        )
    ),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4), st.lists(JSON, max_size=2))
def test_messages_of_any_form_are_read_as_far_as_they_are_known(asked, answered, system):
    found = exchange(asked, answered, system)
    assert all(isinstance(text, str) for text in (found.answer, found.query, found.context, found.finish_reason))


@given(st.text(), st.text(), st.text())
def test_any_text_is_read_or_unreadable(asked, answered, system):
    with contextlib.suppress(UnreadableError):
        read(asked, answered, system, NO_INSTRUCTIONS)
