"""The board *LLM overview*: are we fine? For everybody, over a week."""

from boards import Row, board
from expressions import RANGE, STEP, collector, increase, matching, objective, quantile, rate, share
from llmvitals import semconv
from panels import (
    CALLS_PER_SECOND,
    COUNT,
    FACTOR,
    OBJECTIVE,
    SECONDS,
    SHARE,
    TOKENS_PER_SECOND,
    by,
    lines,
    number,
    percentiles,
    stacked,
    table_by,
)

CALLS, FEEDBACK, SLO_EVENTS, TEMPLATE = semconv.CALLS, semconv.FEEDBACK, semconv.SLO_EVENTS, semconv.LABEL_TEMPLATE
OK = matching(semconv.LABEL_OUTCOME, semconv.OK)
FAILED = matching(semconv.LABEL_OUTCOME, semconv.ERROR)
BAD = matching(semconv.LABEL_OUTCOME, semconv.BAD)
PROMPT_CACHE = matching(semconv.LABEL_CACHE, semconv.PROMPT_CACHE)
PROMPT_CACHE_HIT = f"{PROMPT_CACHE}, {matching(semconv.LABEL_OUTCOME, semconv.HIT)}"
POSITIVE, NEGATIVE, VERDICT = (
    matching(semconv.LABEL_KIND, *(kind for kind, score in semconv.FEEDBACK_SCORES.items() if score in scores))
    for scores in ({1.0}, {0.0}, {0.0, 1.0})
)
# What users say themselves; what their next question shows of them is never positive.
SAID = matching(semconv.LABEL_SOURCE, semconv.SOURCE_USER)
SAID_POSITIVE, SAID_VERDICT = f"{POSITIVE}, {SAID}", f"{VERDICT}, {SAID}"
BAD_SHARE = share(
    increase(SLO_EVENTS, TEMPLATE, semconv.LABEL_SLO, where=BAD), increase(SLO_EVENTS, TEMPLATE, semconv.LABEL_SLO)
)
ALLOWED_SHARE = f"(1 - max by ({semconv.LABEL_SLO}) ({semconv.SLO_OBJECTIVE.name}))"
BUDGET_BURN = f"max by ({TEMPLATE}) ({BAD_SHARE} / on ({semconv.LABEL_SLO}) group_left () {ALLOWED_SHARE})"

IN_SHORT = [
    number(
        "Budget left",
        "How much is left of the bad calls that the objectives allow in 30 days, over all services and models? "
        "100 % is all of it; below 0 % the promise is broken. It is known from the first full hour on.",
        SHARE,
        {by(semconv.LABEL_SLO): semconv.SLO_BUDGET_LEFT},
        colours={None: "red", 0: "orange", 0.25: "green"},
    ),
    number("Calls", "How many calls were made?", COUNT, {"calls": increase(CALLS)}),
    number(
        "Failed calls",
        "Which share of the calls failed? n is the number of calls.",
        SHARE,
        {"failed": share(increase(CALLS, where=FAILED), increase(CALLS)), "n": increase(CALLS)},
    ),
    number(
        "First token, p95",
        "After how long do 95 % of the streamed answers show something?",
        SECONDS,
        {
            "p95": quantile(0.95, semconv.FIRST_TOKEN, window=RANGE),
            OBJECTIVE: objective(semconv.SLO_FIRST_TOKEN),
        },
    ),
    number(
        "Duration, p95",
        "After how long are 95 % of the successful answers complete?",
        SECONDS,
        {
            "p95": quantile(0.95, semconv.DURATION, where=OK, window=RANGE),
            OBJECTIVE: objective(semconv.SLO_DURATION),
        },
    ),
    number(
        "Positive feedback",
        "Which share of the users' verdicts is positive? n is the number of verdicts.",
        SHARE,
        {
            "positive": share(increase(FEEDBACK, where=SAID_POSITIVE), increase(FEEDBACK, where=SAID_VERDICT)),
            "n": increase(FEEDBACK, where=SAID_VERDICT),
        },
    ),
    stacked(
        "Calls by outcome",
        "Is it the volume or the failures that changed?",
        CALLS_PER_SECOND,
        rate(CALLS, semconv.LABEL_OUTCOME),
        semconv.LABEL_OUTCOME,
        width=8,
    ),
    percentiles(
        "First token",
        "How long do users wait until something appears?",
        semconv.FIRST_TOKEN,
        objective=objective(semconv.SLO_FIRST_TOKEN),
    ),
    percentiles(
        "Duration",
        "How long do users wait for the whole answer?",
        semconv.DURATION,
        where=OK,
        objective=objective(semconv.SLO_DURATION),
    ),
    table_by(
        TEMPLATE,
        "Templates by need of attention",
        "Which prompt template should be looked at first? Budget burn is the share of bad calls divided by the share "
        "that the objective allows, of the worst objective: above 1 the template breaks it.",
        {
            "Budget burn": (FACTOR, BUDGET_BURN),
            "Calls": (COUNT, increase(CALLS, TEMPLATE)),
            "Failed": (SHARE, share(increase(CALLS, TEMPLATE, where=FAILED), increase(CALLS, TEMPLATE))),
            "First token p95": (SECONDS, quantile(0.95, semconv.FIRST_TOKEN, TEMPLATE, window=RANGE)),
            "Duration p95": (SECONDS, quantile(0.95, semconv.DURATION, TEMPLATE, where=OK, window=RANGE)),
            "Negative feedback": (COUNT, increase(FEEDBACK, TEMPLATE, where=NEGATIVE)),
        },
        sort="Budget burn",
    ),
]

