"""Every attribute, event, metric, label, bucket and enum name of both halves, and nothing else."""

# ---- Span attributes: OpenTelemetry GenAI semantic conventions, as released -----------------------
# https://github.com/open-telemetry/semantic-conventions-genai

OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
CONVERSATION_ID = "gen_ai.conversation.id"
OUTPUT_TYPE = "gen_ai.output.type"
PROMPT_NAME = "gen_ai.prompt.name"
PROMPT_VERSION = "gen_ai.prompt.version"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"
SERVICE_NAME = "service.name"
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

# ---- Metrics that the SDK records itself, where the app opts in --------------------------------------
# name, unit, description and bounds as in https://github.com/open-telemetry/semantic-conventions-genai

_CONVENTIONAL_SECONDS = tuple(round(0.01 * 2**octave, 2) for octave in range(14))
OPERATION_DURATION = ("gen_ai.client.operation.duration", "s", "GenAI operation duration.", _CONVENTIONAL_SECONDS)
OPERATION_FIRST_CHUNK = (
    "gen_ai.client.operation.time_to_first_chunk",
    "s",
    "Time to receive the first chunk of a streamed answer.",
    _CONVENTIONAL_SECONDS,
)
OPERATION_TOKEN_USAGE = (
    "gen_ai.client.token.usage",
    "{token}",
    "Number of input and output tokens used.",
    tuple(float(4**power) for power in range(14)),
)
TOKEN_TYPE = "gen_ai.token.type"

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

# ---- Enums ----------------------------------------------------------------------------------------

CHAT = "chat"
EMBEDDINGS = "embeddings"
TEXT_COMPLETION = "text_completion"
GENERATE_CONTENT = "generate_content"
# The operations that are one request to a model; agents and tools repeat what these report.
CALL_OPERATIONS = (CHAT, GENERATE_CONTENT, TEXT_COMPLETION, EMBEDDINGS)

# How a call ended.
COMPLETE = "complete"  # the answer was read to its end
CLOSED = "closed"  # the app closed the stream before its end
CANCELLED = "cancelled"  # the task was cancelled, or the program interrupted, while it waited
ABANDONED = "abandoned"  # the app dropped the stream without closing it
ERROR = "error"  # the call, or its stream, failed
ENDINGS = (COMPLETE, CLOSED, CANCELLED, ABANDONED, ERROR)

SOURCE_HEURISTIC = "heuristic"
SOURCE_USER = "user"
SOURCES = (SOURCE_HEURISTIC, "guard", "judge", "human", SOURCE_USER, "outcome")

OTHER = "other"  # what a closed vocabulary does not know

# What users do with an answer, with the score of those that are a verdict (1 is good, 0 is bad).
FEEDBACK_SCORES = {
    "thumb_up": 1.0,
    "thumb_down": 0.0,
    "rating": None,
    "copy": 1.0,
    "accept": 1.0,
    "reject": 0.0,
    "edit": None,
    "regenerate": 0.0,
    "rephrase": 0.0,
    "report": 0.0,
    "escalate": 0.0,
    "abandon": 0.0,
    "resolved": 1.0,
    "executed": 1.0,
    "tests_passed": 1.0,
    "survey": None,
}

HANDLE_KEY = "LLMVITALS_HANDLE_KEY"  # the environment variable that holds the keys of feedback handles

# ---- Labels ---------------------------------------------------------------------------------------

LABEL_SERVICE = "service_name"
LABEL_PROVIDER = "gen_ai_provider_name"
LABEL_OPERATION = "gen_ai_operation_name"
LABEL_MODEL = "gen_ai_request_model"
LABEL_TEMPLATE = "template"
CALL_LABELS = (LABEL_SERVICE, LABEL_PROVIDER, LABEL_OPERATION, LABEL_MODEL, LABEL_TEMPLATE)

LABEL_OUTCOME = "outcome"
LABEL_ERROR_CLASS = "error_class"
LABEL_TOKEN_TYPE = "gen_ai_token_type"
LABEL_CACHE = "cache"
LABEL_KIND = "kind"
LABEL_SLO = "slo"
LABEL_RECEIVER = "receiver"
LABEL_REASON = "reason"
LABEL_METRIC = "metric"
LABEL_PROCESSOR = "processor"
LABEL_VERSION = "version"

# What stands in every open label of the series that takes the rows which no longer fit (the name is
# OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute). Labels of a
# closed vocabulary (outcome, error_class, ...) keep their value, so that sums over them stay exact.
OVERFLOW = "__overflow__"

