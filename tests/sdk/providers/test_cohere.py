"""What Cohere's chats and embeddings ask for and say, in both versions, and what only its client does."""

import json

import cohere
import httpx
import pytest
from opentelemetry import trace

from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals.formats import cohere_chat, cohere_chat_v1, cohere_embed
from llmvitals_collector.demo.behaviour import Behaviour

USAGE = {
    "billed_units": {"input_tokens": 100.0, "output_tokens": 20.0},
    "tokens": {"input_tokens": 120.0, "output_tokens": 25.0},
    "cached_tokens": 60.0,
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"id":1}'}}


def folded(fold, pieces):
    """The answer after all pieces, with what it says, and what each of them brought."""
    answer = Answer(transcript=_content.Transcript())
    return answer, [fold(answer, piece) for piece in pieces]


def event(kind, **message):
    return {"type": kind, "index": 0, "delta": {"message": message}}


def test_of_billed_and_counted_tokens_the_billed_ones_are_told():
    """The conventions want it so; the client makes floats of the counts."""
    answer, _ = folded(cohere_chat.fold, [{"id": "c_1", "finish_reason": "COMPLETE", "message": {}, "usage": USAGE}])
    assert answer.usage == Usage(input=100, output=20, cache_read=60)
    assert (answer.id, answer.finish_reasons, answer.error) == ("c_1", {0: "COMPLETE"}, None)


def test_where_nothing_is_billed_the_counted_tokens_are_told():
    answer, _ = folded(cohere_chat.fold, [{"id": "c_1", "usage": {"tokens": USAGE["tokens"]}}])
    assert answer.usage == Usage(input=120, output=25)


def test_an_answer_without_usage_tells_none():
    answer, _ = folded(cohere_chat.fold, [{"id": "c_1"}])
    assert answer.usage == Usage()


def test_a_stream_thinks_and_then_speaks():
    answer, brought = folded(
        cohere_chat.fold,
        [
            {"type": "message-start", "id": "c_1", "delta": {"message": {"role": "assistant"}}},
            event("content-start", content={"type": "thinking", "thinking": ""}),
            event("content-delta", content={"thinking": "Hm."}),
            event("content-delta", content={"text": "Here."}),
            {"type": "content-end", "index": 0},
            event("citation-start", citations={"start": 0}),
            {"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS", "usage": USAGE}},
        ],
    )
    assert brought == [NOTHING, NOTHING, REASONING, ANSWER, NOTHING, NOTHING, NOTHING]
    assert answer.reasoning_seen
    assert (answer.id, answer.finish_reasons) == ("c_1", {0: "MAX_TOKENS"})
    assert answer.usage.output == 20
    assert [part["content"] for part in answer.transcript.messages({})[0]["parts"]] == ["Hm.", "Here."]


def test_a_stream_plans_and_then_calls_a_tool():
    """The plan is what the model thinks of its tools, so it is reasoning."""
    answer, brought = folded(
        cohere_chat.fold,
        [
            event("tool-plan-delta", tool_plan="I look it up."),
            event("tool-call-start", tool_calls={**CALL, "function": {"name": "find", "arguments": ""}}),
            event("tool-call-delta", tool_calls={"function": {"arguments": '{"id":1}'}}),
            {"type": "tool-call-end", "index": 0},
        ],
    )
    assert brought == [REASONING, ANSWER, ANSWER, NOTHING]
    called = {"type": "tool_call", "id": "call_1", "name": "find", "arguments": {"id": 1}}
    assert answer.transcript.messages({})[0]["parts"][1] == called


def test_a_whole_answer_says_the_same_as_its_stream():
    message = {"tool_plan": "I look it up.", "tool_calls": [CALL], "content": [{"type": "text", "text": "Wait."}]}
    answer, _ = folded(cohere_chat.fold, [{"id": "c_1", "message": message}])
    assert [part["type"] for part in answer.transcript.messages({})[0]["parts"]] == ["reasoning", "text", "tool_call"]


