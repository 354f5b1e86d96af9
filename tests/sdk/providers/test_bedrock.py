"""What Bedrock's calls ask for and say: Converse, models invoked with bodies of their own, and Amazon's client."""

import contextlib
import gc
import io
import json
import weakref

import anthropic
import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.eventstream import EventStream
from botocore.response import StreamingBody
from opentelemetry.trace import StatusCode

import llmvitals
from llmvitals import _content, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals.formats import converse
from llmvitals.providers import bedrock
from llmvitals_collector.demo.behaviour import Behaviour

USAGE = {"inputTokens": 10, "outputTokens": 20, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 30}
TOLD = Usage(input=100, output=20, cache_read=60, cache_write=30)
COUNTS = {
    "inputTokenCount": 10,
    "outputTokenCount": 20,
    "cacheReadInputTokenCount": 60,
    "cacheWriteInputTokenCount": 30,
}


def folded(pieces, fold=bedrock.fold_invoked):
    """The answer after all pieces, with what it says, and what each of them brought."""
    answer = Answer(transcript=_content.Transcript())
    return answer, [fold(answer, piece) for piece in pieces]


def chunks(*bodies):
    return [{"chunk": {"bytes": json.dumps(body).encode()}} for body in bodies]


def delta(**part):
    return {"contentBlockDelta": {"contentBlockIndex": 0, "delta": part}}


# ---- Converse -----------------------------------------------------------------------------------------


def test_cached_tokens_are_a_part_of_the_input():
    """Bedrock counts them apart: 10 + 60 + 30 on the wire are 100 of the conventions."""
    answer, _ = folded([{"usage": USAGE, "stopReason": "end_turn"}], bedrock.fold_converse)
    assert answer.usage == TOLD
    assert answer.finish_reasons == {0: "end_turn"}


def test_usage_without_a_cache_says_nothing_of_one():
    answer, _ = folded([{"usage": {"inputTokens": 10, "outputTokens": 20}}], bedrock.fold_converse)
    assert answer.usage == Usage(input=10, output=20)


def test_an_answer_without_an_id_has_that_of_its_request():
    answer, _ = folded([{"ResponseMetadata": {"RequestId": "r_1"}, "stopReason": "end_turn"}], bedrock.fold_converse)
    assert (answer.id, answer.finish_reasons) == ("r_1", {0: "end_turn"})


