"""What an Anthropic request asks for, and what its answers say: pure functions over what is on the wire."""

import pytest

from llmvitals import semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals.formats import messages

USAGE = {"input_tokens": 30, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 10, "output_tokens": 20}
MESSAGE = {"type": "message", "id": "msg_1", "model": "claude-x-2026", "stop_reason": "end_turn", "usage": USAGE}
START = {"type": "message_start", "message": {**MESSAGE, "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}}


def folded(pieces):
    """The answer after all pieces, and what each of them brought."""
    answer = Answer()
    return answer, [messages.fold(answer, piece) for piece in pieces]


def delta(kind):
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind}}


def test_cached_tokens_are_a_part_of_the_input():
    """Anthropic counts them apart: 30 + 60 + 10 on the wire are 100 of the conventions."""
    answer, _ = folded([MESSAGE])
    assert answer.usage == Usage(input=100, output=20, cache_read=60, cache_write=10)
    assert (answer.id, answer.model, answer.finish_reasons) == ("msg_1", "claude-x-2026", {0: "end_turn"})


def test_a_stream_of_events():
    answer, brought = folded(
        [
            START,
            {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}},
            {"type": "ping"},
            delta("thinking_delta"),
            delta("signature_delta"),
            {"type": "content_block_stop", "index": 0},
            delta("text_delta"),
            delta("input_json_delta"),
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use"},
                "usage": {"output_tokens": 20, "output_tokens_details": {"thinking_tokens": 5}},
            },
            {"type": "message_stop"},
        ]
    )
    assert brought == [NOTHING, NOTHING, NOTHING, REASONING, NOTHING, NOTHING, ANSWER, ANSWER, NOTHING, NOTHING]
    assert answer.reasoning_seen
    assert answer.finish_reasons == {0: "tool_use"}
    assert answer.usage == Usage(input=100, output=20, cache_read=60, cache_write=10, reasoning=5)


def test_the_output_of_a_stream_is_unknown_until_it_is_told():
    """The one token in message_start is a placeholder: an answer that is closed early has not cost one token."""
    answer, _ = folded([START, delta("text_delta")])
    assert answer.usage == Usage(input=100, output=None, cache_read=60, cache_write=10)


@pytest.mark.parametrize(
    "piece", [{}, {"type": "message_delta"}, {"type": "message_start"}, {"type": "unheard_of"}, {"type": "error"}]
)
def test_odd_events_fold_to_nothing(piece):
    assert folded([piece]) == (Answer(), [NOTHING])


def test_what_a_request_asks_for():
    asked = messages.asked(
        {
            "model": "claude-x",
            "max_tokens": 50,
            "top_k": 5,
            "stop_sequences": ["END"],
            "output_config": {"effort": "high"},
            "messages": [{"role": "user", "content": "secret"}],
        }
    )
    assert asked == {
        semconv.REQUEST_MAX_TOKENS: 50,
        semconv.REQUEST_TOP_K: 5.0,
        semconv.REQUEST_STOP_SEQUENCES: ["END"],
        semconv.REQUEST_REASONING_LEVEL: "high",
    }
