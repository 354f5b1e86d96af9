"""What a request to Gemini asks for, and what its answers say: pure functions over what the client hands out."""

import pytest
from google.genai import types

from llmvitals import _measure, semconv
from llmvitals._adapter import ANSWER, NOTHING, REASONING, Answer, Usage
from llmvitals._content import Transcript
from llmvitals.formats import generate_content
from llmvitals.providers import google_genai

USAGE = {
    "prompt_token_count": 100,
    "cached_content_token_count": 60,
    "tool_use_prompt_token_count": 7,
    "candidates_token_count": 15,
    "thoughts_token_count": 5,
}


def chunk(*parts, finish=None, **more):
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finish_reason": finish}], **more}


def folded(pieces, transcript=None):
    """The answer after all pieces, and what each of them brought."""
    answer = Answer(transcript=transcript)
    return answer, [generate_content.fold(answer, piece) for piece in pieces]


def test_thoughts_are_a_part_of_the_output_and_what_tools_said_is_a_part_of_the_input():
    """Google counts them apart: 15 + 5 and 100 + 7 on the wire; cached tokens are in the 100 already."""
    answer, _ = folded([chunk({"text": "Hi"}, usage_metadata=USAGE)])
    assert answer.usage == Usage(input=107, output=20, cache_read=60, reasoning=5)


def test_what_is_not_told_stays_unknown():
    answer, _ = folded([chunk({"text": "Hi"}, usage_metadata={"prompt_token_count": 3})])
    assert answer.usage == Usage(input=3)


def test_a_stream_of_chunks():
    answer, brought = folded(
        [
            chunk({"text": "Hm", "thought": True}, response_id="r-1", model_version="gemini-x-001"),
            chunk({"text": "Hi"}, response_id="r-1"),
            chunk({"function_call": {"name": "look", "args": {}}}),
            chunk({"text": ""}, finish="STOP"),
        ]
    )
    assert brought == [REASONING, ANSWER, ANSWER, NOTHING]
    assert answer.reasoning_seen
    assert (answer.id, answer.model, answer.finish_reasons) == ("r-1", "gemini-x-001", {0: "STOP"})


def test_a_chunk_with_a_thought_and_an_answer_is_an_answer():
    assert folded([chunk({"text": "Hm", "thought": True}, {"text": "Hi"})])[1] == [ANSWER]


def test_each_candidate_has_its_own_finish_reason():
    candidates = [types.Candidate(finish_reason="STOP"), types.Candidate(finish_reason="MAX_TOKENS", index=1)]
    answer, _ = folded([types.GenerateContentResponse(candidates=candidates)])
    assert answer.finish_reasons == {0: "STOP", 1: "MAX_TOKENS"}
    assert {type(reason) for reason in answer.finish_reasons.values()} == {str}, "as it is on the wire, and no enum"


def test_a_prompt_that_is_blocked_says_why():
    answer, brought = folded([{"prompt_feedback": {"block_reason": "PROHIBITED_CONTENT"}, "usage_metadata": USAGE}])
    assert (answer.finish_reasons, brought, answer.usage.input) == ({0: "PROHIBITED_CONTENT"}, [NOTHING], 107)


def test_an_answer_that_the_app_asked_for_as_it_is_on_the_wire():
    body = '{"candidates": [{"finishReason": "STOP"}], "responseId": "r-1", "usageMetadata": {"promptTokenCount": 9}}'
    answer, _ = folded([types.GenerateContentResponse(sdk_http_response=types.HttpResponse(body=body))])
    assert (answer.id, answer.finish_reasons, answer.usage.input) == ("r-1", {0: "STOP"}, 9)


@pytest.mark.parametrize("piece", [{}, {"candidates": []}, {"candidates": [{}]}, {"candidates": [{"content": {}}]}])
def test_odd_chunks_fold_to_nothing(piece):
    assert folded([piece]) == (Answer(), [NOTHING])


def test_an_answer_is_written_down_by_its_parts():
    transcript = Transcript()
    call = {"function_call": {"id": "c-1", "name": "look", "args": {"at": "it"}}}
    answer, _ = folded(
        [chunk({"text": "Hm", "thought": True}), chunk({"text": "H"}), chunk({"text": "i"}, call)], transcript
    )
    assert transcript.messages(answer.finish_reasons) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm"},
                {"type": "text", "content": "Hi"},
                {"type": "tool_call", "id": "c-1", "name": "look", "arguments": {"at": "it"}},
            ],
            "finish_reason": "error",
        }
    ]


