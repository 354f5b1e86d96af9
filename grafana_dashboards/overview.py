"""The board *LLM overview*: are we fine? For everybody, over a week."""

from boards import Row, board
from expressions import (
    RANGE,
    STEP,
    VARIABLES,
    age,
    both,
    increase,
    largest,
    matching,
    objective,
    per_observation,
    quantile,
    rate,
    recorded,
    releases,
    share,
    threshold,
    total,
)
from intervals import LARGEST, of_row, slices
from llmvitals import semconv
from panels import (
    CALLS_PER_SECOND,
    COUNT,
    DATE,
    DOLLARS,
    FACTOR,
    OBJECTIVE,
    SECONDS,
    SHARE,
    by,
    lines,
    link,
    number,
    percentiles,
    stacked,
    why,
)
from rates import OPINION, POSITIVE

CALLS, FEEDBACK, SLO_EVENTS = semconv.CALLS, semconv.FEEDBACK, semconv.SLO_EVENTS
SERVICE, TEMPLATE, DIMENSION = semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_DIMENSION
OK = matching(semconv.LABEL_OUTCOME, semconv.OK)
FAILED = matching(semconv.LABEL_OUTCOME, semconv.ERROR)
BAD = matching(semconv.LABEL_OUTCOME, semconv.BAD)
# What users say themselves; what their next question shows of them is never positive.
SAID = matching(semconv.LABEL_SOURCE, semconv.SOURCE_USER)
SAID_POSITIVE, SAID_VERDICT = both(POSITIVE, SAID), both(OPINION, SAID)

BAD_SHARE = share(
    increase(SLO_EVENTS, TEMPLATE, semconv.LABEL_SLO, where=BAD), increase(SLO_EVENTS, TEMPLATE, semconv.LABEL_SLO)
)
ALLOWED_SHARE = f"(1 - {largest(semconv.SLO_OBJECTIVE, semconv.LABEL_SLO)})"
BUDGET_BURN = f"max by ({TEMPLATE}) ({BAD_SHARE} / on ({semconv.LABEL_SLO}) group_left () {ALLOWED_SHARE})"

# Rates of pass of the last week. What is judged seldom has a low lower bound for that alone, and is left out.
WEEK = "7d"
QUALITY, QUALITY_LOW, QUALITY_HIGH, QUALITY_N, FLOOR, NEGATIVE, NEGATIVE_N = (
    recorded(name, WEEK)
    for name in (
        semconv.RECORDED_QUALITY,
        semconv.RECORDED_QUALITY_LOW,
        semconv.RECORDED_QUALITY_HIGH,
        semconv.RECORDED_QUALITY_N,
        semconv.CATALOGUE_FLOOR,
        semconv.RECORDED_TEMPLATE_NEGATIVE_FEEDBACK,
        semconv.RECORDED_TEMPLATE_NEGATIVE_FEEDBACK_N,
    )
)
JUDGED_OFTEN = f"({QUALITY_LOW} and {QUALITY_N} >= {threshold('quality_drop_n')})"
WORST = f"bottomk(1, {JUDGED_OFTEN})"
WORST_OF_TEMPLATE = f"bottomk by ({TEMPLATE}) (1, {JUDGED_OFTEN})"