OK = "ok"
STOPPED = "stopped"  # the app ended it early, which is no error
OUTCOMES = (OK, ERROR, STOPPED)
TIMEOUT = "timeout"
RATE_LIMIT = "rate_limit"
AUTH = "auth"
BAD_REQUEST = "bad_request"
CONTENT_FILTER = "content_filter"
CONNECTION = "connection"
SERVER = "server"
ERROR_CLASSES = (TIMEOUT, RATE_LIMIT, AUTH, BAD_REQUEST, CONTENT_FILTER, CONNECTION, SERVER, OTHER)
TOKEN_TYPES = ("input", "output", "cache_read", "cache_write", "reasoning")
HIT = "hit"
MISS = "miss"
CACHE_OUTCOMES = (HIT, MISS)
PROMPT_CACHE = "prompt"  # the provider's prompt cache
SLO_AVAILABILITY = "availability"
SLO_FIRST_TOKEN = "first_token"
SLO_DURATION = "duration"
SLOS = (SLO_AVAILABILITY, SLO_FIRST_TOKEN, SLO_DURATION)
GOOD = "good"
BAD = "bad"
SLO_OUTCOMES = (GOOD, BAD)

RECEIVER_GRPC = "grpc"
RECEIVER_HTTP = "http"
# Why the collector does not count a span or a log record, which is no fault of the sender ...
NOT_GEN_AI = "not_gen_ai"  # a span of something else
NOT_A_CALL = "not_a_call"  # an agent, a tool, a retrieval: no single request to a model
NOT_AN_EVALUATION = "not_an_evaluation"  # a log record of something else
NOT_FEEDBACK = "not_feedback"  # an evaluation by somebody other than a user
IGNORED_SPAN_REASONS = (NOT_GEN_AI, NOT_A_CALL)
IGNORED_LOG_RECORD_REASONS = (NOT_AN_EVALUATION, NOT_FEEDBACK)
# ... and why it refuses a whole request.
MALFORMED = "malformed"
TOO_LARGE = "too_large"
UNSUPPORTED_TYPE = "unsupported_type"  # neither protobuf nor JSON, or compressed in an unknown way
INTERNAL = "internal"  # a fault of the collector's own
REFUSED_REASONS = (MALFORMED, TOO_LARGE, UNSUPPORTED_TYPE, INTERNAL)

# ---- Buckets --------------------------------------------------------------------------------------

