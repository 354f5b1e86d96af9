"""Groq's chat completions are OpenAI's, and what `x_groq` adds to them."""

from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals.providers import groq


def chunk(delta, reason=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "chatcmpl-1", "model": "llama-x", "choices": [choice], "usage": None, **more}


def test_a_stream_tells_its_usage_in_its_last_chunk_without_being_asked():
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 7,
        "queue_time": 0.1,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    answer = Answer()
    brings = [
        groq.fold_chat(answer, piece)
        for piece in (
            chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_1"}),
            chunk({"reasoning": "The customer"}),
            chunk({"content": "Here"}),
            chunk({}, "stop", x_groq={"id": "req_1", "usage": usage}),
        )
    ]
    assert brings == [NOTHING, REASONING, ANSWER, NOTHING]
    assert (answer.id, answer.model, answer.finish_reasons) == ("chatcmpl-1", "llama-x", {0: "stop"})
    assert answer.usage == Usage(input=12, output=7, cache_read=4, reasoning=3)
    assert answer.error is None


def test_a_stream_that_the_provider_stops_early_has_failed():
    answer = Answer()
    groq.fold_chat(answer, chunk({"content": "Here"}))
    groq.fold_chat(answer, chunk({}, x_groq={"id": "req_1", "error": "Out of capacity, sorry."}))
    assert answer.error == "error"


def test_a_whole_completion_is_a_stream_of_one_piece():
    answer = Answer()
    whole = {
        "id": "chatcmpl-2",
        "model": "llama-x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1},
        "x_groq": {"id": "req_2"},
    }
    groq.fold_chat(answer, whole)
    assert answer.finish_reasons == {0: "length"}
    assert answer.usage == Usage(input=5, output=1)
