"""The board *LLM cost*: where does the money go, and what does it buy? For product and finance, over a week."""

from boards import Row, board
from expressions import (
    RANGE,
    STEP,
    both,
    clamped,
    increase,
    limit,
    matching,
    observations,
    per_observation,
    quantile,
    rate,
    recorded,
    share,
    total,
)
from intervals import LARGEST, how_good_it_is, of_row, slices
from llmvitals import semconv
from panels import (
    COUNT,
    DOLLARS,
    FACTOR,
    OBJECTIVE,
    PER_CALL,
    SECONDS,
    SHARE,
    TOKENS,
    TOKENS_PER_SECOND,
    by,
    lines,
    number,
    percentiles,
    quantile_by,
    stacked,
    why,
)

CALLS, COST, CALL_COST = semconv.CALLS, semconv.COST, semconv.CALL_COST
SERVICE, MODEL, TEMPLATE = semconv.LABEL_SERVICE, semconv.LABEL_MODEL, semconv.LABEL_TEMPLATE
TOKEN_TYPE, JUDGE, RESPONSE_CACHE = semconv.LABEL_TOKEN_TYPE, semconv.LABEL_JUDGE, semconv.LABEL_RESPONSE_CACHE
HIT = matching(semconv.LABEL_OUTCOME, semconv.HIT)
PROMPT_CACHE = matching(semconv.LABEL_CACHE, semconv.PROMPT_CACHE)
INPUT, _, CACHE_READ, _, _ = (matching(TOKEN_TYPE, kind) for kind in semconv.TOKEN_TYPES)
HOUR = 3600
WEEK = "7d"

FORECAST = total(recorded(semconv.RECORDED_COST_FORECAST), SERVICE)
FORECAST_OF_ALL = f'label_replace(sum({semconv.RECORDED_COST_FORECAST}), "{SERVICE}", "{semconv.ALL_SERVICES}", "", "")'
BUDGET = f'{semconv.CATALOGUE_BUDGET}{{{SERVICE}=~"$service|{semconv.ALL_SERVICES}"}}'
BUDGET_USED = f"({FORECAST} or {FORECAST_OF_ALL}) / on ({SERVICE}) {BUDGET}"

# What judging costs is in no series of a service's calls.
JUDGED, SPENT = (total(f"increase({family.name}[{STEP}])") for family in (semconv.JUDGE_COST, COST))

PASS = (SERVICE, TEMPLATE, semconv.LABEL_TEMPLATE_VERSION, semconv.LABEL_DIMENSION, semconv.LABEL_SOURCE)
PER_PASS, PER_PASS_LOW, PER_PASS_HIGH, PASS_N = (
    f"max by ({', '.join(PASS)}) ({recorded(name, WEEK)})"
    for name in (
        semconv.RECORDED_COST_PER_PASS,
        semconv.RECORDED_COST_PER_PASS_LOW,
        semconv.RECORDED_COST_PER_PASS_HIGH,
        semconv.RECORDED_QUALITY_N,
    )
)
PER_RESPONSE, NEGATIVE, RESPONSES = (
    recorded(name, WEEK)
    for name in (
        semconv.RECORDED_COST_PER_RESPONSE,
        semconv.RECORDED_NEGATIVE_FEEDBACK,
        semconv.RECORDED_RESPONSES,
    )
)
# Of the versions of which feedback is collected, together.
PER_USEFUL = share(
    total(f"({PER_RESPONSE} * {RESPONSES} and {NEGATIVE})", TEMPLATE),
    total(f"({RESPONSES} * (1 - {NEGATIVE}) and {PER_RESPONSE})", TEMPLATE),
)

