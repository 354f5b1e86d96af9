"""The board *LLM latency*: why is it slow, or failing? For on-call, over six hours."""

from grafana_foundation_sdk.models.dashboard import Panel

from boards import Row, board
from expressions import (
    RANGE,
    STEP,
    buckets,
    by_quantile,
    clamped,
    increase,
    largest,
    matching,
    objective,
    observations,
    quantile,
    rate,
    share,
)
from intervals import LARGEST, of_row, slices
from llmvitals import semconv
from llmvitals.semconv import Family
from panels import (
    CALLS_PER_SECOND,
    COUNT,
    OBJECTIVE,
    PER_CALL,
    SECONDS,
    SHARE,
    TOKENS_PER_SECOND,
    by,
    heatmap,
    lines,
    percentiles,
    quantile_by,
    stacked,
    why,
)

CALLS, DURATION, FIRST_TOKEN, RETRIES = semconv.CALLS, semconv.DURATION, semconv.FIRST_TOKEN, semconv.RETRIES
MODEL, TEMPLATE = semconv.LABEL_MODEL, semconv.LABEL_TEMPLATE
CACHE, INPUT_BAND = semconv.LABEL_CACHE, semconv.LABEL_INPUT_BAND
OK = matching(semconv.LABEL_OUTCOME, semconv.OK)
FAILED = matching(semconv.LABEL_OUTCOME, semconv.ERROR)
STOPPED = matching(semconv.LABEL_OUTCOME, semconv.STOPPED)
GOOD = matching(semconv.LABEL_OUTCOME, semconv.GOOD)
CACHE_HIT, CACHE_MISS = (matching(CACHE, outcome) for outcome in semconv.CACHE_OUTCOMES)
CACHE_TOLD = matching(CACHE, *semconv.CACHE_OUTCOMES)
MISS_P95, HIT_P95 = (
    quantile(0.95, semconv.FIRST_TOKEN_BY_INPUT, INPUT_BAND, where=where, window=RANGE)
    for where in (CACHE_MISS, CACHE_HIT)
)
TIMED_OUT, LIMITED = (matching(semconv.LABEL_ERROR_CLASS, error) for error in (semconv.TIMEOUT, semconv.RATE_LIMIT))
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
            f"{OBJECTIVE} {by(semconv.LABEL_SLO)}": largest(semconv.SLO_OBJECTIVE, semconv.LABEL_SLO),
            f"n {by(semconv.LABEL_SLO)}": increase(semconv.SLO_EVENTS, semconv.LABEL_SLO, window=STEP),
        },
        width=24,
    ),
    *(
        lines(
            f"{what}, p95, against a week ago",
            f"{question} Is it slower than at the same time a week ago?",
            SECONDS,
            {
                "p95": quantile(0.95, family, where=where),
                "a week ago": quantile(0.95, family, where=where, offset="7d"),
            },
            width=12,
        )
        for what, question, family, where in (
            ("First token", "How long do users wait until something appears?", FIRST_TOKEN, ""),
            ("Duration", "How long do users wait for the whole answer?", DURATION, OK),
        )
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
    for name, label in (("model", MODEL), ("template", TEMPLATE))
)

COMPARISON = slices(
    "Templates by duration",
    "Which template is slow, and is it slower than a week ago?",
    (TEMPLATE,),
    {
        "p95": (SECONDS, f"{P95} >= 0"),
        "p95, change in a week": (SHARE, f"{P95} / {P95_A_WEEK_AGO} - 1"),
        "p50": (SECONDS, quantile(0.5, DURATION, TEMPLATE, where=OK, window=RANGE)),
        "p99": (SECONDS, quantile(0.99, DURATION, TEMPLATE, where=OK, window=RANGE)),
        "Calls": (COUNT, increase(CALLS, TEMPLATE, where=OK)),
    },
    sort={"p95": LARGEST},
    lead=why(TEMPLATE, of_row(TEMPLATE)),
)


def by_input(title: str, question: str, family: Family, label: str, where: str = "") -> Panel:
    """How slow calls of each kind of input are, beside how many there are of it."""
    values = {
        by(label): quantile(0.95, family, label, where=where),
        f"n {by(label)}": observations(family, label, where=where, window=STEP),
    }
    return lines(title, f"{question} Bars: the calls behind a point.", SECONDS, values, exemplars=True, width=12)


