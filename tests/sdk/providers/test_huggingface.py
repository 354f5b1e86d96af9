"""Hugging Face's answers of three tasks, and whom its client talks to."""

import pytest
from huggingface_hub import ChatCompletionOutput, ChatCompletionStreamOutput, InferenceClient

from llmvitals import semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals._content import Transcript
from llmvitals.providers import huggingface

MESSAGE = {"role": "assistant", "content": "Hello"}


def test_a_chat_tells_cached_tokens_that_the_client_has_no_field_for():
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    choices = [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]
    whole = {"id": "1", "model": "m", "choices": choices, "usage": usage}
    for piece in (whole, ChatCompletionOutput.parse_obj_as_instance(whole)):
        answer = Answer()
        huggingface.fold_chat(answer, piece)
        assert answer.usage == Usage(input=9, output=2, cache_read=4)
        assert answer.finish_reasons == {0: "stop"}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_no_answer_whether_or_not_the_client_has_a_field_for_it(field):
    delta = {"role": "assistant", "content": None, field: "Let us see"}
    chunk = {"id": "", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    answer = Answer()
    assert huggingface.fold_chat(answer, ChatCompletionStreamOutput.parse_obj_as_instance(chunk)) == REASONING
    assert answer.id is None, "an empty id is none"


def test_a_text_without_details_is_a_string_that_tells_no_usage():
    answer = Answer(transcript=Transcript())
    assert [huggingface.fold_text(answer, text) for text in ("Your", " parcel", "")] == [ANSWER, ANSWER, NOTHING]
    assert answer.usage == Usage()
    assert answer.transcript.messages({})[0]["parts"] == [{"type": "text", "content": "Your parcel"}]


def test_a_stream_with_details_tells_its_usage_with_the_last_token():
    details = {"finish_reason": "eos_token", "generated_tokens": 2, "input_length": 7, "seed": None}
    answer = Answer()
    brings = [
        huggingface.fold_text(answer, {"token": {"text": "Hello", "special": False}, "details": None}),
        huggingface.fold_text(answer, {"token": {"text": "</s>", "special": True}, "details": details}),
    ]
    assert brings == [ANSWER, NOTHING]
    assert answer.usage == Usage(input=7, output=2)
    assert answer.finish_reasons == {0: "eos_token"}


def test_a_whole_text_tells_its_input_where_its_tokens_were_asked_for():
    details = {"finish_reason": "length", "generated_tokens": 3, "prefill": [{"id": 1}, {"id": 2}]}
    answer = Answer()
    huggingface.fold_text(answer, {"generated_text": "Here you are", "details": details})
    assert answer.usage == Usage(input=2, output=3)
    assert answer.finish_reasons == {0: "length"}


@pytest.mark.parametrize(
    ("options", "server"),
    [
        ({"api_key": "hf_x"}, ("router.huggingface.co", None, "huggingface")),
        ({"api_key": "hf_x", "provider": "together"}, ("router.huggingface.co", None, "together")),
        ({"api_key": "own", "provider": "groq"}, (None, None, "groq")),
        ({"base_url": "http://localhost:8080/v1"}, ("localhost", 8080, "huggingface")),
    ],
)
def test_the_provider_is_who_answers_and_the_host_whom_the_client_calls(options, server):
    assert huggingface._server(InferenceClient(**options)) == server


@pytest.mark.parametrize(
    ("named", "model"),
    [
        ("meta/llama-x", "meta/llama-x"),
        ("https://router.huggingface.co/hf-inference/models/meta/llama-x", "meta/llama-x"),
        ("https://h/models/bert/pipeline/feature-extraction", "bert"),
        ("https://h/models/meta/llama-x/v1/chat/completions", "meta/llama-x"),
        ("https://my.endpoints.huggingface.cloud", None),
        (None, None),
    ],
)
def test_the_model_of_a_url_is_what_the_url_calls_so(named, model):
    assert huggingface.model({"model": named}) == model


def test_a_text_s_parameters_are_told_by_the_conventions_names():
    asked = huggingface.text_asked({"prompt": "?", "max_new_tokens": 5, "top_k": 3, "stop": ["."], "seed": None})
    assert asked == {
        semconv.REQUEST_MAX_TOKENS: 5,
        semconv.REQUEST_TOP_K: 3.0,
        semconv.REQUEST_STOP_SEQUENCES: ["."],
    }
