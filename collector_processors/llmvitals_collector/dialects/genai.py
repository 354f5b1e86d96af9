"""OpenTelemetry's GenAI semantic conventions: as released, as drafted, as deprecated, and what llmvitals adds.

https://github.com/open-telemetry/semantic-conventions-genai
"""

from llmvitals import semconv
from llmvitals_collector.dialects.dialect import Dialect
from llmvitals_collector.dialects.table import Source
from llmvitals_collector.records import Mask, Records

# The name of the provider before 1.37 of the conventions.
SYSTEM = "gen_ai.system"

TABLE = (
    Source("provider", semconv.PROVIDER_NAME),
    Source("provider", SYSTEM),
    Source("operation", semconv.OPERATION_NAME),
    Source("model", semconv.REQUEST_MODEL),
    Source("response_model", semconv.RESPONSE_MODEL),
    Source("response_id", semconv.RESPONSE_ID),
    Source("template", semconv.PROMPT_NAME),
    Source("template_version", semconv.PROMPT_VERSION),
    Source("server_address", semconv.SERVER_ADDRESS),
    Source("error_type", semconv.ERROR_TYPE),
    Source("status_code", semconv.HTTP_STATUS_CODE),
    Source("ending", semconv.STREAM_ENDING),
    Source("finish_reason", semconv.RESPONSE_FINISH_REASONS),
    Source("streamed", semconv.REQUEST_STREAM),
    Source("time_to_first_chunk", semconv.RESPONSE_TIME_TO_FIRST_CHUNK),
    Source("time_to_first_token", semconv.TIME_TO_FIRST_TOKEN),
    Source("time_to_first_answer_token", semconv.TIME_TO_FIRST_ANSWER_TOKEN),
    Source("output_tokens_per_second", semconv.OUTPUT_TOKENS_PER_SECOND),
    Source("gaps", semconv.STREAM_GAPS),
    Source("gaps_time", semconv.STREAM_DURATION),
    Source("input_tokens", semconv.USAGE_INPUT_TOKENS),
    Source("input_tokens", "gen_ai.usage.prompt_tokens"),
    Source("output_tokens", semconv.USAGE_OUTPUT_TOKENS),
    Source("output_tokens", "gen_ai.usage.completion_tokens"),
    Source("cache_read_tokens", semconv.USAGE_CACHE_READ_INPUT_TOKENS),
    # Two live names of one number: senders in transition write both.
    Source("cache_write_tokens", semconv.USAGE_CACHE_WRITE_INPUT_TOKENS),
    Source("cache_write_tokens", semconv.USAGE_CACHE_CREATION_INPUT_TOKENS),
    Source("reasoning_tokens", semconv.USAGE_REASONING_OUTPUT_TOKENS),
    Source("attempts", semconv.REQUEST_ATTEMPTS),
    Source("queue_time", semconv.REQUEST_QUEUE_TIME),
    Source("checks", semconv.CHECKS),
    Source("language", semconv.ANSWER_LANGUAGE),
    Source("input_messages", semconv.INPUT_MESSAGES),
    Source("output_messages", semconv.OUTPUT_MESSAGES),
    Source("system_instructions", semconv.SYSTEM_INSTRUCTIONS),
)


def _is_mine(records: Records) -> Mask:
    return records.has(semconv.PROVIDER_NAME, semconv.OPERATION_NAME, SYSTEM)


DIALECT = Dialect("genai", _is_mine, TABLE)
