"""Bedrock's wire formats, as boto3 and Anthropic's client for Bedrock find them."""

import json
import zlib
from contextlib import closing

import anthropic
import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError, ResponseStreamingError
from urllib3.exceptions import ProtocolError

from llmvitals_collector.demo import eventstream
from llmvitals_collector.demo.behaviour import Behaviour

NOVA = "amazon.nova-lite-v1:0"
CLAUDE = "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "Where is my order?"}]}]
TOOLS = {"tools": [{"toolSpec": {"name": "find", "inputSchema": {"json": {"type": "object"}}}}]}
TEXT = "Thank you for asking."
CACHED = Behaviour(input_tokens=100, cache_read_tokens=60, cache_write_tokens=30, output_tokens=4)


@pytest.fixture(scope="module")
def bedrock(loopback):
    client = boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=loopback.url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


@pytest.fixture(scope="module")
def claude(loopback):
    with anthropic.AnthropicBedrock(
        base_url=loopback.url, aws_region="eu-west-1", aws_access_key="any", aws_secret_key="any", max_retries=0
    ) as client:
        yield client


def converse(bedrock, **options):
    return bedrock.converse(modelId=NOVA, messages=MESSAGES, **options)


def converse_stream(bedrock, **options):
    with closing(bedrock.converse_stream(modelId=NOVA, messages=MESSAGES, **options)["stream"]) as stream:
        return list(stream)


def invoke(bedrock, model=NOVA, **body):
    with closing(bedrock.invoke_model(modelId=model, body=json.dumps(body))["body"]) as answer:
        return json.loads(answer.read())


def invoke_stream(bedrock, model=NOVA, **body):
    response = bedrock.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    assert response["contentType"] == "application/json"
    with closing(response["body"]) as stream:
        return [json.loads(event["chunk"]["bytes"]) for event in stream]


CALLS = {"converse": converse, "invoke": invoke, "converse stream": converse_stream, "invoke stream": invoke_stream}
STREAMS = [name for name in CALLS if name.endswith("stream")]


def test_a_message_has_lengths_and_checksums_at_both_ends_as_botocore_checks_them():
    framed = eventstream.event("metadata", {"text": "é"}).data
    buffer = EventStreamBuffer()
    buffer.add_data(framed)
    [message] = buffer
    assert message.headers == {
        ":event-type": "metadata",
        ":message-type": "event",
        ":content-type": "application/json",
    }
    assert json.loads(message.payload) == {"text": "é"}
    assert int.from_bytes(framed[8:12]) == zlib.crc32(framed[:8])
    assert int.from_bytes(framed[-4:]) == zlib.crc32(framed[:-4])


def test_converse_counts_the_cached_tokens_beside_the_input_and_in_the_total(bedrock, behave):
    behave(CACHED)
    answer = converse(bedrock)
    assert answer["output"]["message"]["content"] == [{"text": TEXT}]
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"] == {
        "inputTokens": 10,
        "outputTokens": 4,
        "totalTokens": 104,
        "cacheReadInputTokens": 60,
        "cacheWriteInputTokens": 30,
    }
    assert answer["ResponseMetadata"]["RequestId"]


def test_a_converse_stream_ends_with_how_it_ended_and_the_usage(bedrock, behave):
    behave(Behaviour(output_tokens=4, first_token_seconds=0.01))
    start, *texts, block_end, stop, metadata = converse_stream(bedrock)
    assert start == {"messageStart": {"role": "assistant"}}
    assert "".join(event["contentBlockDelta"]["delta"]["text"] for event in texts) == TEXT
    assert block_end == {"contentBlockStop": {"contentBlockIndex": 0}}
    assert stop == {"messageStop": {"stopReason": "end_turn"}}
    assert metadata["metadata"]["usage"]["outputTokens"] == 4
    assert metadata["metadata"]["metrics"] == {"latencyMs": 10}


def test_converse_streams_reasoning_its_signature_and_then_the_text(bedrock, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3, reasoning_streamed=True))
    thought, text = converse(bedrock)["output"]["message"]["content"]
    assert (thought["reasoningContent"]["reasoningText"]["text"], text["text"]) == ("The customer wants", TEXT)
    deltas = [event["contentBlockDelta"] for event in converse_stream(bedrock) if "contentBlockDelta" in event]
    assert [delta["contentBlockIndex"] for delta in deltas] == [0] * 4 + [1] * 4
    assert [next(iter(delta["delta"].get("reasoningContent", {})), "") for delta in deltas[:5]] == [
        *["text"] * 3,
        "signature",
        "",
    ]


def test_hidden_reasoning_is_counted_in_the_output_but_not_told(bedrock, behave):
    behave(Behaviour(output_tokens=7, reasoning_tokens=3))
    answer = converse(bedrock)
    assert answer["output"]["message"]["content"] == [{"text": TEXT}]
    assert answer["usage"]["outputTokens"] == 7


def test_converse_streams_a_tool_call_of_the_first_tool_in_pieces(bedrock, behave):
    behave(Behaviour(tool_call=True))
    answer = converse(bedrock, toolConfig=TOOLS)
    _, start, *pieces, _, stop, _ = converse_stream(bedrock, toolConfig=TOOLS)
    [block] = answer["output"]["message"]["content"]
    assert start["contentBlockStart"]["start"]["toolUse"]["name"] == block["toolUse"]["name"] == "find"
    arguments = "".join(piece["contentBlockDelta"]["delta"]["toolUse"]["input"] for piece in pieces)
    assert json.loads(arguments) == block["toolUse"]["input"]
    assert stop["messageStop"]["stopReason"] == answer["stopReason"] == "tool_use"


