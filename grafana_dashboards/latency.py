"""The board *LLM latency*: why is it slow, or failing? For on-call, over six hours."""

from boards import Row, board
from expressions import RANGE, STEP, buckets, increase, matching, objective, quantile, rate, share
from llmvitals import semconv
from panels import (
    CALLS_PER_SECOND,
    COUNT,
    OBJECTIVE,
    SECONDS,
    SHARE,
    TOKENS_PER_SECOND,
    by,
    heatmap,
    lines,
    percentiles,
    quantile_by,
    stacked,
    table_by,
)

CALLS, DURATION, FIRST_TOKEN, TEMPLATE = semconv.CALLS, semconv.DURATION, semconv.FIRST_TOKEN, semconv.LABEL_TEMPLATE
OK = matching(semconv.LABEL_OUTCOME, semconv.OK)
FAILED = matching(semconv.LABEL_OUTCOME, semconv.ERROR)
STOPPED = matching(semconv.LABEL_OUTCOME, semconv.STOPPED)
GOOD = matching(semconv.LABEL_OUTCOME, semconv.GOOD)
P95, P95_A_WEEK_AGO = (quantile(0.95, DURATION, TEMPLATE, where=OK, window=RANGE, offset=ago) for ago in ("", "7d"))

SPEED = [
    percentiles(
        "First token",
        "How long do users wait until something appears?",
        FIRST_TOKEN,
        objective=objective(semconv.SLO_FIRST_TOKEN),
    ),
    percentiles(
        "Duration",
        "How long do users wait for the whole answer?",
        DURATION,
        where=OK,
        objective=objective(semconv.SLO_DURATION),
    ),
    percentiles(
        "Output speed",
        "How fast does the text come, once it comes? The slow tail is p5: 95 % are faster.",
        semconv.OUTPUT_SPEED,
        TOKENS_PER_SECOND,
        quantiles=(0.5, 0.05),
    ),
]

OBJECTIVES = [
    lines(
        "Share within the objective",
        "Which share of the calls keeps each objective (dashed: what is promised)?",
        SHARE,
        {
            by(semconv.LABEL_SLO): share(
                rate(semconv.SLO_EVENTS, semconv.LABEL_SLO, where=GOOD), rate(semconv.SLO_EVENTS, semconv.LABEL_SLO)
            ),
            f"{OBJECTIVE} {by(semconv.LABEL_SLO)}": f"max by ({semconv.LABEL_SLO}) ({semconv.SLO_OBJECTIVE.name})",
            f"n {by(semconv.LABEL_SLO)}": increase(semconv.SLO_EVENTS, semconv.LABEL_SLO, window=STEP),
        },
        width=24,
    ),
]

MODELS, TEMPLATES = (
    [
        quantile_by(
            f"First token by {name}, p95",
            f"Which {name} lets users wait until something appears?",
            0.95,
            FIRST_TOKEN,
            label,
            objective=objective(semconv.SLO_FIRST_TOKEN),
        ),
        quantile_by(
            f"Duration by {name}, p95",
            f"Which {name} lets users wait for the whole answer?",
            0.95,
            DURATION,
            label,
            where=OK,
            objective=objective(semconv.SLO_DURATION),
        ),
        quantile_by(
            f"Output speed by {name}, p50",
            f"Which {name} writes slowly?",
            0.5,
            semconv.OUTPUT_SPEED,
            label,
            TOKENS_PER_SECOND,
        ),
    ]
    for name, label in (("model", semconv.LABEL_MODEL), ("template", TEMPLATE))
)

COMPARISON = table_by(
    TEMPLATE,
    "Templates by duration",
    "Which template is slow, and is it slower than a week ago?",
    {
        "p95": (SECONDS, P95),
        "p95, change in a week": (SHARE, f"{P95} / {P95_A_WEEK_AGO} - 1"),
        "p50": (SECONDS, quantile(0.5, DURATION, TEMPLATE, where=OK, window=RANGE)),
        "p99": (SECONDS, quantile(0.99, DURATION, TEMPLATE, where=OK, window=RANGE)),
        "Calls": (COUNT, increase(CALLS, TEMPLATE, where=OK)),
    },
    sort="p95",
)

SHAPE = [
    heatmap("Spread of first tokens", "Is there one kind of call or several?", SECONDS, buckets(FIRST_TOKEN)),
    heatmap("Spread of durations", "Is there one kind of call or several?", SECONDS, buckets(DURATION, where=OK)),
    lines(
        "Where the time goes, p50",
        "Do users wait for the provider to begin (first chunk), for its reasoning (first token) or for the text?",
        SECONDS,
        {
            "first chunk": quantile(0.5, semconv.FIRST_CHUNK),
            "first token": quantile(0.5, FIRST_TOKEN),
            "duration": quantile(0.5, DURATION, where=OK),
        },
        width=24,
    ),
]

ERRORS = [
    stacked(
        "Errors by class",
        "Why do calls fail?",
        CALLS_PER_SECOND,
        rate(CALLS, semconv.LABEL_ERROR_CLASS, where=FAILED),
        semconv.LABEL_ERROR_CLASS,
        width=12,
    ),
    lines(
        "Failed and stopped calls",
        "Which share of the calls fails, and which does the app stop early? Bars: all calls.",
        SHARE,
        {
            "failed": share(rate(CALLS, where=FAILED), rate(CALLS)),
            "stopped": share(rate(CALLS, where=STOPPED), rate(CALLS)),
            "n": increase(CALLS, window=STEP),
        },
        width=12,
    ),
]

BOARD = board(
    "llm-latency",
    "LLM latency",
    "Why is it slow, or failing? Percentiles of successful calls; a mark on a graph leads to the trace of one call.",
    "6h",
    [
        Row("", SPEED),
        Row("Objectives", OBJECTIVES),
        Row("By model", MODELS),
        Row("By template", [*TEMPLATES, COMPARISON]),
        Row("Where the time goes", SHAPE),
        Row("Errors", ERRORS),
    ],
)
