"""Attributes and events of telemetry, and environment variables."""

# ---- Span attributes: OpenTelemetry GenAI semantic conventions, as released -----------------------
# https://github.com/open-telemetry/semantic-conventions-genai

OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
CONVERSATION_ID = "gen_ai.conversation.id"
AGENT_ID = "gen_ai.agent.id"
OUTPUT_TYPE = "gen_ai.output.type"
PROMPT_NAME = "gen_ai.prompt.name"
PROMPT_VERSION = "gen_ai.prompt.version"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"
HTTP_STATUS_CODE = "http.response.status_code"  # of a refused request
SERVICE_NAME = "service.name"
SERVICE_VERSION = "service.version"
SERVICE_INSTANCE_ID = "service.instance.id"
# https://opentelemetry.io/docs/specs/semconv/resource/#service
UNKNOWN_SERVICE = "unknown_service"  # the service of a resource that names none

REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_TOP_P = "gen_ai.request.top_p"
REQUEST_TOP_K = "gen_ai.request.top_k"
REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
REQUEST_SEED = "gen_ai.request.seed"
REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"
REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats"
EMBEDDINGS_DIMENSION_COUNT = "gen_ai.embeddings.dimension.count"
OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"
OPENAI_API_TYPE = "openai.api.type"
AWS_BEDROCK_GUARDRAIL_ID = "aws.bedrock.guardrail.id"

RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"  # seconds
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"

USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"  # all of them, cached included
USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"  # all of them, reasoning included
USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens"  # a part of input
USAGE_CACHE_WRITE_INPUT_TOKENS = "gen_ai.usage.cache_write.input_tokens"  # a part of input
USAGE_CACHE_CREATION_INPUT_TOKENS = "gen_ai.usage.cache_creation.input_tokens"  # its older name
USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens"  # a part of output

# ---- Span attributes: ours, where the conventions have no name yet --------------------------------

TIME_TO_FIRST_TOKEN = "llmvitals.time_to_first_token"  # seconds to the first text, reasoning or tool-call delta
OUTPUT_TOKENS_PER_SECOND = "llmvitals.output_tokens_per_second"  # from the first token to the last
TIME_TO_FIRST_ANSWER_TOKEN = "llmvitals.time_to_first_answer_token"  # seconds; only where reasoning came before it
STREAM_ENDING = "llmvitals.stream.ending"  # one of ENDINGS
STREAM_CHUNKS = "llmvitals.stream.chunks"
STREAM_DURATION = "llmvitals.stream.duration"  # seconds from the first chunk to the last: the sum of all gaps
STREAM_LARGEST_GAP = "llmvitals.stream.largest_gap"  # seconds between two chunks
STREAM_GAPS = "llmvitals.stream.gaps"  # how many gaps between chunks fell into each bucket of GAP_BOUNDS
INPUT_COUNT = "llmvitals.input.count"  # messages of a chat, texts of an embeddings request
INPUT_CHARACTERS = "llmvitals.input.characters"  # of the input's text; images and files have none
REQUEST_ATTEMPTS = "llmvitals.request.attempts"  # 1 and as many retries as the client made
REQUEST_QUEUE_TIME = "llmvitals.request.queue_time"  # seconds that the last attempt waited for a connection

# ---- Spans of the app's own work: INTERNAL, told by these names ---------------------------------------

CACHE_NAME = "llmvitals.cache.name"  # of the app's own response cache; the span's duration is the lookup's
CACHE_OUTCOME = "llmvitals.cache.outcome"  # one of CACHE_OUTCOMES
CACHE_SAVED_DURATION = "llmvitals.cache.saved.duration"  # seconds that the call took which a hit saves
CACHE_SAVED_INPUT_TOKENS = "llmvitals.cache.saved.input_tokens"
CACHE_SAVED_OUTPUT_TOKENS = "llmvitals.cache.saved.output_tokens"
TASK_NAME = "llmvitals.task.name"
TASK_OUTCOME = "llmvitals.task.outcome"  # one of TASK_OUTCOMES
TASK_FAILURE_MODE = "llmvitals.task.failure_mode"  # in what way it failed, low-cardinality

# ---- Content: only where the app opts in -------------------------------------------------------------
# JSON of the forms in https://github.com/open-telemetry/semantic-conventions-genai, gen-ai-input-messages.json ff.

INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
PROMPT_VARIABLE = "gen_ai.prompt.variable."  # and the variable's name
OPERATION_DETAILS = "gen_ai.client.inference.operation.details"  # the event that carries it
CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"  # the environment variable that opts in
NO_CONTENT = "no_content"
SPAN_ONLY = "span_only"
EVENT_ONLY = "event_only"
SPAN_AND_EVENT = "span_and_event"
CONTENT_MODES = (NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT)
CONTENT_LIMIT_VARIABLE = "LLMVITALS_CONTENT_LIMIT"  # the environment variable that sets another limit than
CONTENT_LIMIT = 16_384  # characters of each attribute that holds content
# The OpenTelemetry SDK cuts attributes at these, in the middle of their JSON: ours is then to be shorter.
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#attribute-limits
ATTRIBUTE_LENGTH_LIMITS = (
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)

# ---- Events (log records with an event name) ------------------------------------------------------

EVALUATION_RESULT = "gen_ai.evaluation.result"
EVALUATION_NAME = "gen_ai.evaluation.name"
EVALUATION_SCORE_VALUE = "gen_ai.evaluation.score.value"
EVALUATION_SCORE_LABEL = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation"
EVALUATION_SOURCE = "llmvitals.evaluation.source"  # who says so: one of SOURCES
EVALUATOR_NAME = "llmvitals.evaluator.name"
EVALUATOR_VERSION = "llmvitals.evaluator.version"
USER_FEEDBACK = "user_feedback"  # the evaluation's name when it is a user's feedback
