"""What requests hold, in the conventions' forms: pure functions from a body on the wire to messages and tools.

The forms: https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-input-messages.json ff.
"""

import json

import pytest

from llmvitals._adapter import Answer
from llmvitals._content import Content, Transcript
from llmvitals.formats import chat_completions, completions, embeddings, messages, responses

BYTES = "aGVsbG8gd29ybGQ="
ROLES = {"system", "user", "assistant", "tool"}
MODALITIES = {"image", "video", "audio", "document"}
# What a part of each type has besides it; of other types the forms say nothing.
PARTS = {
    "text": {"content"},
    "reasoning": {"content"},
    "tool_call": {"id", "name", "arguments"},
    "tool_call_response": {"id", "response"},
    "server_tool_call": {"id", "name", "server_tool_call"},
    "server_tool_call_response": {"id", "server_tool_call_response"},
    "blob": {"mime_type", "modality", "content"},
    "file": {"mime_type", "modality", "file_id"},
    "uri": {"mime_type", "modality", "uri"},
    "compaction": set(),
}


def conventional(content):
    """The content, of which every form is checked."""
    assert isinstance(content, Content)
    for message in content.messages:
        assert message.keys() == {"role", "parts"}
        assert message["role"] in ROLES
    for part in [*content.system, *(part for message in content.messages for part in message["parts"])]:
        check_part(part)
    for tool in content.tools:
        assert isinstance(tool["type"], str)
        assert isinstance(tool["name"], str)
        assert tool.keys() <= {"type", "name", "description", "parameters"}
        assert None not in tool.values()
    assert BYTES not in json.dumps(content)
    return content


def check_part(part):
    assert part.keys() - {"type"} == PARTS.get(part["type"], set())
    if part["type"] in ("text", "reasoning"):
        assert isinstance(part["content"], str)
    if part["type"] in ("blob", "file", "uri"):
        assert part["modality"] in MODALITIES
        assert part["mime_type"] is None or "/" in part["mime_type"]


def parts(content):
    return [part for message in conventional(content).messages for part in message["parts"]]


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (chat_completions.content, {"messages": None, "tools": None}),
        (chat_completions.content, {"messages": [{"role": "user"}, {"role": "assistant", "content": None}]}),
        (completions.content, {"prompt": [1, 2, 3]}),
        (embeddings.content, {"input": [[1, 2], [3]]}),
        (messages.content, {}),
        (responses.content, {"input": None, "prompt": {"id": "p"}}),
    ],
    ids=lambda value: getattr(value, "__module__", ""),
)
def test_a_request_without_text_has_no_parts(read, body):
    assert parts(read(body)) == []


class TestChatCompletions:
    def test_each_kind_of_part(self):
        told = [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BYTES}"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "input_audio", "input_audio": {"data": BYTES, "format": "wav"}},
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{BYTES}", "filename": "a.pdf"}},
            {"type": "file", "file": {"file_data": BYTES}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "refusal", "refusal": "No"},
            {"type": "unheard_of", "data": BYTES},
        ]
        assert parts(chat_completions.content({"messages": [{"role": "user", "content": told}]})) == [
            {"type": "text", "content": "Look"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
            {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": ""},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": ""},
            {"type": "blob", "modality": "document", "mime_type": None, "content": ""},
            {"type": "file", "modality": "document", "mime_type": None, "file_id": "file-1"},
            {"type": "text", "content": "No"},
            {"type": "unheard_of"},
        ]

    def test_tool_calls_and_their_responses(self):
        calls = [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"x": 1}'}},
            {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{broken"}},
            {"id": "c3", "type": "custom", "custom": {"name": "run", "input": "ls"}},
        ]
        asked = [
            {"role": "assistant", "content": "", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "7"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "eight"}]},
        ]
        assert parts(chat_completions.content({"messages": asked})) == [
            {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"x": 1}},
            {"type": "tool_call", "id": "c2", "name": "look", "arguments": "{broken"},
            {"type": "tool_call", "id": "c3", "name": "run", "arguments": "ls"},
            {"type": "tool_call_response", "id": "c1", "response": "7"},
            {"type": "tool_call_response", "id": "c2", "response": "eight"},
        ]

    def test_tools(self):
        function = {"name": "look", "description": None, "parameters": {"type": "object"}, "strict": True}
        tools = [
            {"type": "function", "function": function},
            {"type": "custom", "custom": {"name": "run"}},
            {"type": "other"},
        ]
        assert conventional(chat_completions.content({"tools": tools})).tools == [
            {"type": "function", "name": "look", "parameters": {"type": "object"}},
            {"type": "custom", "name": "run"},
            {"type": "other", "name": "other"},
        ]