@pytest.mark.parametrize("reason", ["ERROR", "ERROR_LIMIT", "TIMEOUT"])
def test_an_answer_that_ends_by_a_failure_says_so(reason):
    answer, _ = folded(cohere_chat.fold, [{"type": "message-end", "delta": {"finish_reason": reason}}])
    assert answer.error == reason


def test_toxic_content_ends_an_answer_and_is_no_failure():
    answer, _ = folded(cohere_chat_v1.fold, [{"event_type": "stream-end", "finish_reason": "ERROR_TOXIC"}])
    assert (answer.error, answer.finish_reasons) == (None, {0: "ERROR_TOXIC"})


def test_a_stream_of_version_1_repeats_its_tool_calls_at_its_end():
    calls = [{"name": "find", "parameters": {"id": 1}}]
    answer, brought = folded(
        cohere_chat_v1.fold,
        [
            {"event_type": "stream-start", "generation_id": "g_1"},
            {"event_type": "text-generation", "text": "Here."},
            {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "name": "find"}},
            {"event_type": "tool-calls-generation", "tool_calls": calls},
            {
                "event_type": "stream-end",
                "finish_reason": "COMPLETE",
                "response": {"generation_id": "g_1", "text": "Here.", "tool_calls": calls, "meta": USAGE},
            },
        ],
    )
    assert brought == [NOTHING, ANSWER, ANSWER, NOTHING, NOTHING]
    assert answer.usage == Usage(input=100, output=20, cache_read=60)
    (said,) = answer.transcript.messages(answer.finish_reasons)
    assert said["parts"] == [
        {"type": "text", "content": "Here."},
        {"type": "tool_call", "id": None, "name": "find", "arguments": {"id": 1}},
    ]


def test_embeddings_bill_tokens_of_texts_or_of_pictures():
    answer, _ = folded(cohere_embed.fold, [{"id": "e_1", "meta": {"billed_units": {"input_tokens": 7.0}}}])
    assert (answer.id, answer.usage) == ("e_1", Usage(input=7))
    answer, _ = folded(cohere_embed.fold, [{"id": "e_2", "meta": {"billed_units": {"image_tokens": 258.0}}}])
    assert answer.usage == Usage(input=258)


def test_the_parameters_of_a_chat():
    asked = cohere_chat.asked(
        {"temperature": 0.2, "p": 0.9, "k": 5, "max_tokens": 64, "seed": 7, "response_format": {"type": "json_object"}}
    )
    assert asked == {
        semconv.REQUEST_TEMPERATURE: 0.2,
        semconv.REQUEST_TOP_P: 0.9,
        semconv.REQUEST_TOP_K: 5.0,
        semconv.REQUEST_MAX_TOKENS: 64,
        semconv.REQUEST_SEED: 7,
        semconv.OUTPUT_TYPE: "json",
    }


def test_the_content_of_a_chat_of_version_1():
    content = cohere_chat_v1.content(
        {
            "preamble": "Be brief.",
            "chat_history": [{"role": "CHATBOT", "message": "Hello."}],
            "message": "Where?",
            "tools": [{"name": "find", "description": "Finds it.", "parameter_definitions": {"id": {"type": "int"}}}],
            "tool_results": [{"call": {"name": "find"}, "outputs": [{"place": "here"}]}],
        }
    )
    assert [message["role"] for message in content.messages] == ["assistant", "user", "tool"]
    assert content.system == [{"type": "text", "content": "Be brief."}]
    assert content.tools[0]["parameters"] == {"id": {"type": "int"}}


# ---- The client ---------------------------------------------------------------------------------------


@pytest.fixture
def client(loopback):
    with httpx.Client(verify=False) as connections:
        yield cohere.Client("any", base_url=loopback.url, httpx_client=connections)