IN_SHORT = [
    number(
        "Spent",
        "What was spent on calls, and what would 30 days like the last one cost, of all models and templates? Calls "
        "without a known price are not in it, nor are judges.",
        DOLLARS,
        {"spent": increase(COST), "30 days": total(recorded(semconv.RECORDED_COST_FORECAST))},
    ),
    number(
        "Use of the budget",
        "Which share of the month's budget would 30 days like the last one take, of each service that has a budget in "
        "the catalogue, and of all together?",
        SHARE,
        {by(SERVICE): BUDGET_USED},
        colours={None: "green", 0.8: "orange", 1: "red"},
    ),
    number(
        "USD per call",
        "What does a call cost, all costs divided by all calls with a price (n), and what do the dear 5 % cost at "
        "least?",
        DOLLARS,
        {
            "per call": per_observation(CALL_COST),
            "p95": quantile(0.95, CALL_COST, window=RANGE),
            "n": observations(CALL_COST),
        },
    ),
    number(
        "Prompt cache hits",
        "For which share of the calls that tell (n) did the provider's cache hold a part of the prompt?",
        SHARE,
        {
            "hits": share(
                increase(semconv.CACHE_LOOKUPS, where=both(PROMPT_CACHE, HIT)),
                increase(semconv.CACHE_LOOKUPS, where=PROMPT_CACHE),
            ),
            "n": increase(semconv.CACHE_LOOKUPS, where=PROMPT_CACHE),
        },
    ),
    number(
        "Judging",
        "What did the judges of answers cost?",
        DOLLARS,
        {"judging": increase(semconv.JUDGE_COST)},
    ),
    number(
        "Calls without a price",
        "How many calls cost nobody knows what? Every number here is too low by them: add the model "
        "to the collector's prices.",
        COUNT,
        {"calls": increase(semconv.COLLECTOR_UNPRICED)},
        colours={None: "green", 1: "orange"},
    ),
    *(
        stacked(
            f"USD per hour by {name}",
            f"Which {name} does the money go to?",
            DOLLARS,
            f"{rate(COST, label)} * {HOUR}",
            label,
        )
        for name, label in (("model", MODEL), ("template", TEMPLATE))
    ),
    lines(
        "Forecast and budget",
        "What would 30 days cost that are like the 24 hours before each point, by service? Dashed: the month's "
        "budgets.",
        DOLLARS,
        {by(SERVICE): FORECAST, f"{OBJECTIVE}: budget of {by(SERVICE)}": BUDGET},
    ),
    slices(
        "Templates by cost",
        "Which prompt template does the money go to, and what does it buy? An answer is useful if no user showed that "
        "it did not help; that column is of the last 7 days and of all models.",
        (TEMPLATE,),
        {
            "USD": (DOLLARS, increase(COST, TEMPLATE)),
            "USD per call": (DOLLARS, per_observation(CALL_COST, TEMPLATE)),
            "USD per call, p95": (DOLLARS, quantile(0.95, CALL_COST, TEMPLATE, window=RANGE)),
            "USD per useful answer": (DOLLARS, PER_USEFUL),
            "Tokens in, p95": (COUNT, quantile(0.95, semconv.TOKEN_USAGE, TEMPLATE, where=INPUT, window=RANGE)),
            "Calls": (COUNT, increase(CALLS, TEMPLATE)),
        },
        sort={"USD": LARGEST},
        lead=why(TEMPLATE, of_row(TEMPLATE)),
    ),
]

ANSWERS = [
    slices(
        "Cost of an answer that passes",
        "What does an answer cost that is good in a dimension: all that was spent in the last 7 days, also on answers "
        "that fail, divided by those that pass? The true cost is between the two bounds in 95 of 100 weeks; judged is "
        "how many answers tell.",
        PASS,
        {
            "USD per pass": (DOLLARS, PER_PASS),
            "at least": (DOLLARS, PER_PASS_LOW),
            "at most": (DOLLARS, PER_PASS_HIGH),
            "Judged": (COUNT, f"{PASS_N} and {PER_PASS}"),
        },
        sort={"at most": LARGEST},
        lead=how_good_it_is(),
    ),
    percentiles(
        "Cost of a call",
        "What does a call cost, typically and at the dear end?",
        CALL_COST,
        DOLLARS,
    ),
    quantile_by("Cost of a call by model, p95", "Which model has dear calls?", 0.95, CALL_COST, MODEL, DOLLARS),
    quantile_by(
        "Cost of a call by template, p95", "Which template has dear calls?", 0.95, CALL_COST, TEMPLATE, DOLLARS
    ),
]

TOKENS_BY_TYPE = [
    lines(
        "Tokens by type",
        "How many tokens go in and out? Cached ones are a part of the input, reasoning is a part of the output.",
        TOKENS_PER_SECOND,
        {by(TOKEN_TYPE): rate(semconv.TOKENS, TOKEN_TYPE)},
    ),
    lines(
        "Tokens of a call",
        "How many tokens does a call send and get, typically and at the long end?",
        TOKENS,
        {f"p{q * 100:.0f} {by(TOKEN_TYPE)}": quantile(q, semconv.TOKEN_USAGE, TOKEN_TYPE) for q in (0.5, 0.95)},
        exemplars=True,
    ),
    lines(
        "Retries",
        "How many more attempts, which may cost tokens, do clients make for each call? Bars: all calls.",
        PER_CALL,
        {by(MODEL): share(rate(semconv.RETRIES, MODEL), rate(CALLS, MODEL)), "n": increase(CALLS, window=STEP)},
    ),
]

