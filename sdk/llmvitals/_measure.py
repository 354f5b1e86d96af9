"""What is measured of a call, as the attributes of its span: its input's size, its answer, its stream."""

from typing import Any

from llmvitals import semconv
from llmvitals._adapter import Answer, Attribute, Body, get
from llmvitals._call import Call

_TEXTS = ("content", "text", "parts", "output", "arguments")  # where messages of any provider hold text, or more of it


def input_size(body: Body, names: tuple[str, ...]) -> dict[str, Attribute]:
    """How many messages or texts a request's input holds, and how many characters of text; nothing without names."""
    if not names:
        return {}
    count = characters = 0
    for name in names:
        outer, _, inner = name.rpartition(".")
        found = get(body.get(outer), inner) if outer else body.get(name)
        length = _characters(found)
        characters += length
        if isinstance(found, list) and not (found and isinstance(found[0], int)):
            count += len(found)
        elif length or isinstance(found, list):  # else it is one of the objects by which clients say "not given"
            count += 1
    return {semconv.INPUT_COUNT: count, semconv.INPUT_CHARACTERS: characters}


def _characters(node: Any) -> int:
    kind = type(node)
    if kind is str:
        return len(node)
    if kind is list or kind is tuple:
        return sum(map(_characters, node))
    characters = 0
    if kind is dict:
        for name in _TEXTS:
            if name in node:
                characters += _characters(node[name])
    elif node is not None and kind not in (int, float, bool, bytes):  # a client's own model
        for name in _TEXTS:
            characters += _characters(getattr(node, name, None))
    return characters


def answered(answer: Answer) -> dict[str, Attribute]:
    """What the provider says of its answer; what it does not say is left out."""
    attributes, usage = answer.attributes, answer.usage
    if answer.id is not None:
        attributes[semconv.RESPONSE_ID] = answer.id
    if answer.model is not None:
        attributes[semconv.RESPONSE_MODEL] = answer.model
    if answer.finish_reasons:
        attributes[semconv.RESPONSE_FINISH_REASONS] = [reason for _, reason in sorted(answer.finish_reasons.items())]
    if usage.input is not None:
        attributes[semconv.USAGE_INPUT_TOKENS] = usage.input
    if usage.output is not None:
        attributes[semconv.USAGE_OUTPUT_TOKENS] = usage.output
    if usage.cache_read is not None:
        attributes[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = usage.cache_read
    if usage.cache_write is not None:
        attributes[semconv.USAGE_CACHE_WRITE_INPUT_TOKENS] = usage.cache_write
    if usage.reasoning is not None:
        attributes[semconv.USAGE_REASONING_OUTPUT_TOKENS] = usage.reasoning
    return attributes


def sent(call: Call) -> dict[str, Attribute]:
    """How often the request was sent, and how long the last attempt waited, where the client can be seen to send it."""
    attributes: dict[str, Attribute] = {}
    if call.attempts:
        attributes[semconv.REQUEST_ATTEMPTS] = call.attempts
        if call.sent:
            attributes[semconv.REQUEST_QUEUE_TIME] = (call.sent - call.prepared) / 1e9
    return attributes


def streamed(call: Call) -> dict[str, Attribute]:
    """How a streamed answer came; times are seconds. Empty for an answer that came whole."""
    pace = call.pace
    if pace.gaps is None:
        return {}
    attributes: dict[str, Attribute] = {
        semconv.REQUEST_STREAM: True,  # also where the request does not say so
        semconv.STREAM_CHUNKS: pace.chunks,
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK: (pace.first - call.started) / 1e9,
    }
    if pace.largest:
        attributes[semconv.STREAM_DURATION] = (pace.last - pace.first) / 1e9
        attributes[semconv.STREAM_LARGEST_GAP] = pace.largest / 1e9
        attributes[semconv.STREAM_GAPS] = pace.gaps
    if call.first_token:
        attributes[semconv.TIME_TO_FIRST_TOKEN] = (call.first_token - call.started) / 1e9
        if call.first_answer > call.first_token:
            attributes[semconv.TIME_TO_FIRST_ANSWER_TOKEN] = (call.first_answer - call.started) / 1e9
        tokens = _tokens_between(call.answer)
        if tokens > 0 and call.last_token > call.first_token:
            attributes[semconv.OUTPUT_TOKENS_PER_SECOND] = tokens * 1e9 / (call.last_token - call.first_token)
    return attributes


def _tokens_between(answer: Answer) -> int:
    """How many tokens came after the first, up to the last; reasoning that is billed but not sent is none of them."""
    usage = answer.usage
    hidden = 0 if answer.reasoning_seen else usage.reasoning or 0
    return (usage.output or 0) - hidden - 1


def error_type(error: BaseException) -> str:
    """`openai.RateLimitError`; builtins by their bare name.

    https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ (`error.type`)
    """
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def status_code(error: BaseException) -> int | None:
    """The HTTP status that the exception stands for, where it tells: many clients have one class for all of them."""
    response = get(error, "response")
    if response is None:  # which the cause may have: Hugging Face's client puts some errors in its own words
        response = get(error.__cause__, "response")
    told = (
        get(error, "status_code"),  # Stainless, Cohere, Mistral, Ollama
        get(error, "code"),  # google-genai
        get(response, "status_code"),  # Hugging Face
        get(get(response, "ResponseMetadata"), "HTTPStatusCode"),  # botocore
    )
    return next((code for code in told if type(code) is int and 400 <= code < 600), None)