def test_a_batch_of_version_1_is_one_call_however_many_requests_it_takes(client, loopback, spans):
    """The client sends 96 texts at a time, from threads of its own: the parent is still the app's span."""
    loopback.behaviour = Behaviour(input_tokens=50)
    loopback.served.clear()
    with trace.get_tracer("app").start_as_current_span("page") as page:
        client.embed(texts=["Where?"] * 200, model="embed-x", input_type="search_query")
    assert len(loopback.served) == 3
    (span,) = spans()
    assert span.parent.span_id == page.get_span_context().span_id
    assert span.attributes[semconv.INPUT_COUNT] == 200
    assert span.attributes[semconv.USAGE_INPUT_TOKENS] == 150
    assert span.attributes[semconv.REQUEST_ATTEMPTS] == 1


def test_the_second_version_is_watched_where_the_first_one_s_client_brings_it(client, loopback, spans):
    loopback.behaviour = Behaviour()
    client.v2.chat(model="command-x", messages=[{"role": "user", "content": "Where?"}])
    assert spans()[0].attributes[semconv.SERVER_ADDRESS] == "127.0.0.1"


def test_a_client_made_before_instrument_is_watched(loopback, request):
    """Version 1 binds its methods when it is made, so what is replaced later on its class it never calls."""
    loopback.behaviour = Behaviour()
    client = request.getfixturevalue("client")
    spans = request.getfixturevalue("spans")
    list(client.chat_stream(model="command-x", message="Where?"))
    client.chat(model="command-x", message="Where?")
    assert [span.name for span in spans()] == ["chat command-x"] * 2
    assert spans()[0].attributes[semconv.INPUT_COUNT] == 1


def test_leaving_the_block_of_a_raw_stream_ends_its_call(client, loopback, spans):
    loopback.behaviour = Behaviour(token_seconds=0.02, output_tokens=50)
    with client.with_raw_response.chat_stream(model="command-x", message="Where?") as response:
        next(response.data)
        assert response.status_code == 200
        assert not spans()
    assert response._response.is_closed
    assert spans()[0].attributes[semconv.STREAM_ENDING] == semconv.CLOSED


def test_an_app_s_own_error_in_the_block_of_a_raw_stream_is_none_of_the_call(client, loopback, spans):
    loopback.behaviour = Behaviour(token_seconds=0.02, output_tokens=50)

    def stumble():
        with client.with_raw_response.chat_stream(model="command-x", message="Where?") as response:
            next(response.data)
            raise KeyError

    with pytest.raises(KeyError):
        stumble()
    assert spans()[0].attributes[semconv.STREAM_ENDING] == semconv.CLOSED


def test_a_raw_stream_that_is_refused_is_an_error(client, loopback, spans):
    loopback.behaviour = Behaviour(status=429)
    with (
        pytest.raises(cohere.TooManyRequestsError),
        client.with_raw_response.chat_stream(model="command-x", message="Where?"),
    ):
        pass
    assert spans()[0].attributes[semconv.ERROR_TYPE].endswith(".TooManyRequestsError")


def test_the_client_for_bedrock_says_where_it_really_calls(spans, monkeypatch):
    def answer(request):
        body = {"generation_id": "g_1", "text": "Here.", "finish_reason": "COMPLETE"}
        counted = {"x-amzn-bedrock-input-token-count": "9", "x-amzn-bedrock-output-token-count": "3"}
        return httpx.Response(200, content=json.dumps(body), headers={"content-type": "application/json", **counted})

    client = cohere.BedrockClient(aws_access_key="any", aws_secret_key="any", aws_region="eu-west-1")
    with client._client_wrapper.httpx_client.httpx_client as connections:
        monkeypatch.setattr(connections, "_transport", httpx.MockTransport(answer))
        monkeypatch.setattr(connections, "_mounts", {})
        client.chat(model="cohere.command-r-v1:0", message="Where?")
    (span,) = spans()
    assert span.attributes[semconv.PROVIDER_NAME] == "aws.bedrock"
    assert span.attributes[semconv.SERVER_ADDRESS] == "bedrock-runtime.eu-west-1.amazonaws.com"
    assert span.attributes[semconv.USAGE_INPUT_TOKENS] == 9
