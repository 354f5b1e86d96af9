"""Quality, behaviour and tasks: what results say, and the families that they fill."""

from llmvitals.semconv.attributes import SERVICE_VERSION
from llmvitals.semconv.metrics import (
    CALL_FAMILIES,
    LABEL_KIND,
    LABEL_LATENCY_BAND,
    LABEL_MODEL,
    LABEL_OUTCOME,
    LABEL_SERVICE,
    LABEL_TEMPLATE,
    LABEL_TOKEN_TYPE,
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
    Family,
)
from llmvitals.semconv.values import FEEDBACK_SCORES

# ---- Attributes of `gen_ai.evaluation.result`, where the conventions have no name yet -----------------

EVALUATION_ID = "llmvitals.evaluation.id"  # by which a repetition is told
EVALUATION_TRACK = "llmvitals.evaluation.track"  # one of TRACKS
EVALUATION_SCORE_MIN = "llmvitals.evaluation.score.min"  # the score's range, where it is not 0 to 1
EVALUATION_SCORE_MAX = "llmvitals.evaluation.score.max"
EVALUATION_THRESHOLD = "llmvitals.evaluation.threshold"  # from 0 to 1; a score that reaches it passes
EVALUATION_RUBRIC = "llmvitals.evaluation.rubric"  # the hash of the rubric's canonical form
EVALUATION_WEIGHT = "llmvitals.evaluation.weight"  # one over the probability that this answer was looked at
EVALUATION_STRATUM = "llmvitals.evaluation.stratum"  # one of STRATA
EVALUATION_SET = "llmvitals.evaluation.set"  # one of SETS
EVALUATION_SET_TIME = "llmvitals.evaluation.set.created_at"  # when a golden set was put together, since the epoch
EVALUATION_MODE = "llmvitals.evaluation.failure_mode"  # one of FAILURE_MODES, of a result that does not pass
EVALUATION_PRIMARY = (
    "llmvitals.evaluation.primary"  # whether that is the answer's first failure in FAILURE_MODES' order
)
EVALUATION_ANSWERED_AT = "llmvitals.evaluation.answered_at"  # when the answer was complete, seconds since the epoch
EVALUATION_LANGUAGE = "llmvitals.evaluation.language"  # of the answer, as ISO 639-1 has it
EVALUATION_LATENCY_BAND = "llmvitals.evaluation.latency_band"  # of the call, one of LATENCY_BANDS
# What a person's result says of the judge's on the same answer, and of another person's: so nobody has to join them.
JUDGE_NAME = "llmvitals.judge.name"
JUDGE_VERDICT = "llmvitals.judge.verdict"
JUDGE_SCORE = "llmvitals.judge.score"
PEER_VERDICT = "llmvitals.peer.verdict"
RELEASE = SERVICE_VERSION  # of the app that made the call; on an event it counts before the resource's

# ---- Attributes of a call's span: what was found in its content, which need not leave the app for it ---

CHECKS = "llmvitals.checks"  # "format_valid=pass refusal=fail": an evaluator's name and one of VERDICTS_OF_RESULTS
ANSWER_LANGUAGE = "llmvitals.answer.language"  # as ISO 639-1 has it

# ---- Environment variables of `llmvitals review` -------------------------------------------------------

GRADER_KEY = "LLMVITALS_GRADER_KEY"  # with it nobody else can tell which name a grader's hash is of
# https://opentelemetry.io/docs/specs/otel/protocol/exporter/
EXPORTER_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
EXPORTER_CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE"

# ---- Values --------------------------------------------------------------------------------------------

