"""What is measured of a call, as the attributes of its span: its input's size, its answer, its stream."""

from typing import Any

from llmvitals import semconv
from llmvitals._adapter import Answer, Attribute, Body, get
from llmvitals._call import Call

_TEXTS = ("content", "text", "parts", "output", "arguments")  # where messages of any provider hold text, or more of it


def input_size(body: Body, names: tuple[str, ...]) -> dict[str, Attribute]:
    """How many messages or texts a request's input holds, and how many characters of text."""
    count = characters = 0
    for name in names:
        found = body.get(name)
        if found is not None:
            count += len(found) if isinstance(found, list) and not (found and isinstance(found[0], int)) else 1
            characters += _characters(found)
    return {semconv.INPUT_COUNT: count, semconv.INPUT_CHARACTERS: characters}


def _characters(node: Any) -> int:
    if isinstance(node, str):
        return len(node)
    if isinstance(node, (list, tuple)):
        return sum(map(_characters, node))
    if isinstance(node, (int, float, bytes)) or node is None:
        return 0
    return sum(_characters(get(node, name)) for name in _TEXTS)


def answered(answer: Answer) -> dict[str, Attribute]:
    """What the provider says of its answer."""
    usage, reasons = answer.usage, answer.finish_reasons
    known = {
        semconv.RESPONSE_ID: answer.id,
        semconv.RESPONSE_MODEL: answer.model,
        semconv.RESPONSE_FINISH_REASONS: [reasons[choice] for choice in sorted(reasons)] if reasons else None,
        semconv.USAGE_INPUT_TOKENS: usage.input,
        semconv.USAGE_OUTPUT_TOKENS: usage.output,
        semconv.USAGE_CACHE_READ_INPUT_TOKENS: usage.cache_read,
        semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: usage.cache_write,
        semconv.USAGE_REASONING_OUTPUT_TOKENS: usage.reasoning,
    }
    return {name: value for name, value in known.items() if value is not None} | answer.attributes


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
    if not call.chunks:
        return {}
    attributes: dict[str, Attribute] = {
        semconv.STREAM_CHUNKS: call.chunks,
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK: (call.first_chunk - call.started) / 1e9,
    }
    if call.gaps:
        attributes[semconv.STREAM_DURATION] = (call.last_chunk - call.first_chunk) / 1e9
        attributes[semconv.STREAM_LARGEST_GAP] = call.largest_gap / 1e9
        attributes[semconv.STREAM_GAPS] = call.gaps
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
