"""Captured content is JSON, redacted, and never longer than its limit; what is cut is marked."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmvitals import _content
from llmvitals._content import Excerpt, Transcript
from llmvitals._fit import fit, fit_text
from llmvitals._redact import patterns


def as_it_is(text):
    return text


def message(*parts, role="user"):
    return {"role": role, "parts": list(parts)}


def fitted(items, limit=2_000, redact=as_it_is):
    written = fit(items, limit, redact)
    assert len(written) <= limit
    return json.loads(written)


def test_what_fits_is_left_as_it_is():
    items = [message(_content.text("Grüße 🎈\n"), _content.tool_call("c1", "look", {"x": [1, 2.5, None, True]}))]
    assert fitted(items) == items


def test_the_longest_text_is_cut_and_says_by_how_much():
    long, short = fitted([message(_content.text("x" * 50_000)), message(_content.text("short"))])
    cut = long["parts"][0]["content"]
    kept, missing = re.fullmatch(r"(x+)… \[cut: (\d+) characters\]", cut).groups()
    assert len(kept) + int(missing) == 50_000
    assert len(kept) > 1_800, "the room is used"
    assert short["parts"][0]["content"] == "short"


def test_arguments_that_are_too_long_become_text():
    (told,) = fitted([message(_content.tool_call("c1", "store", {"rows": ["x" * 9] * 5_000}))])
    (part,) = told["parts"]
    assert (part["type"], part["id"], part["name"]) == ("tool_call", "c1", "store")
    assert part["arguments"].startswith('{"rows": ["xxxxxxxxx", ')
    assert part["arguments"].endswith(" characters]")


def test_of_too_many_messages_the_newest_stay():
    told = fitted([message(_content.text(f"{number}")) for number in range(1_000)])
    assert told[-1] == message(_content.text("999"))
    assert 20 < len(told) < 100


def test_there_is_nothing_where_nothing_fits():
    assert fit([message(_content.text("short"))], 20, as_it_is) is None


def test_it_is_redacted_before_it_is_cut():
    """A cut in the middle of an address would leave the half of it that nothing recognizes."""
    text = " bob@example.com" * 300
    for limit in range(1_030, 1_110):
        assert "bob" not in fit([message(_content.text(text))], limit, patterns)


def test_the_app_s_own_content_is_not_changed():
    items = [message(_content.tool_call("c1", "mail", {"to": "bob@example.com", "text": "x" * 9_000}))]
    before = json.dumps(items)
    fit(items, 500, patterns)
    assert json.dumps(items) == before


def test_every_text_in_a_structure_is_redacted_and_no_id_is():
    call = _content.tool_call("call_4111111111111111", "pay", {"bob@example.com": [{"card": 4111111111111111, "n": 7}]})
    (told,) = fitted([message(call)], redact=patterns)
    assert told["parts"] == [
        {
            "type": "tool_call",
            "id": "call_4111111111111111",
            "name": "pay",
            "arguments": {"[email]": [{"card": "[card]", "n": 7}]},
        }
    ]


class Unknown:
    def __repr__(self):
        return "its repr may hold anything"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"\x00\x01", "[bytes]"),
        (Unknown(), "[Unknown]"),
        (float("nan"), "nan"),
        ([0.1] * 256, "[256 numbers]"),
        ([0.1, 0.2], [0.1, 0.2]),
        ({1: (2, 3)}, {"1": [2, 3]}),
        (2**63, "9223372036854775808"),
    ],
)
def test_bytes_vectors_and_unknown_objects_stay_where_they_are(value, told):
    (item,) = fitted([message(_content.tool_response("c1", {"found": value}))])
    assert item["parts"][0]["response"] == {"found": told}


def test_what_holds_itself_is_followed_to_a_depth():
    deep = []
    deep.append(deep)
    assert fit([message(_content.tool_response("c1", deep))], 1_000, as_it_is).count("[") == 2 + 16 + 1


def test_half_a_surrogate_pair_does_not_get_out():
    """It would fail the export of every span that goes with it."""
    written = fit([message(_content.text("half \ud83d pair"))], 1_000, as_it_is)
    assert "half ? pair" in written.encode("utf-8").decode()


def test_a_single_text_is_cut_too():
    assert fit_text("bob@example.com", 1_000, patterns) == "[email]"
    assert fit_text(7, 1_000, patterns) == "7"
    assert re.fullmatch(r"x{960}… \[cut: 4040 characters\]", fit_text("x" * 5_000, 1_000, as_it_is))
    assert len(fit_text("x" * 5_000, 10, as_it_is)) == 10


_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)
_PARTS = st.one_of(
    st.builds(_content.text, st.text(max_size=3_000)),
    st.builds(_content.tool_call, st.text(max_size=8), st.text(max_size=400), _VALUES),
    st.builds(_content.tool_response, st.text(max_size=8), _VALUES),
    st.builds(_content.text, st.builds(Excerpt, st.text(max_size=2_000), st.integers(1, 10**6))),
)


@given(items=st.lists(st.builds(message, _PARTS, _PARTS), max_size=8), limit=st.integers(1, 6_000))
@settings(max_examples=150, deadline=None)
def test_whatever_it_is_it_is_json_within_the_limit(items, limit):
    written = fit(items, limit, patterns)
    if written is not None:
        assert len(written) <= limit
        told = json.loads(written, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        assert all(len(item["parts"]) == 2 and item["role"] == "user" for item in told)


class TestTranscript:
    def test_pieces_are_joined_in_the_order_of_their_coming(self):
        transcript = Transcript()
        for piece in ("I ", "think"):
            transcript.text(piece, kind="reasoning")
        transcript.text("Hi ")
        transcript.text("there")
        transcript.tool_call(1, "c1", "look", '{"x"')
        transcript.tool_call(1, arguments=": 1}")
        transcript.text("Done", choice=0)
        transcript.text("Other", choice=1)
        assert transcript.messages({0: "tool_calls"}) == [
            {
                "role": "assistant",
                "parts": [
                    _content.reasoning("I think"),
                    _content.text("Hi there"),
                    _content.tool_call("c1", "look", {"x": 1}),
                    _content.text("Done"),
                ],
                "finish_reason": "tool_call",
            },
            {"role": "assistant", "parts": [_content.text("Other")], "finish_reason": "error"},
        ]

    def test_calls_that_a_host_numbers_alike_are_told_apart_by_their_ids(self):
        transcript = Transcript()
        transcript.tool_call(0, "c1", "look", "{}")
        transcript.tool_call(0, "c2", "look", "{}")
        (answer,) = transcript.messages({})
        assert [part["id"] for part in answer["parts"]] == ["c1", "c2"]

    @pytest.mark.parametrize("piece", [None, "", 7, ["text"]])
    def test_what_is_no_text_is_left_out(self, piece):
        transcript = Transcript()
        transcript.text(piece)
        assert transcript.messages({}) == []

    @pytest.mark.parametrize("size", [1, 7, 1_000_000])
    def test_it_keeps_the_beginning_and_knows_how_much_came(self, size):
        transcript = Transcript(limit=1_000)
        for _ in range(1_000_000 // size):
            transcript.text("x" * size)
        (answer,) = transcript.messages({0: "stop"})
        kept, missing = answer["parts"][0]["content"]
        assert 1_000 < len(kept) < 2_000
        assert len(kept) + missing == 1_000_000 // size * size

    def test_however_much_comes_it_keeps_no_more_than_twice_its_limit(self):
        transcript = Transcript(limit=1_000)
        for index in range(200):
            transcript.tool_call(index, f"c{index}", "look", "x" * 10_000)
        (answer,) = transcript.messages({})
        assert sum(len(part["arguments"].text) for part in answer["parts"]) < 2 * 1_256

    def test_an_answer_has_room_after_long_reasoning(self):
        transcript = Transcript(limit=1_000)
        transcript.text("x" * 100_000, kind="reasoning")
        transcript.text("The answer is 42." + "y" * 100_000)
        (answer,) = fitted(transcript.messages({0: "stop"}), limit=1_000)
        assert answer["parts"][0]["content"].startswith("xxx")
        assert answer["parts"][1]["content"].startswith("The answer is 42.")

    def test_what_a_server_s_tool_is_given_is_cut_too(self):
        transcript = Transcript(limit=1_000)
        transcript.tool_call(0, "s1", "run", "x" * 9_000, kind="server_tool_call")
        (answer,) = fitted(transcript.messages({}))
        assert re.fullmatch(r"x+… \[cut: \d+ characters\]", answer["parts"][0]["server_tool_call"]["arguments"])

    def test_what_a_cut_may_have_halved_is_not_told(self):
        for length in range(1_230, 1_260):
            transcript = Transcript(limit=1_000)
            transcript.text("x" * length + " bob@example.com " + "y" * 9_000)
            assert "bob" not in fit(transcript.messages({}), 9_000, patterns)