class TestMessages:
    def test_each_kind_of_block(self):
        document = {"type": "base64", "media_type": "application/pdf", "data": BYTES}
        result = [{"type": "text", "text": "7"}, {"type": "image", "source": {"type": "base64", "data": BYTES}}]
        asked = [
            {"role": "user", "content": [{"type": "document", "source": document}]},
            {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://example.com/a"}}]},
            {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "file_1"}}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": BYTES},
                    {"type": "redacted_thinking", "data": BYTES},
                    {"type": "tool_use", "id": "t1", "name": "look", "input": {"x": 1}},
                    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
                    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"encrypted_content": BYTES}]},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": result}]},
        ]
        content = messages.content({"system": [{"type": "text", "text": "Be kind."}], "messages": asked})
        assert content.system == [{"type": "text", "content": "Be kind."}]
        assert parts(content) == [
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": ""},
            {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a"},
            {"type": "file", "modality": "image", "mime_type": None, "file_id": "file_1"},
            {"type": "reasoning", "content": "hm"},
            {"type": "redacted_thinking"},
            {"type": "tool_call", "id": "t1", "name": "look", "arguments": {"x": 1}},
            {
                "type": "server_tool_call",
                "id": "s1",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"query": "q"}},
            },
            {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": {"type": "web_search"}},
            {
                "type": "tool_call_response",
                "id": "t1",
                "response": [
                    {"type": "text", "content": "7"},
                    {"type": "blob", "modality": "image", "mime_type": None, "content": ""},
                ],
            },
        ]

    def test_tools(self):
        tools = [{"name": "look", "input_schema": {"type": "object"}}, {"type": "bash_20250124", "name": "bash"}]
        assert conventional(messages.content({"tools": tools})).tools == [
            {"type": "function", "name": "look", "parameters": {"type": "object"}},
            {"type": "bash_20250124", "name": "bash"},
        ]

    def test_an_answer_with_tools_is_the_same_whole_and_streamed(self):
        blocks = [
            {"type": "text", "text": "Let me look."},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"encrypted_content": BYTES}]},
            {"type": "text", "text": "And now"},
            {"type": "tool_use", "id": "t1", "name": "look", "input": {"x": 1}},
            {"type": "tool_use", "id": "t2", "name": "stop", "input": {}},
        ]
        events = []
        for index, block in enumerate(blocks):
            text, given = block.get("text"), json.dumps(block["input"]) if block.get("input") else ""
            begun = block | ({"text": ""} if text else {"input": {}} if "input" in block else {})
            events.append({"type": "content_block_start", "index": index, "content_block": begun})
            deltas = [{"type": "text_delta", "text": word} for word in text] if text else []
            deltas += [{"type": "input_json_delta", "partial_json": sign} for sign in given]
            events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        streamed = told(messages.fold, events)
        assert streamed == told(messages.fold, [{"type": "message", "content": blocks}])
        assert [part["type"] for part in streamed[0]["parts"]] == [
            *("text", "server_tool_call", "server_tool_call_response", "text", "tool_call", "tool_call")
        ]