USERS = [
    lines(
        "Positive feedback over time",
        "Do users like the answers more or less than before? Bars: the verdicts behind a point.",
        SHARE,
        {
            "positive": share(rate(FEEDBACK, where=SAID_POSITIVE), rate(FEEDBACK, where=SAID_VERDICT)),
            "n": increase(FEEDBACK, where=SAID_VERDICT, window=STEP),
        },
        width=12,
    ),
    stacked(
        "Feedback by kind",
        "What do users do with the answers?",
        COUNT,
        increase(FEEDBACK, semconv.LABEL_KIND, window=STEP),
        semconv.LABEL_KIND,
        width=12,
    ),
]

TOKENS = [
    lines(
        "Tokens by type",
        "How many tokens go in and out? Cached ones are a part of the input, reasoning is a part of the output.",
        TOKENS_PER_SECOND,
        {by(semconv.LABEL_TOKEN_TYPE): rate(semconv.TOKENS, semconv.LABEL_TOKEN_TYPE)},
        width=12,
    ),
    lines(
        "Prompt cache hits",
        "For which share of the calls did the provider's cache hold a part of the prompt? Bars: the calls that tell.",
        SHARE,
        {
            "hits": share(
                rate(semconv.CACHE_LOOKUPS, where=PROMPT_CACHE_HIT), rate(semconv.CACHE_LOOKUPS, where=PROMPT_CACHE)
            ),
            "n": increase(semconv.CACHE_LOOKUPS, where=PROMPT_CACHE, window=STEP),
        },
        width=12,
    ),
]

TRUST = [
    lines(
        "Age of the newest data",
        "When did the collector last hear of each service?",
        SECONDS,
        {
            by(semconv.LABEL_SERVICE): f"time() - max by ({semconv.LABEL_SERVICE}) "
            f'({semconv.COLLECTOR_LAST_RECEIVED.name}{{{semconv.LABEL_SERVICE}=~"$service"}})'
        },
    ),
    lines(
        "Refused requests",
        "Does the collector refuse telemetry, so that calls are missing here, and why?",
        COUNT,
        {by(semconv.LABEL_REASON): collector(semconv.COLLECTOR_REFUSED_REQUESTS, semconv.LABEL_REASON)},
    ),
    lines(
        "Rows in overflow series",
        "Are there more models or templates than the collector may tell apart?",
        COUNT,
        {by(semconv.LABEL_METRIC): collector(semconv.COLLECTOR_SERIES_OVERFLOW, semconv.LABEL_METRIC)},
    ),
]

BOARD = board(
    "llm-overview",
    "LLM overview",
    "Are we fine? Calls, speed, errors and feedback of every service that calls a model.",
    "7d",
    [
        Row("", IN_SHORT),
        Row("What users say", USERS),
        Row("Tokens and prompt cache", TOKENS),
        Row("Can these numbers be trusted?", TRUST),
    ],
)
