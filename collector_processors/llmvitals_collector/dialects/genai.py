"""OpenTelemetry's GenAI semantic conventions as released, and the attributes that llmvitals adds to them.

https://github.com/open-telemetry/semantic-conventions-genai
"""

from collections.abc import Mapping

from llmvitals import semconv

COLUMNS: Mapping[str, str] = {
    semconv.PROVIDER_NAME: "provider",
    semconv.OPERATION_NAME: "operation",
    semconv.REQUEST_MODEL: "model",
    semconv.PROMPT_NAME: "template",
    semconv.ERROR_TYPE: "error_type",
    semconv.STREAM_ENDING: "ending",
    semconv.REQUEST_STREAM: "streamed",
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: "time_to_first_chunk",
    semconv.TIME_TO_FIRST_TOKEN: "time_to_first_token",
    semconv.OUTPUT_TOKENS_PER_SECOND: "output_tokens_per_second",
    semconv.USAGE_INPUT_TOKENS: "input_tokens",
    semconv.USAGE_OUTPUT_TOKENS: "output_tokens",
    semconv.USAGE_CACHE_READ_INPUT_TOKENS: "cache_read_tokens",
    # Two live names of one number: senders in transition write both.
    semconv.USAGE_CACHE_WRITE_INPUT_TOKENS: "cache_write_tokens",
    semconv.USAGE_CACHE_CREATION_INPUT_TOKENS: "cache_write_tokens",
    semconv.USAGE_REASONING_OUTPUT_TOKENS: "reasoning_tokens",
}


def is_mine(_scope: str, attributes: Mapping[str, object]) -> bool:
    return semconv.PROVIDER_NAME in attributes or semconv.OPERATION_NAME in attributes