PASS, FAIL = "pass", "fail"
UNDECIDED, FAILED_EVALUATION = "unknown", "error"  # they count neither as pass nor as fail
RESULT_VERDICTS = (PASS, FAIL, UNDECIDED, FAILED_EVALUATION)
DECIDED = (PASS, FAIL)
UTILITY, ALIGNMENT = "utility", "alignment"
TRACKS = (UTILITY, ALIGNMENT)
SOURCE_GUARD, SOURCE_JUDGE, SOURCE_HUMAN, SOURCE_OUTCOME = "guard", "judge", "human", "outcome"
LIVE, GOLDEN, SCENARIO = "live", "golden", "scenario"
SETS = (LIVE, GOLDEN, SCENARIO)
# How an answer came to be looked at: by the share that all answers of its template have, or because something about
# it was odd, which says nothing of how frequent that is.
UNIFORM, FLAGGED = "uniform", "flagged"
STRATA = (UNIFORM, FLAGGED)
DIMENSIONS = {
    **dict.fromkeys(
        (
            *("task_completion", "helpfulness", "relevance", "completeness", "faithfulness"),
            *("instruction_adherence", "format_valid", "language_match", "consistency", "tone"),
        ),
        UTILITY,
    ),
    **dict.fromkeys(("safety", "privacy", "policy", "refusal_correct", "fairness_gap"), ALIGNMENT),
}  # with the track of each; others are the user's own
# In the order in which one is the primary of several: what kept the answer from coming, what is wrong with all of it,
# what with a part.
FAILURE_MODES = (
    *("provider_error", "rate_limited", "timeout", "cancelled", "content_filtered", "empty"),
    *("unsafe", "pii_leak", "tool_error", "retrieval_empty", "loop_limit", "refusal", "truncated"),
    *("invalid_format", "language_mismatch", "repetition", "ungrounded", "wrong", "irrelevant"),
    *("instruction_violated", "incomplete", "other"),
)
PRIMARY = ("true", "false")
FEEDBACK_KINDS = (*FEEDBACK_SCORES, "other")
# Sums of a person's score y and the judge's f on the same answer, and of the judge's F on all that it judged.
MOMENTS = ("n", "y", "f", "yy", "ff", "yf", "N", "F", "FF")

# ---- Labels ----------------------------------------------------------------------------------------------

LABEL_TEMPLATE_VERSION = "template_version"
LABEL_RELEASE = "release"
LABEL_DIMENSION = "dimension"
LABEL_SOURCE = "source"
LABEL_SET = "set"
LABEL_VERDICT = "verdict"
LABEL_EVALUATOR = "evaluator"
LABEL_RUBRIC = "rubric"
LABEL_JUDGE = "judge"
LABEL_HUMAN = "human"
LABEL_MOMENT = "moment"
LABEL_MODE = "mode"
LABEL_FAILURE_MODE = "failure_mode"  # of a task, in the app's words
LABEL_PRIMARY = "primary"
LABEL_LANGUAGE = "language"
LABEL_TASK = "task"
LABEL_RESPONSE_CACHE = "response_cache"
_OF_VERSION = (LABEL_SERVICE, LABEL_TEMPLATE, LABEL_TEMPLATE_VERSION)
_OF_RELEASE = (*_OF_VERSION, LABEL_RELEASE)
_OF_JUDGE = (*_OF_VERSION, LABEL_DIMENSION, LABEL_EVALUATOR, LABEL_RUBRIC)

# ---- Families --------------------------------------------------------------------------------------------

# US dollars: from some words of a small model to hours of an agent's.
COST_BOUNDS = (*(float(f"{digit}e{exponent}") for exponent in range(-5, 1) for digit in (1, 2, 5)), 10.0)
SCORE_BOUNDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