class TestResponses:
    def test_each_kind_of_item(self):
        asked = [
            {"role": "developer", "content": "Be kind."},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{BYTES}"},
                    {"type": "input_image", "file_id": "file-1"},
                    {"type": "input_file", "file_data": BYTES, "filename": "a.pdf"},
                ],
            },
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": BYTES},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"x": 1}'},
            {"type": "function_call_output", "call_id": "c1", "output": "7"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "run", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "a"}]},
            {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "q"}},
            {"type": "image_generation_call", "id": "ig_1", "result": BYTES},
            {"type": "compaction", "encrypted_content": BYTES},
            {"type": "item_reference", "id": "msg_1"},
        ]
        content = responses.content({"instructions": "Answer.", "input": asked})
        assert content.system == [{"type": "text", "content": "Answer."}]
        assert parts(content) == [
            {"type": "text", "content": "Be kind."},
            {"type": "text", "content": "Look"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
            {"type": "file", "modality": "image", "mime_type": None, "file_id": "file-1"},
            {"type": "blob", "modality": "document", "mime_type": None, "content": ""},
            {"type": "text", "content": "No"},
            {"type": "reasoning", "content": "hm"},
            {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"x": 1}},
            {"type": "tool_call_response", "id": "c1", "response": "7"},
            {"type": "tool_call", "id": "c2", "name": "run", "arguments": "ls"},
            {"type": "tool_call_response", "id": "c2", "response": [{"type": "text", "content": "a"}]},
            {
                "type": "server_tool_call",
                "id": "ws_1",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"type": "search", "query": "q"}},
            },
            {
                "type": "server_tool_call",
                "id": "ig_1",
                "name": "image_generation",
                "server_tool_call": {"type": "image_generation", "arguments": None},
            },
            {"type": "compaction"},
            {"type": "item_reference"},
        ]

    def test_tools(self):
        tools = [{"type": "function", "name": "look", "parameters": {}, "strict": True}, {"type": "web_search"}]
        assert conventional(responses.content({"tools": tools})).tools == [
            {"type": "function", "name": "look", "parameters": {}},
            {"type": "web_search", "name": "web_search"},
        ]

    def test_an_answer_with_tools_is_the_same_whole_and_streamed(self):
        search = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "q"}}
        call = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"x": 1}'}
        output = [
            {"type": "reasoning", "summary": [{"text": "hm"}]},
            search,
            {"type": "message", "content": [{"type": "output_text", "text": "Let me look."}]},
            call,
        ]
        events = [
            {"type": "response.created", "response": {"output": []}},
            {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "h"},
            {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "m"},
            {"type": "response.output_item.added", "output_index": 1, "item": {"type": "web_search_call"}},
            {"type": "response.output_item.done", "output_index": 1, "item": search},
            {"type": "response.output_text.delta", "output_index": 2, "delta": "Let me "},
            {"type": "response.output_text.delta", "output_index": 2, "delta": "look."},
            {"type": "response.output_item.done", "output_index": 2, "item": output[2]},
            {"type": "response.output_item.added", "output_index": 3, "item": {**call, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", "output_index": 3, "delta": '{"x": '},
            {"type": "response.function_call_arguments.delta", "output_index": 3, "delta": "1}"},
            {"type": "response.output_item.done", "output_index": 3, "item": call},
        ]
        completed = {"type": "response.completed", "response": {"output": output}}
        streamed = told(responses.fold, events)
        assert streamed == told(responses.fold, [{"output": output}])
        assert streamed == told(responses.fold, [*events, completed])
        assert streamed == told(responses.fold, [completed]), "some hosts send the end alone"
        assert [part["type"] for part in streamed[0]["parts"]] == ["reasoning", "server_tool_call", "text", "tool_call"]


def told(fold, pieces):
    """The output messages of an answer that comes in these pieces."""
    answer = Answer(transcript=Transcript())
    for piece in pieces:
        fold(answer, piece)
    said = answer.transcript.messages(answer.finish_reasons)
    for part in (part for message in said for part in message["parts"]):
        check_part(part)
    assert BYTES not in json.dumps(said)
    return said


def test_a_chat_answer_is_the_same_whole_and_streamed():
    calls = [
        {"id": f"c{index}", "index": index, "function": {"name": "look", "arguments": '{"x": 1}'}} for index in (0, 1)
    ]
    said = {"role": "assistant", "reasoning_content": "hm", "content": "Let me look.", "tool_calls": calls}
    deltas = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "h"},
        {"reasoning_content": "m"},
        {"content": "Let me "},
        {"content": "look."},
        {"tool_calls": [{**calls[0], "function": {"name": "look", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x": 1}'}}]},
        {"tool_calls": [calls[1]]},
    ]
    chunks = [{"choices": [{"index": choice, "delta": delta}]} for delta in deltas for choice in (0, 1)]
    whole = {"choices": [{"index": choice, "message": said} for choice in (0, 1)]}
    streamed = told(chat_completions.fold, chunks)
    assert streamed == told(chat_completions.fold, [whole])
    assert [part["type"] for part in streamed[1]["parts"]] == ["reasoning", "text", "tool_call", "tool_call"]
