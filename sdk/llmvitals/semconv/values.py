"""What attributes and labels may say, where they have a closed vocabulary."""

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

# How a task of the user's ended.
COMPLETED = "completed"
FAILED = "failed"
UNKNOWN = "unknown"  # nobody said: it counts neither as completed nor as failed
TASK_OUTCOMES = (COMPLETED, FAILED, ABANDONED, UNKNOWN)

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

DECODER = "LLMVITALS_COLLECTOR_DECODER"  # the environment variable that says which of these reads protobuf
DECODERS = (COMPILED_DECODER, PYTHON_DECODER) = ("compiled", "python")

HANDLE_KEY = "LLMVITALS_HANDLE_KEY"  # the environment variable that holds the keys of feedback handles

# How old a feedback handle may be, in seconds, for each use: what users do while the answer is before them, what
# shows only later, and the rest in between. A leaked handle is good for no longer.
_HOUR, _WEEK, _MONTH = 3600, 7 * 86400, 30 * 86400
FEEDBACK_MAX_AGE = {
    **dict.fromkeys(FEEDBACK_SCORES, _WEEK),
    **dict.fromkeys(("copy", "regenerate", "rephrase", "abandon"), _HOUR),
    **dict.fromkeys(("resolved", "executed", "tests_passed", "survey"), _MONTH),
}
EVALUATION_MAX_AGE = _MONTH

HANDLE_PREFIX = "lv1."  # of feedback handles; no provider's response ids have a full stop there

# ---- Values of labels ---------------------------------------------------------------------------------

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
# Bands of input tokens, and of durations in seconds; each ends at its bound, and the last one is open.
INPUT_BAND_BOUNDS = (1_000.0, 4_000.0, 16_000.0, 64_000.0)
INPUT_BANDS = ("0-1k", "1k-4k", "4k-16k", "16k-64k", "64k+")
LATENCY_BAND_BOUNDS = (1.0, 3.0, 10.0, 30.0)
LATENCY_BANDS = ("0-1s", "1-3s", "3-10s", "10-30s", "30s+")
TOLD = "told"
WEIGHTED = (TOLD, UNKNOWN)  # whether a call tells for how many it stands
SENDER = "sender"
CONFIGURED = "configured"
PRICED = (SENDER, CONFIGURED, UNKNOWN)  # whose is the cost of a call
RELEASE_APP = "app"
RELEASE_PROMPT = "prompt"
RELEASE_MODEL = "model"

RECEIVER_GRPC = "grpc"
RECEIVER_HTTP = "http"
RECEIVER_KAFKA = "kafka"
RECEIVER_EVALUATION = "evaluation"  # none of the network's: what the collector finds itself
RECEIVER_OTLP = "otlp"  # both, on the metrics that are named as the OpenTelemetry Collector's
# What the collector makes of a span or a log record: it counts it ...
COUNTED = "counted"
ANOTHER_RECORD = "another_record"  # as a task, or a lookup in a cache, and not as a call
# ... or not, which is no fault of the sender ...
NOT_GEN_AI = "not_gen_ai"  # a span of something else
NOT_A_CALL = "not_a_call"  # an agent, a tool, a retrieval: no single request to a model
NOT_AN_EVALUATION = "not_an_evaluation"  # a log record of something else
IGNORED_SPAN_REASONS = (NOT_GEN_AI, NOT_A_CALL)
IGNORED_LOG_RECORD_REASONS = (NOT_AN_EVALUATION,)
# ... or rejects it, and tells the sender so ...
INVALID_IDS = "invalid_ids"  # a call without a trace id and a span id could not be told from its repetition
REJECTED_REASONS = (INVALID_IDS,)
# ... or leaves it out, as another span tells of the same call ...
SERVER_SPAN = "server_span"  # a model's server's own view of a request
DUPLICATE = "duplicate"  # the same span again
WRAPPER = "wrapper"  # around another call, or within one that is counted already
SAME_ANSWER = "same_answer"  # the same response id in the same trace
REPEATED_REASONS = (SERVER_SPAN, DUPLICATE, WRAPPER, SAME_ANSWER)  # of several, the first is told
VERDICTS = (
    COUNTED,
    ANOTHER_RECORD,
    *(NOT_GEN_AI, NOT_A_CALL),
    NOT_AN_EVALUATION,
    *REJECTED_REASONS,
    *REPEATED_REASONS,
)
# ... and why it refuses a whole request.
MALFORMED = "malformed"
TOO_LARGE = "too_large"
UNSUPPORTED_TYPE = "unsupported_type"  # neither protobuf nor JSON, or compressed in an unknown way
UNAUTHENTICATED = "unauthenticated"  # without a token that the receiver knows
ABORTED = "aborted"  # the client went away, or was too slow, before all of it had come
BUSY = "busy"  # too much is in flight; the client is to send it again
UNAVAILABLE = "unavailable"  # the collector stops, or cannot store anything; the client is to send it again
INTERNAL = "internal"  # a fault of the collector's own
REFUSED_REASONS = (MALFORMED, TOO_LARGE, UNSUPPORTED_TYPE, UNAUTHENTICATED, ABORTED, BUSY, UNAVAILABLE, INTERNAL)
SET_ASIDE_REASONS = (MALFORMED, TOO_LARGE, INTERNAL)  # of a message, which nobody can be told to send again

# What becomes of a user's feedback at the collector's own endpoint, beside some of those.
ACCEPTED = "accepted"
UNKNOWN_KIND = "unknown_kind"  # none that is taken there
UNKNOWN_KEY = "unknown_key"  # the handle was made with a key that the collector does not have
FORGED = "forged"  # the handle was made without the key, or changed since
EXPIRED = "expired"  # the handle is too old for this kind
REPEATED = "repeated"  # there was feedback of this kind on this answer already
FOREIGN_ORIGIN = "foreign_origin"  # from a page of the web that may not send any
RATE_LIMITED = "rate_limited"  # too many requests from one address, or on one answer
FEEDBACK_OUTCOMES = (
    *(ACCEPTED, MALFORMED, UNKNOWN_KIND, UNKNOWN_KEY, FORGED, EXPIRED, REPEATED, FOREIGN_ORIGIN, RATE_LIMITED),
    *(TOO_LARGE, ABORTED, BUSY, UNAVAILABLE),
)

# What the collector spends its time on.
STAGE_DECODE = "decode"
STAGE_STORE = "store"
STAGE_PROCESS = "process"
STAGE_COUNT = "count"
STAGE_RENDER = "render"
STAGE_EVALUATE = "evaluate"  # of what is evaluated by heuristics; requests to a judge are none of it
STAGE_PUSH = "push"
STAGES = (STAGE_DECODE, STAGE_STORE, STAGE_PROCESS, STAGE_COUNT, STAGE_RENDER, STAGE_EVALUATE, STAGE_PUSH)
DATA_TRACES = "traces"
DATA_LOGS = "logs"
DATA_TYPES = (DATA_TRACES, DATA_LOGS)