def test_a_refusal_is_filtered_content(bedrock, behave):
    behave(Behaviour(refusal=True))
    assert converse(bedrock)["stopReason"] == invoke(bedrock)["stopReason"] == "content_filtered"
    assert invoke(bedrock, CLAUDE)["stop_reason"] == "refusal"


def test_usage_can_be_missing_everywhere(bedrock, behave):
    behave(Behaviour(usage_missing=True))
    for name in CALLS:
        told = str(CALLS[name](bedrock))
        assert "outputTokens" not in told
        assert "invocationMetrics" not in told
        assert "token-count" not in told


def test_nova_has_the_bodies_of_converse_but_other_names_for_cached_tokens(bedrock, behave):
    behave(CACHED)
    usage = {
        "inputTokens": 10,
        "outputTokens": 4,
        "totalTokens": 104,
        "cacheReadInputTokenCount": 60,
        "cacheWriteInputTokenCount": 30,
    }
    answer = invoke(bedrock)
    assert answer["output"]["message"]["content"] == [{"text": TEXT}]
    assert answer["usage"] == usage
    *events, last = invoke_stream(bedrock)
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(texts) == TEXT
    assert last["metadata"]["usage"] == usage
    assert last["amazon-bedrock-invocationMetrics"]["cacheReadInputTokenCount"] == 60


def test_claude_has_the_bodies_of_its_own_api_and_bedrocks_counts_in_the_last(bedrock, behave):
    behave(CACHED)
    answer = invoke(bedrock, CLAUDE)
    assert answer["content"] == [{"type": "text", "text": TEXT}]
    assert (answer["usage"]["input_tokens"], answer["usage"]["cache_read_input_tokens"]) == (10, 60)
    first, *events, last = invoke_stream(bedrock, CLAUDE)
    assert first["message"]["usage"]["input_tokens"] == 10
    assert "".join(event["delta"].get("text", "") for event in events if "delta" in event) == TEXT
    assert "ping" not in [event["type"] for event in events]
    assert (last["type"], last["amazon-bedrock-invocationMetrics"]["inputTokenCount"]) == ("message_stop", 10)


def test_a_whole_answer_of_invoke_has_the_counts_in_its_headers(bedrock, behave):
    behave(CACHED)
    response = bedrock.invoke_model(modelId=NOVA, body="{}")
    response["body"].close()
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-bedrock-input-token-count"] == "10"
    assert headers["x-amzn-bedrock-output-token-count"] == "4"


def test_anthropics_client_for_bedrock_reads_both_whole_and_streamed(claude, behave):
    behave(CACHED)
    options = {"model": CLAUDE, "max_tokens": 64, "messages": [{"role": "user", "content": "Where is my order?"}]}
    with claude.messages.stream(**options) as stream:
        streamed = stream.get_final_message()
    for answer in (claude.messages.create(**options), streamed):
        assert answer.content[0].text == TEXT
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 4)
    behave(Behaviour(error_after=2))
    with pytest.raises(anthropic.APIStatusError), claude.messages.stream(**options) as stream:
        stream.get_final_message()


def test_titan_embeds_one_text_and_counts_its_tokens(bedrock, behave):
    behave(Behaviour(input_tokens=7))
    answer = invoke(bedrock, "amazon.titan-embed-text-v2:0", inputText="one", dimensions=4)
    assert answer == {"embedding": [0.5] * 4, "inputTextTokenCount": 7}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ValidationException"),
        (403, "AccessDeniedException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ],
)
def test_errors_are_exceptions_of_bedrock(bedrock, behave, name, status, code):
    behave(Behaviour(status=status))
    with pytest.raises(ClientError) as raised:
        CALLS[name](bedrock)
    assert isinstance(raised.value, getattr(bedrock.exceptions, code))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert raised.value.response["Error"]["Message"]


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
    ("status", "code"),
    [(None, "modelStreamErrorException"), (429, "throttlingException"), (500, "internalServerException")],
)
def test_a_stream_that_breaks_raises_an_exception_of_the_stream(bedrock, behave, name, status, code):
    behave(Behaviour(error_after=2, error_status=status))
    with pytest.raises(EventStreamError, match="The server had an error") as raised:
        CALLS[name](bedrock)
    assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("name", ["invoke", *STREAMS])
def test_an_answer_that_is_cut_raises_what_reading_it_raises(bedrock, behave, name, loopback):
    behave(Behaviour(cut_after=2))
    with pytest.raises((ProtocolError, ResponseStreamingError)):
        CALLS[name](bedrock)
    [served] = loopback.served
    assert (served.completed, served.first_token_at is None) == (False, name not in STREAMS)


def test_a_whole_converse_answer_that_is_cut_seems_to_boto3_to_be_an_answer_without_content(bedrock, behave, loopback):
    """Its body is no JSON; botocore 1.44 takes that for a message, and does not compare its length."""
    behave(Behaviour(cut_after=0))
    assert set(converse(bedrock)) == {"ResponseMetadata"}
    assert [served.completed for served in loopback.served] == [False]
