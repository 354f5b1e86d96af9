"""Mistral's answers: typed content, usage without being asked, and conversations that the provider keeps."""

import pytest
from mistralai.client.models import CompletionEvent, UsageInfo

from llmvitals import semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals._content import Transcript
from llmvitals.formats import mistral_chat, mistral_conversations
from llmvitals.providers import mistral

THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "Let us see"}]}]
CALLED = [{"id": "call-1", "index": 0, "function": {"name": "look_up", "arguments": '{"id": 1}'}}]


def chunk(delta, reason=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "cmpl-1", "model": "mistral-x", "choices": [choice], **more}


def dicts(piece):
    return piece


def models(piece):
    return CompletionEvent.model_validate({"data": piece})


@pytest.mark.parametrize("form", [dicts, models])
def test_a_stream_tells_reasoning_from_answer_by_the_type_of_its_content(form):
    usage = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
    usage["prompt_tokens_details"] = {"cached_tokens": 4}
    answer = Answer(transcript=Transcript())
    brings = [
        mistral_chat.fold(answer, form(piece))
        for piece in (
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": THOUGHT}),
            chunk({"content": "Here"}),
            chunk({"content": [{"type": "text", "text": " it is"}]}),
            chunk({"tool_calls": CALLED}),
            chunk({"content": ""}, "tool_calls", usage=usage),
        )
    ]
    assert brings == [NOTHING, REASONING, ANSWER, ANSWER, ANSWER, NOTHING]
    assert (answer.id, answer.model, answer.finish_reasons) == ("cmpl-1", "mistral-x", {0: "tool_calls"})
    assert answer.usage == Usage(input=12, output=7, cache_read=4)
    assert answer.reasoning_seen
    parts = answer.transcript.messages(answer.finish_reasons)[0]["parts"]
    assert [(part["type"], part.get("content", part.get("name"))) for part in parts] == [
        ("reasoning", "Let us see"),
        ("text", "Here it is"),
        ("tool_call", "look_up"),
    ]


def test_a_choice_that_ends_with_an_error_has_failed():
    answer = Answer()
    mistral_chat.fold(answer, chunk({"content": ""}, "error"))
    assert answer.error == "error"


def test_a_usage_that_is_not_told_is_not_zero():
    answer = Answer()
    mistral_chat.fold_usage(answer, UsageInfo())
    assert answer.usage == Usage()


def test_the_parameters_have_the_conventions_names():
    body = {"model": "m", "random_seed": 7, "top_k": 5, "temperature": 0, "stop": ".", "n": 2, "max_tokens": None}
    assert mistral_chat.asked(body) == {
        semconv.REQUEST_SEED: 7,
        semconv.REQUEST_TOP_K: 5.0,
        semconv.REQUEST_TEMPERATURE: 0.0,
        semconv.REQUEST_STOP_SEQUENCES: ["."],
        semconv.REQUEST_CHOICE_COUNT: 2,
    }
    assert mistral_chat.asked({"agent_id": "ag-1"}) == {semconv.AGENT_ID: "ag-1"}
    assert mistral.embeddings_asked({"output_dimension": 64}) == {semconv.EMBEDDINGS_DIMENSION_COUNT: 64}


def test_messages_that_can_be_read_only_once_are_left_to_the_client():
    messages = iter([{"role": "user", "content": "?"}])
    assert mistral_chat.content({"messages": messages}).messages == []
    assert next(messages)


def test_a_conversation_s_stream_tells_its_id_its_model_and_its_usage():
    answer = Answer()
    brings = [
        mistral_conversations.fold(answer, {"event": event["type"], "data": event})
        for event in (
            {"type": "conversation.response.started", "conversation_id": "conv-1"},
            {"type": "tool.execution.started", "name": "web_search"},
            {"type": "message.output.delta", "model": "mistral-x", "content": THOUGHT[0]},
            {"type": "message.output.delta", "model": "mistral-x", "content": "Here"},
            {"type": "function.call.delta", "tool_call_id": "c", "name": "look_up", "arguments": "{}"},
            {"type": "conversation.response.done", "usage": {"prompt_tokens": 9, "completion_tokens": 3}},
        )
    ]
    assert brings == [NOTHING, NOTHING, REASONING, ANSWER, ANSWER, NOTHING]
    assert answer.attributes == {semconv.CONVERSATION_ID: "conv-1"}
    assert answer.model == "mistral-x"
    assert answer.usage == Usage(input=9, output=3)


def test_a_conversation_s_error_event_is_an_error():
    answer = Answer()
    mistral_conversations.fold(answer, {"data": {"type": "conversation.response.error", "code": 3000, "message": "!"}})
    assert answer.error == "3000"


def test_a_whole_conversation_answer_is_written_down_entry_by_entry():
    outputs = [
        {"type": "message.output", "model": "mistral-x", "content": "Here"},
        {"type": "function.call", "tool_call_id": "c", "name": "look_up", "arguments": {"id": 1}},
    ]
    answer = Answer(transcript=Transcript())
    mistral_conversations.fold(answer, {"conversation_id": "conv-1", "outputs": outputs, "usage": {}})
    parts = answer.transcript.messages({})[0]["parts"]
    assert [part["type"] for part in parts] == ["text", "tool_call"]
    assert parts[1]["arguments"] == {"id": 1}


def test_what_is_added_to_a_conversation_becomes_messages():
    entries = [
        {"role": "user", "content": "Where?"},
        {"type": "function.result", "tool_call_id": "c", "result": "Here"},
    ]
    content = mistral_conversations.content({"inputs": entries, "instructions": "Be kind."})
    assert [message["role"] for message in content.messages] == ["user", "tool"]
    assert content.system == [{"type": "text", "content": "Be kind."}]
    (said,) = mistral_conversations.content({"inputs": "Where?"}).messages
    assert said == {"role": "user", "parts": [{"type": "text", "content": "Where?"}]}


def test_a_conversation_s_parameters_are_in_its_completion_args():
    body = {"conversation_id": "conv-1", "completion_args": {"temperature": 0.5, "random_seed": 3}}
    assert mistral_conversations.asked(body) == {
        semconv.CONVERSATION_ID: "conv-1",
        semconv.REQUEST_TEMPERATURE: 0.5,
        semconv.REQUEST_SEED: 3,
    }