IN_SHORT = [
    number(
        "Budget left",
        "How much is left of the bad calls that the worst-kept objective allows in 30 days? 100 % is all of it; below "
        "0 % the promise is broken. It is known from the first full hour on.",
        SHARE,
        {by(semconv.LABEL_SLO): f"bottomk(1, {semconv.SLO_BUDGET_LEFT})"},
        colours={None: "red", 0: "orange", 0.25: "green"},
        width=3,
    ),
    number(
        "Calls",
        "How many calls were made (n), and which share of them failed?",
        SHARE,
        {"failed": share(increase(CALLS, where=FAILED), increase(CALLS)), "n": increase(CALLS)},
    ),
    number(
        "First token, p95",
        "After how long do 95 % of the streamed answers show something?",
        SECONDS,
        {"p95": quantile(0.95, semconv.FIRST_TOKEN, window=RANGE), OBJECTIVE: objective(semconv.SLO_FIRST_TOKEN)},
    ),
    number(
        "Duration, p95",
        "After how long are 95 % of the successful answers complete?",
        SECONDS,
        {"p95": quantile(0.95, semconv.DURATION, where=OK, window=RANGE), OBJECTIVE: objective(semconv.SLO_DURATION)},
    ),
    number(
        "Quality where it is worst",
        "Of the template and dimension that may be the worst, which share of the answers of the last 7 days passes? "
        "n is how many were judged; the true share is between the two bounds in 95 of 100 weeks. The floor is what "
        "the catalogue asks for.",
        SHARE,
        {
            f"{by(TEMPLATE)} {by(DIMENSION)}": f"{QUALITY} and {WORST}",
            "at least": WORST,
            "at most": f"{QUALITY_HIGH} and {WORST}",
            "floor": f"max({FLOOR} and on ({SERVICE}, {TEMPLATE}, {DIMENSION}) {WORST})",
            "n": f"{QUALITY_N} and {WORST}",
        },
        width=5,
    ),
    number(
        "Cost",
        "What was spent, what would 30 days like the last one cost, and what is the month's budget of all services "
        "together? '30 days' is of all models and templates. Calls without a known price are not in it, nor are "
        "judges.",
        DOLLARS,
        {
            "spent": increase(semconv.COST),
            "30 days": total(recorded(semconv.RECORDED_COST_FORECAST)),
            "budget": total(recorded(semconv.CATALOGUE_BUDGET, where=matching(SERVICE, semconv.ALL_SERVICES))),
        },
    ),
    stacked(
        "Calls by outcome",
        "Is it the volume or the failures that changed?",
        CALLS_PER_SECOND,
        rate(CALLS, semconv.LABEL_OUTCOME),
        semconv.LABEL_OUTCOME,
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
    slices(
        "Templates by need of attention",
        "Which prompt template should be looked at first? Budget burn is the share of bad calls divided by the share "
        "that the objective allows, of the worst objective: above 1 the template breaks it. Quality is what at least "
        "passes in the worst dimension, of so many judged answers; it and the negative feedback are of the last "
        "7 days and of all models. A click on a number leads to what is behind it.",
        (TEMPLATE,),
        {
            "Budget burn": (FACTOR, BUDGET_BURN),
            "Calls": (COUNT, increase(CALLS, TEMPLATE)),
            "Failed": (SHARE, share(increase(CALLS, TEMPLATE, where=FAILED), increase(CALLS, TEMPLATE))),
            "First token p95": (SECONDS, quantile(0.95, semconv.FIRST_TOKEN, TEMPLATE, window=RANGE)),
            "Duration p95": (SECONDS, quantile(0.95, semconv.DURATION, TEMPLATE, where=OK, window=RANGE)),
            "Quality, at least": (SHARE, f"max by ({TEMPLATE}) ({WORST_OF_TEMPLATE})"),
            "Judged": (COUNT, f"max by ({TEMPLATE}) ({QUALITY_N} and {WORST_OF_TEMPLATE})"),
            "Negative feedback": (SHARE, f"max by ({TEMPLATE}) ({NEGATIVE})"),
            "Answers": (COUNT, f"max by ({TEMPLATE}) ({NEGATIVE_N})"),
            "USD per call": (DOLLARS, per_observation(semconv.CALL_COST, TEMPLATE)),
        },
        sort={"Budget burn": LARGEST},
        leads={
            TEMPLATE: why(TEMPLATE, of_row(TEMPLATE)),
            **{
                column: link(board, question, {VARIABLES[TEMPLATE]: of_row(TEMPLATE)})
                for column, board, question in (
                    ("Quality, at least", "llm-quality", "How good are the answers of this template?"),
                    ("Negative feedback", "llm-feedback", "What do users do with the answers of this template?"),
                    ("USD per call", "llm-cost", "What does this template cost?"),
                )
            },
        },
    ),
    slices(
        "Releases",
        "Which version of which app, prompt or model came last? Each is a mark on the graphs, too.",
        semconv.RELEASE_TIMESTAMP.labels,
        {"First seen": (DATE, releases())},
        sort={"First seen": LARGEST},
    ),
]

USERS = [
    lines(
        "Positive feedback",
        "Which share of the users' verdicts is positive? Bars: the verdicts behind a point.",
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

TRUST = [
    lines(
        "Age of the newest data",
        "When did a collector last hear of each service?",
        SECONDS,
        {by(SERVICE): age(semconv.COLLECTOR_LAST_RECEIVED, SERVICE)},
    ),
    lines(
        "Refused requests",
        "Do collectors refuse telemetry, so that calls are missing here, and why?",
        COUNT,
        {by(semconv.LABEL_REASON): increase(semconv.COLLECTOR_REFUSED_REQUESTS, semconv.LABEL_REASON, window=STEP)},
    ),
    lines(
        "Rows in overflow series",
        "Are there more models or templates than a collector may tell apart?",
        COUNT,
        {"rows": increase(semconv.COLLECTOR_SERIES_OVERFLOW, window=STEP)},
    ),
]

BOARD = board(
    "llm-overview",
    "LLM overview",
    "Are we fine? Calls, speed, errors, quality, feedback and cost of every service that calls a model.",
    "7d",
    [
        Row("", IN_SHORT),
        Row("What users say", USERS),
        Row("Can these numbers be trusted? More on the board LLM collector", TRUST),
    ],
)