# ---- Requests ----------------------------------------------------------------------------------------------

CONFIG = {
    "temperature": 1,
    "top_k": 40,
    "candidate_count": 2,
    "max_output_tokens": 50,
    "stop_sequences": ["END"],
    "response_mime_type": "application/json",
    "thinking_config": {"thinking_level": "LOW"},
}


@pytest.mark.parametrize("config", [CONFIG, types.GenerateContentConfig(**CONFIG)], ids=["dict", "model"])
def test_what_a_request_asks_for(config):
    assert generate_content.asked({"model": "gemini-x", "contents": "secret", "config": config}) == {
        semconv.REQUEST_TEMPERATURE: 1.0,
        semconv.REQUEST_TOP_K: 40.0,
        semconv.REQUEST_CHOICE_COUNT: 2,
        semconv.REQUEST_MAX_TOKENS: 50,
        semconv.REQUEST_STOP_SEQUENCES: ["END"],
        semconv.OUTPUT_TYPE: "json",
        semconv.REQUEST_REASONING_LEVEL: "LOW",
    }


def test_a_request_without_a_configuration_asks_for_nothing():
    assert generate_content.asked({"model": "gemini-x", "contents": "secret", "config": None}) == {}


@pytest.mark.parametrize(
    "named", ["gemini-x", "models/gemini-x", "projects/p/locations/l/publishers/google/models/gemini-x"]
)
def test_a_model_has_one_name_wherever_it_is(named):
    assert google_genai.model({"model": named}) == "gemini-x"


def test_the_content_of_a_request():
    def look(at: str) -> str:
        """Look at it."""

    declared = types.FunctionDeclaration(name="see", description="See it.", parameters=types.Schema(type="OBJECT"))
    messages, system, tools = generate_content.content(
        {
            "contents": [
                "Where",
                types.Part(text="is it?"),
                types.Content(role="model", parts=[types.Part(function_call={"name": "look", "args": {"at": "it"}})]),
                {"role": "user", "parts": [{"function_response": {"name": "look", "response": {"result": "here"}}}]},
                types.Part.from_uri(file_uri="gs://it.png", mime_type="image/png"),
                types.Part.from_bytes(data=b"secret", mime_type="image/png"),
            ],
            "config": types.GenerateContentConfig(
                system_instruction="Be kind", tools=[look, types.Tool(function_declarations=[declared])]
            ),
        }
    )
    assert messages == [
        {"role": "user", "parts": [{"type": "text", "content": "Where"}, {"type": "text", "content": "is it?"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": None, "name": "look", "arguments": {"at": "it"}}]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": None, "response": {"result": "here"}}]},
        {
            "role": "user",
            "parts": [
                {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "gs://it.png"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
            ],
        },
    ]
    assert system == [{"type": "text", "content": "Be kind"}]
    assert tools == [
        {"type": "function", "name": "look", "description": "Look at it."},
        {"type": "function", "name": "see", "description": "See it.", "parameters": {"type": "OBJECT"}},
    ]


# ---- Embeddings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("piece", "tokens"),
    [
        ({"embeddings": [{"values": [0.1]}], "usage_metadata": {"prompt_token_count": 5}}, 5),
        ({"embeddings": [{"statistics": {"token_count": 2.0}}, {"statistics": {"token_count": 3.0}}]}, 5),
        ({"embeddings": [{"values": [0.1]}]}, None),
    ],
    ids=["told for all", "told for each", "not told"],
)
def test_the_tokens_of_a_batch_of_embeddings(piece, tokens):
    answer = Answer()
    assert google_genai.fold_embeddings(answer, piece) == NOTHING
    assert answer.usage == Usage(input=tokens)


def test_the_dimensions_that_are_asked_for():
    config = types.EmbedContentConfig(output_dimensionality=64)
    assert google_genai.embeddings_asked({"config": config}) == {semconv.EMBEDDINGS_DIMENSION_COUNT: 64}


def test_the_system_instruction_is_a_part_of_the_input():
    operation = google_genai.ADAPTERS[0].operations["Models._generate_content"]
    body = {"contents": ["Where?", "When?"], "config": types.GenerateContentConfig(system_instruction="Be kind")}
    assert _measure.input_size(body, operation.input) == {semconv.INPUT_COUNT: 3, semconv.INPUT_CHARACTERS: 18}