INPUT = [
    by_input(
        "First token by input length, p95",
        "Do users wait longer until something appears where the prompt has more tokens?",
        semconv.FIRST_TOKEN_BY_INPUT,
        INPUT_BAND,
    ),
    by_input(
        "Duration by input length, p95",
        "Do answers take longer where the prompt has more tokens?",
        semconv.DURATION_BY_INPUT,
        INPUT_BAND,
    ),
    by_input(
        "First token by prompt cache, p95",
        "How much sooner does something appear if the provider's cache holds a part of the prompt (hit)?",
        semconv.FIRST_TOKEN_BY_INPUT,
        CACHE,
        CACHE_TOLD,
    ),
    by_input(
        "Duration by prompt cache, p95",
        "How much sooner is the answer complete if the provider's cache holds a part of the prompt (hit)?",
        semconv.DURATION_BY_INPUT,
        CACHE,
        CACHE_TOLD,
    ),
    slices(
        "Prompt cache by input length",
        "How much sooner does something appear if the prompt cache hits, of prompts that are as long? Hits are mostly "
        "long prompts, so that all hits against all misses says less.",
        (INPUT_BAND,),
        {
            "First token p95, miss": (SECONDS, f"{MISS_P95} >= 0"),
            "First token p95, hit": (SECONDS, HIT_P95),
            "Calls, miss": (COUNT, observations(semconv.FIRST_TOKEN_BY_INPUT, INPUT_BAND, where=CACHE_MISS)),
            "Calls, hit": (COUNT, observations(semconv.FIRST_TOKEN_BY_INPUT, INPUT_BAND, where=CACHE_HIT)),
        },
        sort={"First token p95, miss": LARGEST},
    ),
]

SHAPE = [
    heatmap("Spread of first tokens", "Is there one kind of call or several?", SECONDS, buckets(FIRST_TOKEN)),
    heatmap("Spread of durations", "Is there one kind of call or several?", SECONDS, buckets(DURATION, where=OK)),
    lines(
        "Where the time goes, p95",
        "Do users wait for a connection (queue), for the provider to begin (first chunk), for its reasoning (first "
        "token, then first token of the answer) or for the text?",
        SECONDS,
        {
            "queue": quantile(0.95, semconv.QUEUE),
            "first chunk": quantile(0.95, semconv.FIRST_CHUNK),
            "first token": quantile(0.95, FIRST_TOKEN),
            "first token of the answer": quantile(0.95, semconv.ANSWER_TOKEN),
            "duration": quantile(0.95, DURATION, where=OK),
        },
        exemplars=True,
        width=24,
    ),
    percentiles("Wait for a connection", "Does the app itself hold requests back?", semconv.QUEUE),
    percentiles(
        "First token of the answer",
        "How long does reasoning keep users waiting, of models that reason before they answer?",
        semconv.ANSWER_TOKEN,
    ),
    lines(
        "Gaps between chunks",
        "Does the text flow, or does it stutter?",
        SECONDS,
        by_quantile(semconv.CHUNK_GAPS),
    ),
    lines(
        "Streamed answers",
        "Which share of the calls shows its answer as it comes? The others show nothing before they end. "
        "Bars: all calls.",
        SHARE,
        {
            "streamed": clamped(share(observations(FIRST_TOKEN, window=STEP), increase(CALLS, window=STEP))),
            "n": increase(CALLS, window=STEP),
        },
        width=24,
    ),
]

ERRORS = [
    stacked(
        "Errors by class",
        "Why do calls fail: timeouts, rate limits, or what else?",
        CALLS_PER_SECOND,
        rate(CALLS, semconv.LABEL_ERROR_CLASS, where=FAILED),
        semconv.LABEL_ERROR_CLASS,
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
    ),
    lines(
        "Retries",
        "How many more attempts do clients make for each call? A slow tail is often that. Bars: all calls.",
        PER_CALL,
        {by(MODEL): share(rate(RETRIES, MODEL), rate(CALLS, MODEL)), "n": increase(CALLS, window=STEP)},
    ),
    *(
        slices(
            f"{name} by errors",
            f"Which {name[:-1].lower()} fails, and how?",
            (label,),
            {
                "Failed": (SHARE, share(increase(CALLS, label, where=FAILED), increase(CALLS, label))),
                "Timeouts": (COUNT, increase(CALLS, label, where=TIMED_OUT)),
                "Rate limits": (COUNT, increase(CALLS, label, where=LIMITED)),
                "Retries": (COUNT, increase(RETRIES, label)),
                "Calls": (COUNT, increase(CALLS, label)),
            },
            sort={"Failed": LARGEST},
            lead=why(label, of_row(label)),
            width=12,
        )
        for name, label in (("Models", MODEL), ("Templates", TEMPLATE))
    ),
]

BOARD = board(
    "llm-latency",
    "LLM latency",
    "Why is it slow, or failing? Percentiles of successful calls; a mark on a graph leads to the trace of one call.",
    "6h",
    [
        Row("", SPEED),
        Row("Objectives and last week", OBJECTIVES),
        Row("By model", MODELS),
        Row("By template", [*TEMPLATES, COMPARISON]),
        Row("By input length and prompt cache", INPUT),
        Row("Where the time goes", SHAPE),
        Row("Errors and retries", ERRORS),
    ],
)