CACHES = [
    lines(
        "Prompt cache hits by model",
        "For which share of the calls did the provider's cache hold a part of the prompt? Bars: the calls that tell.",
        SHARE,
        {
            by(MODEL): share(
                rate(semconv.CACHE_LOOKUPS, MODEL, where=both(PROMPT_CACHE, HIT)),
                rate(semconv.CACHE_LOOKUPS, MODEL, where=PROMPT_CACHE),
            ),
            "n": increase(semconv.CACHE_LOOKUPS, where=PROMPT_CACHE, window=STEP),
        },
        width=12,
    ),
    lines(
        "Cached share of the input",
        "Which share of the input tokens came from the provider's cache, at a lower price? Bars: calls.",
        SHARE,
        {
            by(MODEL): clamped(
                share(rate(semconv.TOKENS, MODEL, where=CACHE_READ), rate(semconv.TOKENS, MODEL, where=INPUT))
            ),
            "n": increase(CALLS, window=STEP),
        },
        width=12,
    ),
    lines(
        "Hits of the app's own caches",
        "Which share of the lookups in a cache of answers saved a call? Bars: lookups.",
        SHARE,
        {
            by(RESPONSE_CACHE): share(
                rate(semconv.RESPONSE_CACHE_LOOKUPS, RESPONSE_CACHE, where=HIT),
                rate(semconv.RESPONSE_CACHE_LOOKUPS, RESPONSE_CACHE),
            ),
            f"n {by(RESPONSE_CACHE)}": increase(semconv.RESPONSE_CACHE_LOOKUPS, RESPONSE_CACHE, window=STEP),
        },
    ),
    lines(
        "Time saved by the app's own caches",
        "How much waiting did users not have, because an answer was there already?",
        SECONDS,
        {by(RESPONSE_CACHE): increase(semconv.RESPONSE_CACHE_SAVED_SECONDS, RESPONSE_CACHE, window=STEP)},
    ),
    lines(
        "Tokens saved by the app's own caches",
        "How many tokens did nobody pay for, because an answer was there already?",
        TOKENS,
        {by(TOKEN_TYPE): increase(semconv.RESPONSE_CACHE_SAVED_TOKENS, TOKEN_TYPE, window=STEP)},
    ),
]

JUDGING = [
    lines(
        "Judging, USD per hour",
        "What does judging cost, by judge?",
        DOLLARS,
        {by(JUDGE): f"{rate(semconv.JUDGE_COST, JUDGE)} * {HOUR}"},
    ),
    lines(
        "Judging as a share of all costs",
        "Does looking at answers cost too much, beside making them? Bars: requests to judges.",
        SHARE,
        {
            "judging": share(JUDGED, f"({JUDGED} + {SPENT})"),
            "n": increase(semconv.JUDGE_REQUESTS, window=STEP),
        },
    ),
    lines(
        "Budget of judges left today",
        "Which share of the day's budget may each judge still spend? At 0 it judges no more until tomorrow.",
        SHARE,
        {by(JUDGE): f"min by ({JUDGE}) ({semconv.JUDGE_BUDGET_LEFT.name})"},
    ),
]

ANOMALIES = [
    lines(
        "Cost against the week",
        "How many times more than in a usual hour of the last 7 days does this hour cost, of all models and templates? "
        "Dashed: where an alert rings, unless it cost as much at this time a week ago. Bars: calls.",
        FACTOR,
        {
            by(SERVICE): share(
                total(recorded(semconv.RECORDED_COST_RATE_1H), SERVICE),
                total(recorded(semconv.RECORDED_COST_RATE_7D), SERVICE),
            ),
            OBJECTIVE: limit("cost_factor"),
            "n": increase(CALLS, window=STEP),
        },
    ),
    lines(
        "Calls without a price over time",
        "Since when does nobody know what some calls cost?",
        COUNT,
        {"calls": increase(semconv.COLLECTOR_UNPRICED, window=STEP)},
    ),
    slices(
        "Age of the prices",
        "Which price, by its name in the collector's table, has not been looked at for long?",
        (MODEL,),
        {"Age": (SECONDS, f"time() - max by ({MODEL}) ({semconv.PRICE_TIMESTAMP.name})")},
        sort={"Age": LARGEST},
        width=8,
    ),
]

BOARD = board(
    "llm-cost",
    "LLM cost",
    "Where does the money go, and what does it buy? Cost of calls whose price is known, tokens, caches and judges.",
    WEEK,
    [
        Row("", IN_SHORT),
        Row("What an answer costs", ANSWERS),
        Row("Tokens and retries", TOKENS_BY_TYPE),
        Row("Caches", CACHES),
        Row("Judges", JUDGING),
        Row("Anomalies and prices", ANOMALIES),
    ],
    alerts=("slo", "cost"),
)