def test_a_stream_of_events():
    answer, brought = folded(
        [
            {"messageStart": {"role": "assistant"}},
            delta(reasoningContent={"text": "Hm."}),
            delta(reasoningContent={"signature": "abc"}),
            {"contentBlockStop": {"contentBlockIndex": 0}},
            delta(text="Here."),
            {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t_1", "name": "find"}}}},
            {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"id":1}'}}}},
            {"messageStop": {"stopReason": "tool_use"}},
            {"metadata": {"usage": USAGE, "metrics": {"latencyMs": 9}}},
        ],
        bedrock.fold_converse,
    )
    assert brought == [NOTHING, REASONING, NOTHING, NOTHING, ANSWER, ANSWER, ANSWER, NOTHING, NOTHING]
    assert answer.reasoning_seen
    assert (answer.usage, answer.finish_reasons) == (TOLD, {0: "tool_use"})
    assert answer.transcript.messages({})[0]["parts"] == [
        {"type": "reasoning", "content": "Hm."},
        {"type": "text", "content": "Here."},
        {"type": "tool_call", "id": "t_1", "name": "find", "arguments": {"id": 1}},
    ]


def test_the_router_tells_which_model_it_chose():
    answer, _ = folded([{"metadata": {"trace": {"promptRouter": {"invokedModelId": "nova"}}}}], bedrock.fold_converse)
    assert answer.model == "nova"


def test_the_parameters_of_converse():
    asked = converse.asked(
        {
            "inferenceConfig": {"maxTokens": 64, "temperature": 0, "topP": 0.9, "stopSequences": ["."]},
            "guardrailConfig": {"guardrailIdentifier": "g_1", "guardrailVersion": "1"},
        }
    )
    assert asked == {
        semconv.REQUEST_MAX_TOKENS: 64,
        semconv.REQUEST_TEMPERATURE: 0.0,
        semconv.REQUEST_TOP_P: 0.9,
        semconv.REQUEST_STOP_SEQUENCES: ["."],
        semconv.AWS_BEDROCK_GUARDRAIL_ID: "g_1",
    }


def test_the_content_of_converse():
    result = {"toolUseId": "t_1", "content": [{"text": "here"}]}
    content = converse.content(
        {
            "system": [{"text": "Be brief."}],
            "messages": [
                {
                    "role": "user",
                    "content": [{"text": "Where?"}, {"image": {"format": "png", "source": {"bytes": b"."}}}],
                },
                {
                    "role": "assistant",
                    "content": [{"toolUse": {"toolUseId": "t_1", "name": "find", "input": {"id": 1}}}],
                },
                {"role": "user", "content": [{"toolResult": result}, {"cachePoint": {"type": "default"}}]},
            ],
            "toolConfig": {"tools": [{"toolSpec": {"name": "find", "inputSchema": {"json": {"type": "object"}}}}]},
        }
    )
    assert [[part["type"] for part in message["parts"]] for message in content.messages] == [
        ["text", "blob"],
        ["tool_call"],
        ["tool_call_response", "cachePoint"],
    ]
    assert content.system == [{"type": "text", "content": "Be brief."}]
    assert content.tools == [{"type": "function", "name": "find", "parameters": {"type": "object"}}]


# ---- Models invoked with bodies of their own ----------------------------------------------------------

LLAMA = {"generation": "Here.", "prompt_token_count": 10, "generation_token_count": 20, "stop_reason": "stop"}
TITAN = {
    "inputTextTokenCount": 10,
    "results": [{"tokenCount": 20, "outputText": "Here.", "completionReason": "FINISH"}],
}
MISTRAL = {"outputs": [{"text": "Here.", "stop_reason": "stop"}]}
CHOICES = {
    "id": "c_1",
    "choices": [{"index": 0, "message": {"content": "Here."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 20},
}
COHERE = {"generation_id": "g_1", "text": "Here.", "finish_reason": "COMPLETE"}
NOVA = {
    "output": {"message": {"content": [{"text": "Here."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 10, "outputTokens": 20, "cacheReadInputTokenCount": 0},
}
CLAUDE = {
    "type": "message",
    "id": "msg_1",
    "content": [{"type": "text", "text": "Here."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 10, "output_tokens": 20},
}


@pytest.mark.parametrize(
    ("body", "tokens", "reason"),
    [
        (LLAMA, (10, 20), "stop"),
        (TITAN, (10, 20), "FINISH"),
        (MISTRAL, (None, None), "stop"),
        (CHOICES, (10, 20), "stop"),
        (COHERE, (None, None), "COMPLETE"),
        (NOVA, (10, 20), "end_turn"),
        (CLAUDE, (10, 20), "end_turn"),
    ],
    ids=["llama", "titan", "mistral", "choices", "cohere", "nova", "claude"],
)
def test_each_family_of_models_is_known_by_the_form_of_its_answer(body, tokens, reason):
    answer, _ = folded([body])
    assert (answer.usage.input, answer.usage.output) == tokens
    assert answer.finish_reasons == {0: reason}
    assert answer.transcript.messages({})[0]["parts"] == [{"type": "text", "content": "Here."}]


@pytest.mark.parametrize(
    "pieces",
    [
        ({"generation": "He", "prompt_token_count": 10}, {"generation": "re.", "stop_reason": "stop"}),
        ({"outputs": [{"text": "He"}]}, {"outputs": [{"text": "re.", "stop_reason": "stop"}]}),
        ({"outputText": "He"}, {"outputText": "re.", "completionReason": "stop"}),
    ],
    ids=["llama", "mistral", "titan"],
)
def test_a_stream_of_a_completion_ends_with_what_bedrock_counts(pieces):
    *first, last = pieces
    answer, brought = folded(chunks(*first, {**last, "amazon-bedrock-invocationMetrics": COUNTS}))
    assert brought == [ANSWER, ANSWER]
    assert (answer.usage, answer.finish_reasons) == (TOLD, {0: "stop"})


def test_the_headers_tell_the_usage_of_a_body_that_nobody_reads():
    headers = {
        "x-amzn-bedrock-input-token-count": "10",
        "x-amzn-bedrock-output-token-count": "20",
        "x-amzn-bedrock-cache-read-input-token-count": "60",
        "x-amzn-bedrock-cache-write-input-token-count": "30",
    }
    answer, _ = folded([{"ResponseMetadata": {"RequestId": "r_1", "HTTPHeaders": headers}}])
    assert (answer.id, answer.usage) == ("r_1", TOLD)


def test_the_id_of_the_model_s_own_answer_is_the_answer_s():
    metadata = {"ResponseMetadata": {"RequestId": "r_1", "HTTPHeaders": {}}}
    assert folded([metadata, CHOICES])[0].id == "c_1"
    assert folded([metadata, LLAMA])[0].id == "r_1"


@pytest.mark.parametrize(
    ("model", "body", "messages"),
    [
        ("anthropic.claude", {"anthropic_version": "1", "system": "Be brief.", "messages": []}, 0),
        ("amazon.nova", {"messages": [{"role": "user", "content": [{"text": "Where?"}]}]}, 1),
        ("openai.gpt-oss", {"messages": [{"role": "user", "content": "Where?"}]}, 1),
        ("meta.llama", {"prompt": "Where?"}, 1),
        ("amazon.titan-text", {"inputText": "Where?"}, 1),
        ("cohere.command-r", {"message": "Where?", "chat_history": [{"role": "USER", "message": "Hi."}]}, 2),
    ],
)
def test_the_content_of_each_family(model, body, messages):
    content = bedrock.invoked_content(bedrock.Invocation({"modelId": model, "body": json.dumps(body)}))
    assert len(content.messages) == messages
    assert all(message["parts"][0]["content"] in ("Where?", "Hi.") for message in content.messages)


@pytest.mark.parametrize(
    "body", [io.BytesIO(b"{}"), b"no JSON", b"[]", b" " * (2 << 20), None], ids=lambda body: type(body).__name__
)
def test_a_body_that_is_not_read_leaves_the_parameters_of_the_call(body):
    invocation = bedrock.Invocation({"modelId": "m", "guardrailIdentifier": "g_1", "body": body})
    assert bedrock.invoked_asked(invocation) == {semconv.AWS_BEDROCK_GUARDRAIL_ID: "g_1"}
    assert bedrock.model(invocation) == "m"


def test_parameters_are_found_where_each_model_has_them():
    def asked(**body):
        return bedrock.invoked_asked(bedrock.Invocation({"modelId": "m", "body": json.dumps(body)}))

    assert asked(max_gen_len=9) == asked(max_tokens=9) == {semconv.REQUEST_MAX_TOKENS: 9}
    assert asked(textGenerationConfig={"maxTokenCount": 9}) == asked(inferenceConfig={"maxTokens": 9})


# ---- The client ---------------------------------------------------------------------------------------


def client_of(loopback, service="bedrock-runtime"):
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=loopback.url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def client(loopback):
    loopback.behaviour = Behaviour(input_tokens=100, output_tokens=20)
    with contextlib.closing(client_of(loopback)) as client:
        yield client


MESSAGES = [{"role": "user", "content": [{"text": "Where?"}]}]


def invoke(client):
    return client.invoke_model(modelId="anthropic.claude-x", body=json.dumps({"messages": []}))["body"]


def test_the_streams_of_a_response_stay_botocore_s_own(client, spans):
    stream = client.converse_stream(modelId="nova", messages=MESSAGES)["stream"]
    body = invoke(client)
    assert isinstance(stream, EventStream)
    assert isinstance(body, StreamingBody)
    list(stream)
    body.close()


def test_a_body_that_the_app_has_not_read_is_not_read_for_it(client, spans):
    body = invoke(client)
    assert body.tell() == 0
    assert not spans()
    body.close()
    (span,) = spans()
    assert span.attributes[semconv.STREAM_ENDING] == semconv.CLOSED
    assert span.attributes[semconv.USAGE_INPUT_TOKENS] == 100


def test_a_body_that_is_dropped_unread_ends_its_call(client, ended):
    body = invoke(client)
    weakref.finalize(body, body._raw_stream.close)  # or Python would warn of its socket
    del body
    gc.collect()
    ended(semconv.ABANDONED)


def test_a_body_that_is_cut_is_an_error(client, spans, loopback):
    loopback.behaviour = Behaviour(cut_after=1)
    with pytest.raises(Exception, match="Connection broken"):
        invoke(client).read()
    (span,) = spans()
    assert span.status.status_code is StatusCode.ERROR


def test_the_vectors_of_an_embedding_are_not_even_waited_for(client, spans):
    response = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "Where?"}))
    (span,) = spans()
    assert span.attributes[semconv.OPERATION_NAME] == semconv.EMBEDDINGS
    assert response["body"].read()


def test_a_stream_that_is_read_in_two_loops_is_one_call(client, spans):
    stream = client.converse_stream(modelId="nova", messages=MESSAGES)["stream"]
    for event in stream:
        if "contentBlockDelta" in event:
            break
    assert not spans()
    list(stream)
    (span,) = spans()
    assert span.attributes[semconv.STREAM_ENDING] == semconv.COMPLETE
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] == 20


def test_other_services_of_amazon_are_none_of_ours(loopback, spans):
    loopback.behaviour = Behaviour()
    with contextlib.closing(client_of(loopback, "s3")) as client, pytest.raises(client.exceptions.ClientError):
        client.list_buckets()
    assert not spans()


def test_anthropic_s_client_for_bedrock_makes_one_span(loopback, spans):
    loopback.behaviour = Behaviour()
    with anthropic.AnthropicBedrock(
        base_url=loopback.url, aws_region="eu-west-1", aws_access_key="any", aws_secret_key="any"
    ) as client:
        client.messages.create(model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "Where?"}])
    assert len(spans()) == 1


def test_uninstrument_leaves_botocore_as_it_was(client):
    original = BaseClient._make_api_call
    llmvitals.instrument()
    llmvitals.uninstrument()
    assert BaseClient._make_api_call is original
