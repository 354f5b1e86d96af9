"""Cerebras speaks OpenAI's formats, and tells the usage of a stream in its last chunk without being asked."""

import httpx
from cerebras.cloud.sdk import Cerebras
from cerebras.cloud.sdk.types.chat.chat_completion import ChatCompletionResponse

from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage, provider_at
from llmvitals.providers.cerebras import ADAPTERS

(ADAPTER,) = ADAPTERS
CHAT, TEXT = (ADAPTER.operations[path] for path in ("/v1/chat/completions", "/v1/completions"))


def chunk(told, reason=None, **more):
    return {"id": "cmpl-1", "model": "llama-x", "choices": [{"index": 0, "finish_reason": reason, **told}], **more}


def test_a_chat_stream_tells_reasoning_answer_and_usage():
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3, "accepted_prediction_tokens": 0},
    }
    answer = Answer()
    brings = [
        CHAT.fold(answer, piece)
        for piece in (
            chunk({"delta": {"role": "assistant"}}),
            chunk({"delta": {"reasoning": "The customer"}}),
            chunk({"delta": {"content": "Here"}}),
            chunk({"delta": {}}, "stop", usage=usage, time_info={"queue_time": 0.1}),
        )
    ]
    assert brings == [NOTHING, REASONING, ANSWER, NOTHING]
    assert (answer.id, answer.model, answer.finish_reasons) == ("cmpl-1", "llama-x", {0: "stop"})
    assert answer.usage == Usage(input=12, output=7, cache_read=4, reasoning=3)


def test_a_chunk_that_the_client_takes_for_a_whole_answer_is_read_all_the_same():
    """cerebras-cloud-sdk 1.91 does so where the chunk lacks a field that its type requires."""
    answer = Answer()
    piece = ChatCompletionResponse.construct(**chunk({"delta": {"reasoning": "The"}}))
    assert type(piece.choices[0].delta) is dict
    assert CHAT.fold(answer, piece) == REASONING
    assert answer.model == "llama-x"


def test_a_stream_of_text_tells_its_usage_with_its_end():
    answer = Answer()
    usage = {"prompt_tokens": 5, "completion_tokens": 1}
    pieces = chunk({"text": "Here"}), chunk({"text": ""}, "length", usage=usage)
    assert [TEXT.fold(answer, piece) for piece in pieces] == [ANSWER, NOTHING]
    assert answer.finish_reasons == {0: "length"}
    assert answer.usage == Usage(input=5, output=1)


def test_no_stream_is_asked_for_what_it_tells_anyway():
    assert (CHAT.usage_request, TEXT.usage_request) == (None, None)


def test_its_host_is_named_by_its_own_name_to_openai_s_client_too():
    assert provider_at("api.cerebras.ai", "openai") == "cerebras"


def test_the_request_by_which_the_client_warms_its_connection_is_no_call(spans):
    """cerebras-cloud-sdk 1.91 makes one when it is created."""
    paths = []

    def answer(request):
        paths.append(request.url.path)
        return httpx.Response(200, text="")

    with Cerebras(api_key="any", http_client=httpx.Client(transport=httpx.MockTransport(answer), verify=False)):
        assert paths == ["/v1/tcp_warming"]
    assert not spans()
