"""Metrics: their labels, buckets and families."""

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
LABEL_INPUT_BAND = "input_band"
LABEL_LATENCY_BAND = "latency_band"
LABEL_RECEIVER = "receiver"
LABEL_REASON = "reason"
LABEL_TOPIC = "topic"
LABEL_PARTITION = "partition"
LABEL_METRIC = "metric"
LABEL_PROCESSOR = "processor"
LABEL_NAME = "name"
LABEL_VERSION = "version"
# Of exemplars; Grafana links a panel's exemplars by the first.
LABEL_TRACE_ID = "trace_id"
LABEL_SPAN_ID = "span_id"
LABEL_DIALECT = "dialect"
LABEL_LABEL = "label"  # a name of one of these
LABEL_STAGE = "stage"
LABEL_DECODER = "decoder"
LABEL_HASH = "hash"
# As the OpenTelemetry Collector names them on its own metrics.
LABEL_TRANSPORT = "transport"
LABEL_EXPORTER = "exporter"
LABEL_DATA_TYPE = "data_type"

# What stands in every open label of the series that takes the rows which no longer fit (the name is
# OpenTelemetry's: https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute). Labels of a
# closed vocabulary (outcome, error_class, ...) keep their value, so that sums over them stay exact.
OVERFLOW = "__overflow__"

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

# Native histograms have eight buckets to an octave, of which Prometheus keeps 160 without merging any: the powers of
# two between which they lie. What is not above the lower one is in the zero bucket, what is above the upper one in the
# last bucket.
SECONDS_OCTAVES = (-8, 12)  # 4 ms to 68 minutes
TOKENS_OCTAVES = (0, 20)  # to 1,048,576
TOKENS_PER_SECOND_OCTAVES = (-4, 12)

# ---- Metric families --------------------------------------------------------------------------------


class Family:
    """One metric family that the collector exposes.

    name: as Prometheus has it, with its unit and, for a counter, `_total`.
    kind: `counter`, `gauge` or `histogram`.
    help: one sentence, for people.
    labels: label names, in the order in which they are written.
    bounds: a histogram's finite upper bounds, positive and ascending, in the unit of the name.
    octaves: the powers of two between which its native buckets lie; without them it has none.
    """

    __slots__ = ("bounds", "help", "kind", "labels", "name", "octaves")

    def __init__(
        self,
        name: str,
        kind: str,
        help: str,
        labels: tuple[str, ...] = (),
        bounds: tuple[float, ...] = (),
        octaves: tuple[int, int] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.bounds = bounds
        self.octaves = octaves


CALLS = Family("llm_calls_total", "counter", "LLM calls.", (*CALL_LABELS, LABEL_OUTCOME, LABEL_ERROR_CLASS))
DURATION = Family(
    "gen_ai_client_operation_duration_seconds",
    "histogram",
    "Time from the start of an LLM call to the end of its answer.",
    (*CALL_LABELS, LABEL_OUTCOME),
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
FIRST_CHUNK = Family(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "histogram",
    "Time to the first chunk of a streamed answer, whatever it holds.",
    CALL_LABELS,
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
FIRST_TOKEN = Family(
    "llm_time_to_first_token_seconds",
    "histogram",
    "Time to the first text, reasoning or tool-call token of a streamed answer.",
    CALL_LABELS,
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
ANSWER_TOKEN = Family(
    "llm_time_to_first_answer_token_seconds",
    "histogram",
    "Time to the first token of the answer itself, where reasoning came before it.",
    CALL_LABELS,
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
CHUNK_GAPS = Family(
    "gen_ai_client_operation_time_per_output_chunk_seconds",
    "histogram",
    "Time between two chunks of a streamed answer.",
    CALL_LABELS,
    GAP_BOUNDS,
)
QUEUE = Family(
    "llm_request_queue_seconds",
    "histogram",
    "Time that a request waited in the app for a connection.",
    CALL_LABELS,
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
OUTPUT_SPEED = Family(
    "llm_output_tokens_per_second",
    "histogram",
    "Output tokens per second between the first and the last token of a streamed answer.",
    CALL_LABELS,
    TOKENS_PER_SECOND_BOUNDS,
    TOKENS_PER_SECOND_OCTAVES,
)
TOKEN_USAGE = Family(
    "gen_ai_client_token_usage",
    "histogram",
    "Tokens of one LLM call, by type.",
    (*CALL_LABELS, LABEL_TOKEN_TYPE),
    TOKENS_BOUNDS,
    TOKENS_OCTAVES,
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
COST = Family("llm_cost_usd_total", "counter", "Cost of LLM calls in US dollars, where it is known.", CALL_LABELS)
RETRIES = Family("llm_retries_total", "counter", "Attempts of the client beyond the first of a call.", CALL_LABELS)
FIRST_TOKEN_BY_INPUT = Family(
    "llm_first_token_by_input_seconds",
    "histogram",
    "Time to the first token of a streamed answer, by the size of the input and what the prompt cache did.",
    (LABEL_SERVICE, LABEL_MODEL, LABEL_INPUT_BAND, LABEL_CACHE),
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
DURATION_BY_INPUT = Family(
    "llm_duration_by_input_seconds",
    "histogram",
    "Time of an LLM call, by the size of the input and what the prompt cache did.",
    (LABEL_SERVICE, LABEL_MODEL, LABEL_INPUT_BAND, LABEL_CACHE),
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
CALLS_BY_LATENCY = Family(
    "llm_calls_by_latency_total",
    "counter",
    "LLM calls by how long they took.",
    (LABEL_SERVICE, LABEL_MODEL, LABEL_LATENCY_BAND),
)
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
RELEASE_TIMESTAMP = Family(
    "llm_release_timestamp_seconds",
    "gauge",
    "When a version of an app, a prompt or a model was first seen at work.",
    (LABEL_KIND, LABEL_NAME, LABEL_VERSION),
)
PRICE_TIMESTAMP = Family(
    "llm_price_timestamp_seconds",
    "gauge",
    "When the price was read that calls of a model have been given; the label is the price's, which may have a *.",
    (LABEL_MODEL,),
)

CALL_FAMILIES = tuple(value for value in tuple(globals().values()) if isinstance(value, Family))