RESPONSES = Family(
    "llm_responses_total",
    "counter",
    "Answers that users got, by the version of their prompt and their app.",
    (LABEL_SERVICE, LABEL_MODEL, LABEL_TEMPLATE, LABEL_TEMPLATE_VERSION, LABEL_RELEASE),
)
CALL_COST = Family(
    "llm_call_cost_usd",
    "histogram",
    "Cost of an LLM call in US dollars, where it is known.",
    (LABEL_SERVICE, LABEL_MODEL, LABEL_TEMPLATE, LABEL_TEMPLATE_VERSION),
    COST_BOUNDS,
)
FEEDBACK = Family(
    "llm_feedback_total",
    "counter",
    "What users did with answers: as they said (source user), or as their next question shows (heuristic).",
    (LABEL_SERVICE, LABEL_MODEL, LABEL_TEMPLATE, LABEL_TEMPLATE_VERSION, LABEL_RELEASE, LABEL_SOURCE, LABEL_KIND),
)
QUALITY_RESULTS = Family(
    "llm_quality_results_total",
    "counter",
    "Verdicts on answers; unknown and error are neither pass nor fail.",
    (*_OF_RELEASE, LABEL_DIMENSION, LABEL_SOURCE, LABEL_SET, LABEL_VERDICT),
)
QUALITY_SCORE = Family(
    "llm_quality_score",
    "histogram",
    "Scores of answers from 0 (bad) to 1 (good).",
    (LABEL_SERVICE, LABEL_TEMPLATE, LABEL_DIMENSION, LABEL_SOURCE),
    SCORE_BOUNDS,
)
QUALITY_WEIGHT = Family(
    "llm_quality_weight_total",
    "counter",
    "Weights of live verdicts that are pass or fail: for how many answers they stand.",
    (*_OF_VERSION, LABEL_DIMENSION, LABEL_SOURCE),
)
QUALITY_WEIGHT_SQUARED = Family(
    "llm_quality_weight_squared_total", "counter", "Squares of those weights.", QUALITY_WEIGHT.labels
)
QUALITY_WEIGHTED_PASS = Family(
    "llm_quality_weighted_pass_total", "counter", "Weights of those verdicts that are pass.", QUALITY_WEIGHT.labels
)
QUALITY_JUDGED = Family(
    "llm_quality_judged_total",
    "counter",
    "Verdicts of a judge on the uniform sample of live answers, by its model and rubric.",
    (*_OF_JUDGE, LABEL_VERDICT),
)
QUALITY_PAIRS = Family(
    "llm_quality_pairs_total",
    "counter",
    "Answers of that sample that a person has graded, too, by both verdicts.",
    (*_OF_JUDGE, LABEL_JUDGE, LABEL_HUMAN),
)
QUALITY_PAIR_SUMS = Family(
    "llm_quality_pair_sums_total",
    "counter",
    "Sums of scores: of a person's y and the judge's f on the same answer, and of the judge's F on all of the sample.",
    (*_OF_JUDGE, LABEL_MOMENT),
)
HUMAN_PAIRS = Family(
    "llm_human_pairs_total",
    "counter",
    "Answers that two people have graded, by the verdicts of the first and the second.",
    (LABEL_SERVICE, LABEL_TEMPLATE, LABEL_DIMENSION, LABEL_RUBRIC, "a", "b"),
)
QUALITY_BY_LATENCY = Family(
    "llm_quality_by_latency_total",
    "counter",
    "Verdicts on live answers, by how long the call took.",
    (LABEL_SERVICE, LABEL_DIMENSION, LABEL_SOURCE, LABEL_VERDICT, LABEL_LATENCY_BAND),
)
QUALITY_BY_LANGUAGE = Family(
    "llm_quality_by_language_total",
    "counter",
    "Verdicts on live answers, by the language of the answer.",
    (LABEL_SERVICE, LABEL_DIMENSION, LABEL_SOURCE, LABEL_LANGUAGE, LABEL_VERDICT),
)
FAILURES = Family(
    "llm_failures_total",
    "counter",
    "Ways in which answers failed; an answer may fail in several, of which exactly one is primary.",
    (*_OF_RELEASE, LABEL_MODE, LABEL_PRIMARY),
)
EVALUATION_LAG = Family(
    "llm_evaluation_lag_seconds",
    "histogram",
    "Time from an answer to the verdict on it.",
    (LABEL_SERVICE, LABEL_SOURCE),
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
TASKS = Family(
    "llm_tasks_total",
    "counter",
    "What users set out to do, by how it ended.",
    (LABEL_SERVICE, LABEL_TASK, LABEL_RELEASE, LABEL_OUTCOME),
)
TASK_DURATION = Family(
    "llm_task_duration_seconds",
    "histogram",
    "Time from the start of a task to its end.",
    (LABEL_SERVICE, LABEL_TASK, LABEL_OUTCOME),
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
TASK_FAILURES = Family(
    "llm_task_failures_total",
    "counter",
    "Failed tasks, by the way in which the app says that they failed.",
    (LABEL_SERVICE, LABEL_TASK, LABEL_RELEASE, LABEL_FAILURE_MODE),
)
RESPONSE_CACHE_LOOKUPS = Family(
    "llm_response_cache_lookups_total",
    "counter",
    "Lookups in the app's own caches of answers.",
    (LABEL_SERVICE, LABEL_RESPONSE_CACHE, LABEL_OUTCOME),
)
RESPONSE_CACHE_DURATION = Family(
    "llm_response_cache_lookup_seconds",
    "histogram",
    "Time of a lookup in the app's own cache of answers.",
    (LABEL_SERVICE, LABEL_RESPONSE_CACHE, LABEL_OUTCOME),
    SECONDS_BOUNDS,
    SECONDS_OCTAVES,
)
RESPONSE_CACHE_SAVED_SECONDS = Family(
    "llm_response_cache_saved_seconds_total",
    "counter",
    "Time that the calls took which hits have saved.",
    (LABEL_SERVICE, LABEL_RESPONSE_CACHE),
)
RESPONSE_CACHE_SAVED_TOKENS = Family(
    "llm_response_cache_saved_tokens_total",
    "counter",
    "Tokens of the calls which hits have saved.",
    (LABEL_SERVICE, LABEL_RESPONSE_CACHE, LABEL_TOKEN_TYPE),
)

QUALITY_FAMILIES = tuple(value for value in tuple(globals().values()) if isinstance(value, Family))
COUNTED_FAMILIES = (*CALL_FAMILIES, *QUALITY_FAMILIES)  # what records are counted in

# ---- What the collector tells of its own evaluating --------------------------------------------------------

JUDGE_OK, JUDGE_INVALID, JUDGE_FAILED, JUDGE_TIMEOUT = "ok", "invalid", "failed", "timeout"
JUDGE_OUTCOMES = (JUDGE_OK, JUDGE_INVALID, JUDGE_FAILED, JUDGE_TIMEOUT)
# What is wrong with an answer of the judge that is invalid; what is wrong with a request that failed is one of
# ERROR_CLASSES, or a reason for which none was sent.
NOT_JSON, NO_ANSWER, NO_OPTION, REFUSED = "not_json", "no_answer", "no_option", "refused"
CUT_OFF, EMPTY_ANSWER, OVERSIZED = "cut_off", "empty", "oversized"
JUDGE_INVALID_REASONS = (NOT_JSON, NO_ANSWER, NO_OPTION, REFUSED, CUT_OFF, EMPTY_ANSWER, OVERSIZED)
QUEUE_FULL, BUDGET_GONE, CIRCUIT_OPEN, STOPPING = "queue_full", "budget_gone", "circuit_open", "stopping"
INCOMPLETE_CONTENT, FAULT = (
    "incomplete_content",
    "fault",
)  # messages that were cut on their way; a fault of the collector
EVALUATION_DROP_REASONS = (QUEUE_FULL, BUDGET_GONE, CIRCUIT_OPEN, STOPPING, INCOMPLETE_CONTENT, FAULT)
AGREED = ("true", "false")
LABEL_AGREED = "agreed"
LABEL_REASON_OF_DROP = "reason"

JUDGE_REQUESTS = Family("llm_judge_requests_total", "counter", "Requests to a judge.", (LABEL_JUDGE, LABEL_OUTCOME))
JUDGE_RETRIES = Family("llm_judge_retries_total", "counter", "Requests that were sent again.", (LABEL_JUDGE,))
JUDGE_TOKENS = Family("llm_judge_tokens_total", "counter", "Tokens that judging took.", (LABEL_JUDGE, LABEL_TOKEN_TYPE))
JUDGE_COST = Family("llm_judge_cost_usd_total", "counter", "What judging cost, in US dollars.", (LABEL_JUDGE,))
JUDGE_DURATION = Family(
    "llm_judge_duration_seconds", "histogram", "Time of a judgement, retries included.", (), SECONDS_BOUNDS
)
JUDGE_BUDGET_LEFT = Family(
    "llm_judge_budget_left_ratio",
    "gauge",
    "The share of today's budget that is left, of whichever is scarcer.",
    (LABEL_JUDGE,),
)
JUDGE_SELF_AGREEMENT = Family(
    "llm_judge_self_agreement_total",
    "counter",
    "Answers that were judged again, by whether the verdict was the same.",
    (LABEL_JUDGE, LABEL_DIMENSION, LABEL_AGREED),
)
EVALUATIONS_WAITING = Family("llm_evaluations_waiting", "gauge", "Answers that wait to be evaluated.")
EVALUATIONS_DROPPED = Family(
    "llm_evaluations_dropped_total",
    "counter",
    "Answers that were to be evaluated and were not.",
    (LABEL_REASON_OF_DROP,),
)
SAMPLING_SHARE = Family(
    "llm_evaluation_sampling_share",
    "gauge",
    "The share of a template's answers that is judged.",
    (LABEL_SERVICE, LABEL_TEMPLATE),
)

EVALUATION_LAST = Family(
    "llm_evaluation_last_timestamp_seconds",
    "gauge",
    "When the last result of a source on a set of answers was counted: of people, of a nightly run.",
    (LABEL_SERVICE, LABEL_SOURCE, LABEL_SET),
)
EVALUATION_SET_TIMESTAMP = Family(
    "llm_evaluation_set_timestamp_seconds",
    "gauge",
    "When the questions of a set that is no live traffic were put together.",
    (LABEL_SERVICE, LABEL_SET),
)

JUDGE_FAMILIES = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Family) and value not in QUALITY_FAMILIES
)
