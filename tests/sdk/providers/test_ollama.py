"""What a request to Ollama asks for, and what its answers say: pure functions over what is on the wire."""

import pytest

from llmvitals import semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals._content import Transcript
from llmvitals.providers import ollama

DONE = {"model": "llama-x", "done": True, "done_reason": "stop", "prompt_eval_count": 12, "eval_count": 8}


def folded(fold, pieces, transcript=None):
    """The answer after all pieces, and what each of them brought."""
    answer = Answer(transcript=transcript)
    return answer, [fold(answer, piece) for piece in pieces]


def said(**message):
    return {"model": "llama-x", "done": False, "message": {"role": "assistant", "content": "", **message}}


CALL = {"function": {"name": "look", "arguments": {"at": "it"}}}


def test_a_stream_of_a_chat():
    answer, brought = folded(
        ollama.fold_chat,
        [said(thinking="Hm"), said(content="Hi"), said(tool_calls=[CALL]), said() | DONE],
    )
    assert brought == [REASONING, ANSWER, ANSWER, NOTHING]
    assert answer.reasoning_seen
    assert (answer.id, answer.model, answer.finish_reasons) == (None, "llama-x", {0: "stop"})
    assert answer.usage == Usage(input=12, output=8)


def test_a_stream_of_generated_text():
    answer, brought = folded(
        ollama.fold_generate,
        [{"response": "", "thinking": "Hm"}, {"response": "Hi"}, {"response": ""} | DONE],
    )
    assert brought == [REASONING, ANSWER, NOTHING]
    assert (answer.finish_reasons, answer.usage) == ({0: "stop"}, Usage(input=12, output=8))


def test_the_steps_of_an_image_are_no_tokens_of_an_answer():
    _, brought = folded(ollama.fold_generate, [{"completed": 1, "total": 2}, {"image": "aGk="} | DONE])
    assert brought == [NOTHING, ANSWER]


def test_what_is_not_told_stays_unknown():
    """An answer that is closed early has no counts, and one from the cache none of its prompt."""
    assert folded(ollama.fold_chat, [said(content="Hi")])[0].usage == Usage()
    assert folded(ollama.fold_chat, [{"done": True, "eval_count": 8}])[0] == Answer(usage=Usage(output=8))


@pytest.mark.parametrize("fold", [ollama.fold_chat, ollama.fold_generate, ollama.fold_embeddings])
def test_an_empty_answer_folds_to_nothing(fold):
    assert folded(fold, [{}]) == (Answer(), [NOTHING])


def test_embeddings_tell_the_tokens_of_their_input():
    answer, _ = folded(
        ollama.fold_embeddings, [{"model": "embed-x", "embeddings": [[0.1], [0.2]], "prompt_eval_count": 5}]
    )
    assert (answer.model, answer.usage) == ("embed-x", Usage(input=5))


def test_what_a_request_asks_for():
    asked = ollama.asked(
        {
            "model": "llama-x",
            "think": "high",
            "format": "json",
            "options": {"temperature": 0, "num_predict": 50, "stop": ["END"], "num_ctx": 4096},
            "messages": [{"role": "user", "content": "secret"}],
        }
    )
    assert asked == {
        semconv.REQUEST_TEMPERATURE: 0.0,
        semconv.REQUEST_MAX_TOKENS: 50,
        semconv.REQUEST_STOP_SEQUENCES: ["END"],
        semconv.REQUEST_REASONING_LEVEL: "high",
        semconv.OUTPUT_TYPE: "json",
    }
    assert ollama.embeddings_asked({"model": "embed-x", "dimensions": 4}) == {semconv.EMBEDDINGS_DIMENSION_COUNT: 4}


def test_no_limit_is_no_limit_of_minus_one_token():
    assert ollama.asked({"think": True, "options": {"num_predict": -1}}) == {}


def test_the_content_of_a_request_to_generate():
    messages, system, _ = ollama.generate_content({"system": "Be kind", "prompt": "Where?"})
    assert messages == [{"role": "user", "parts": [{"type": "text", "content": "Where?"}]}]
    assert system == [{"type": "text", "content": "Be kind"}]


def test_an_answer_is_written_down_by_its_parts():
    transcript = Transcript()
    chunks = [said(thinking="Hm"), said(content="H"), said(content="i"), said(tool_calls=[CALL, CALL])]
    answer, _ = folded(ollama.fold_chat, chunks, transcript)
    call = {"type": "tool_call", "id": None, "name": "look", "arguments": {"at": "it"}}
    parts = [{"type": "reasoning", "content": "Hm"}, {"type": "text", "content": "Hi"}, call, call]
    (message,) = transcript.messages(answer.finish_reasons)
    assert message["parts"] == parts