# Four bounds to an octave, and every bound of the conventions' own duration histogram among them, so
# that a percentile is within 25 % at the worst and about 1 % typically, up to 327.68 s.
SECONDS_BOUNDS = (
    0.01,
    0.02,
    0.04,
    *(round(0.08 * 2**octave * split, 4) for octave in range(12) for split in (1, 1.25, 1.5, 1.75)),
    327.68,
)
# Upper bounds of the buckets of STREAM_GAPS, in seconds, each inclusive; one more bucket takes the gaps
# above them all. Every bound of the conventions' gen_ai.client.operation.time_per_output_chunk is among
# them, and the range where chunks come, from 1 to 160 ms, has bounds between.
GAP_BOUNDS = (
    *(0.00125, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32),
    *(0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
TOKENS_BOUNDS = tuple(float(4**power) for power in range(14))
TOKENS_PER_SECOND_BOUNDS = (
    *(1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0),
    *(125.0, 150.0, 175.0, 200.0, 250.0, 300.0, 400.0, 500.0, 750.0, 1000.0, 2000.0),
)

# ---- Metric families --------------------------------------------------------------------------------


class Family:
    """One metric family that the collector exposes.

    name: as Prometheus has it, with its unit and, for a counter, `_total`.
    kind: `counter`, `gauge` or `histogram`.
    help: one sentence, for people.
    labels: label names, in the order in which they are written.
    bounds: a histogram's finite upper bounds, ascending, in the unit of the name.
    """

    __slots__ = ("bounds", "help", "kind", "labels", "name")

    def __init__(
        self, name: str, kind: str, help: str, labels: tuple[str, ...] = (), bounds: tuple[float, ...] = ()
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.bounds = bounds


CALLS = Family("llm_calls_total", "counter", "LLM calls.", (*CALL_LABELS, LABEL_OUTCOME, LABEL_ERROR_CLASS))
DURATION = Family(
    "gen_ai_client_operation_duration_seconds",
    "histogram",
    "Time from the start of an LLM call to the end of its answer.",
    (*CALL_LABELS, LABEL_OUTCOME),
    SECONDS_BOUNDS,
)
FIRST_CHUNK = Family(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "histogram",
    "Time to the first chunk of a streamed answer, whatever it holds.",
    CALL_LABELS,
    SECONDS_BOUNDS,
)
FIRST_TOKEN = Family(
    "llm_time_to_first_token_seconds",
    "histogram",
    "Time to the first text, reasoning or tool-call token of a streamed answer.",
    CALL_LABELS,
    SECONDS_BOUNDS,
)
OUTPUT_SPEED = Family(
    "llm_output_tokens_per_second",
    "histogram",
    "Output tokens per second between the first and the last token of a streamed answer.",
    CALL_LABELS,
    TOKENS_PER_SECOND_BOUNDS,
)
TOKEN_USAGE = Family(
    "gen_ai_client_token_usage",
    "histogram",
    "Tokens of one LLM call, by type.",
    (*CALL_LABELS, LABEL_TOKEN_TYPE),
    TOKENS_BOUNDS,
)
TOKENS = Family(
    "llm_tokens_total",
    "counter",
    "Tokens by type; cache_read and cache_write are parts of input, reasoning is a part of output.",
    (*CALL_LABELS, LABEL_TOKEN_TYPE),
)
CACHE_LOOKUPS = Family(
    "llm_cache_lookups_total",
    "counter",
    "LLM calls by what a cache did for them, where the answer tells.",
    (*CALL_LABELS, LABEL_CACHE, LABEL_OUTCOME),
)
FEEDBACK = Family("llm_feedback_total", "counter", "Feedback of users, by kind.", (*CALL_LABELS, LABEL_KIND))
SLO_EVENTS = Family(
    "llm_slo_events_total",
    "counter",
    "LLM calls that kept a service level objective (good) or broke it (bad).",
    (LABEL_SLO, LABEL_SERVICE, LABEL_MODEL, LABEL_TEMPLATE, LABEL_OUTCOME),
)
SLO_OBJECTIVE = Family(
    "llm_slo_objective_ratio", "gauge", "The share of calls that is to keep the objective.", (LABEL_SLO,)
)
SLO_THRESHOLD = Family(
    "llm_slo_threshold_seconds", "gauge", "The time within which a call keeps the objective.", (LABEL_SLO,)
)
CALL_FAMILIES = (
    CALLS,
    DURATION,
    FIRST_CHUNK,
    FIRST_TOKEN,
    OUTPUT_SPEED,
    TOKEN_USAGE,
    TOKENS,
    CACHE_LOOKUPS,
    FEEDBACK,
    SLO_EVENTS,
    SLO_OBJECTIVE,
    SLO_THRESHOLD,
)

COLLECTOR_RECEIVED_SPANS = Family("llm_collector_received_spans_total", "counter", "Spans received.", (LABEL_SERVICE,))
COLLECTOR_RECEIVED_LOG_RECORDS = Family(
    "llm_collector_received_log_records_total", "counter", "Log records received.", (LABEL_SERVICE,)
)
COLLECTOR_LAST_RECEIVED = Family(
    "llm_collector_last_received_timestamp_seconds", "gauge", "When something was last received.", (LABEL_SERVICE,)
)
COLLECTOR_IGNORED_SPANS = Family(
    "llm_collector_ignored_spans_total", "counter", "Spans received that are not counted as calls.", (LABEL_REASON,)
)
COLLECTOR_IGNORED_LOG_RECORDS = Family(
    "llm_collector_ignored_log_records_total",
    "counter",
    "Log records received that are not counted as feedback.",
    (LABEL_REASON,),
)
COLLECTOR_REFUSED_REQUESTS = Family(
    "llm_collector_refused_requests_total",
    "counter",
    "Requests refused whole, nothing of them counted.",
    (LABEL_RECEIVER, LABEL_REASON),
)
COLLECTOR_PROCESSOR_FAILURES = Family(
    "llm_collector_processor_failures_total", "counter", "Batches on which a processor failed.", (LABEL_PROCESSOR,)
)
COLLECTOR_LABEL_SETS = Family("llm_collector_label_sets", "gauge", "Label sets held, by metric.", (LABEL_METRIC,))
COLLECTOR_SERIES_OVERFLOW = Family(
    "llm_collector_series_overflow_total",
    "counter",
    "Rows counted in the overflow series, because the metric held as many label sets as it may.",
    (LABEL_METRIC,),
)
COLLECTOR_BUILD_INFO = Family("llm_collector_build_info", "gauge", "Always 1.", (LABEL_VERSION,))
COLLECTOR_FAMILIES = (
    COLLECTOR_RECEIVED_SPANS,
    COLLECTOR_RECEIVED_LOG_RECORDS,
    COLLECTOR_LAST_RECEIVED,
    COLLECTOR_IGNORED_SPANS,
    COLLECTOR_IGNORED_LOG_RECORDS,
    COLLECTOR_REFUSED_REQUESTS,
    COLLECTOR_PROCESSOR_FAILURES,
    COLLECTOR_LABEL_SETS,
    COLLECTOR_SERIES_OVERFLOW,
    COLLECTOR_BUILD_INFO,
)

FAMILIES = (*CALL_FAMILIES, *COLLECTOR_FAMILIES)

# ---- Recorded series that dashboards show ----------------------------------------------------------
# prometheus_rules/slo.rules.yml

SLO_BUDGET_LEFT = "slo:llm_slo_budget_left:ratio30d"  # by LABEL_SLO; 1 is all of it, below 0 it is overspent
