"""OpenAI's client: chat completions, Responses and embeddings, of OpenAI itself and of compatible hosts."""

from collections.abc import Mapping
from typing import Any

from llmvitals import _stainless, semconv
from llmvitals._adapter import (
    ANSWER,
    NOTHING,
    OUTPUT_TYPES,
    REASONING,
    Adapter,
    Answer,
    Attribute,
    Operation,
    Request,
    get,
    parameters,
)

_SAMPLING = {
    "temperature": (semconv.REQUEST_TEMPERATURE, float),
    "top_p": (semconv.REQUEST_TOP_P, float),
    "service_tier": (semconv.OPENAI_REQUEST_SERVICE_TIER, str),
}
_CHAT = {
    **_SAMPLING,
    "max_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "max_completion_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "frequency_penalty": (semconv.REQUEST_FREQUENCY_PENALTY, float),
    "presence_penalty": (semconv.REQUEST_PRESENCE_PENALTY, float),
    "seed": (semconv.REQUEST_SEED, int),
    "stop": (semconv.REQUEST_STOP_SEQUENCES, list),
    "reasoning_effort": (semconv.REQUEST_REASONING_LEVEL, str),
}
_RESPONSES = {
    **_SAMPLING,
    "max_output_tokens": (semconv.REQUEST_MAX_TOKENS, int),
    "previous_response_id": (semconv.REQUEST_PREVIOUS_RESPONSE_ID, str),
}
_EMBEDDINGS = {"dimensions": (semconv.EMBEDDINGS_DIMENSION_COUNT, int)}


def _request(body: Mapping[str, Any], attributes: dict[str, Attribute]) -> Request:
    model = body.get("model")
    return Request(str(model) if model is not None else None, body.get("stream") is True, attributes)


def _usage(answer: Answer, usage: Any, asked: str, said: str) -> None:
    """Take in a usage, whose two sides have other names in each API."""
    tokens = answer.usage
    tokens.input = get(usage, f"{asked}_tokens")
    tokens.output = get(usage, f"{said}_tokens")
    details = get(usage, f"{asked}_tokens_details")
    tokens.cache_read = get(details, "cached_tokens")
    tokens.cache_write = get(details, "cache_write_tokens")
    tokens.reasoning = get(get(usage, f"{said}_tokens_details"), "reasoning_tokens")


def _service_tier(answer: Answer, node: Any) -> None:
    tier = get(node, "service_tier")
    if isinstance(tier, str):
        answer.attributes[semconv.OPENAI_RESPONSE_SERVICE_TIER] = tier


# ---- Chat completions: https://platform.openai.com/docs/api-reference/chat ------------------------


def chat_request(body: Mapping[str, Any]) -> Request:
    attributes = parameters(body, _CHAT)
    attributes[semconv.OPENAI_API_TYPE] = "chat_completions"
    choices = body.get("n")
    if type(choices) is int and choices != 1:
        attributes[semconv.REQUEST_CHOICE_COUNT] = choices
    stop = body.get("stop")
    if isinstance(stop, str):
        attributes[semconv.REQUEST_STOP_SEQUENCES] = [stop]
    output_type = OUTPUT_TYPES.get(str(get(body.get("response_format"), "type")))
    if output_type:
        attributes[semconv.OUTPUT_TYPE] = output_type
    return _request(body, attributes)


def fold_chat(answer: Answer, piece: Any) -> int:
    """Fold a `chat.completion` or a `chat.completion.chunk`."""
    if answer.id is None:
        answer.id = get(piece, "id")
        answer.model = get(piece, "model")
    brings = NOTHING
    for choice in get(piece, "choices") or ():
        reason = get(choice, "finish_reason")
        if reason is not None:
            answer.finish_reasons.append(reason)
        delta = get(choice, "delta")
        if delta is not None:
            brings = max(brings, _delta(answer, delta))
    usage = get(piece, "usage")
    if usage is not None:
        _usage(answer, usage, asked="prompt", said="completion")
        _service_tier(answer, piece)
    return brings


def _delta(answer: Answer, delta: Any) -> int:
    if get(delta, "content") or get(delta, "tool_calls") or get(delta, "refusal"):
        return ANSWER
    # Not OpenAI's own: DeepSeek, vLLM and Groq say reasoning_content, OpenRouter says reasoning.
    if get(delta, "reasoning_content") or get(delta, "reasoning"):
        answer.reasoning_seen = True
        return REASONING
    return NOTHING


# ---- Responses: https://platform.openai.com/docs/api-reference/responses --------------------------


def responses_request(body: Mapping[str, Any]) -> Request:
    attributes = parameters(body, _RESPONSES)
    attributes[semconv.OPENAI_API_TYPE] = "responses"
    effort = get(body.get("reasoning"), "effort")
    if isinstance(effort, str):
        attributes[semconv.REQUEST_REASONING_LEVEL] = effort
    conversation = body.get("conversation")
    conversation = conversation if isinstance(conversation, str) else get(conversation, "id")
    if isinstance(conversation, str):
        attributes[semconv.CONVERSATION_ID] = conversation
    output_type = OUTPUT_TYPES.get(str(get(get(body.get("text"), "format"), "type")))
    if output_type:
        attributes[semconv.OUTPUT_TYPE] = output_type
    return _request(body, attributes)


def fold_responses(answer: Answer, piece: Any) -> int:
    """Fold a `response`, or one event of its stream."""
    event = get(piece, "type")
    if event is None:
        _response(answer, piece)
        return NOTHING
    if event.endswith(".delta"):
        if "reasoning" in event:
            answer.reasoning_seen = True
            return REASONING
        return ANSWER
    if event == "error":
        answer.error = get(piece, "code") or event
    response = get(piece, "response")
    if response is not None:
        _response(answer, response)
    return NOTHING


def _response(answer: Answer, response: Any) -> None:
    answer.id = get(response, "id")
    answer.model = get(response, "model")
    status = get(response, "status")
    if status == "failed":
        answer.error = get(get(response, "error"), "code") or status
    elif status in ("completed", "incomplete"):
        answer.finish_reasons = [get(get(response, "incomplete_details"), "reason") or "stop"]
    usage = get(response, "usage")
    if usage is not None:
        _usage(answer, usage, asked="input", said="output")
        _service_tier(answer, response)


# ---- Embeddings: https://platform.openai.com/docs/api-reference/embeddings ------------------------


def embeddings_request(body: Mapping[str, Any]) -> Request:
    attributes = parameters(body, _EMBEDDINGS)
    encoding = body.get("encoding_format")
    if isinstance(encoding, str):
        attributes[semconv.REQUEST_ENCODING_FORMATS] = [encoding]
    return _request(body, attributes)


def fold_embeddings(answer: Answer, piece: Any) -> int:
    """Fold a list of embeddings; the vectors are never looked at."""
    answer.model = get(piece, "model")
    answer.usage.input = get(get(piece, "usage"), "prompt_tokens")
    return NOTHING


ADAPTER = Adapter(
    provider="openai",
    module="openai._base_client",
    operations={
        "/chat/completions": Operation(semconv.CHAT, chat_request, fold_chat),
        "/responses": Operation(semconv.CHAT, responses_request, fold_responses),
        "/embeddings": Operation(semconv.EMBEDDINGS, embeddings_request, fold_embeddings),
    },
    install=_stainless.install,
)
