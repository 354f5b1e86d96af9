"""The board *LLM collector*: can the other boards be trusted? For whoever runs the collectors, over six hours."""

from boards import Row, board, choice
from collector_health import (
    CONFIGURATION,
    DISK,
    EVALUATION,
    FORWARDING,
    HERE,
    IN_FLIGHT,
    INSTANCE,
    KAFKA,
    QUEUES,
    ROOM,
    TARGET,
    WORK,
    events,
)
from expressions import RANGE, by_quantile, clamped, increase, limit, matching, quantile, rate, share, summed
from llmvitals import semconv
from panels import COUNT, OBJECTIVE, SECONDS, SHARE, by, lines, number, stacked

UP = f"up{{{TARGET}}}"
SERVICE, REASON, TRANSPORT = semconv.LABEL_SERVICE, semconv.LABEL_REASON, semconv.LABEL_TRANSPORT
DIALECT, OUTCOME = semconv.LABEL_DIALECT, semconv.LABEL_OUTCOME
# This board is about all services.
SILENCE = f"time() - max by ({SERVICE}) ({semconv.COLLECTOR_LAST_RECEIVED.name}{{{HERE}}})"

IN_SHORT = [
    number(
        "Collectors down",
        "How many of the collectors (n) cannot be scraped? What they count meanwhile is seen late, or never.",
        COUNT,
        {"down": f"sum(1 - {UP})", "n": f"count({UP})"},
        colours={None: "green", 1: "red"},
    ),
    number(
        "Longest silence",
        "Which service has sent nothing for longest?",
        SECONDS,
        {by(SERVICE): f"topk(1, {SILENCE})"},
    ),
    number(
        "Lag, p95",
        "How long after the end of a call is it counted, of 95 % of the calls?",
        SECONDS,
        {"p95": quantile(0.95, semconv.COLLECTOR_LAG, where=HERE, window=RANGE)},
    ),
    number(
        "Missing",
        "Are calls missing from the boards: requests refused, spans rejected, records lost after they were accepted?",
        COUNT,
        {
            "refused": increase(semconv.COLLECTOR_REFUSED_REQUESTS, where=HERE),
            "rejected": increase(semconv.COLLECTOR_REJECTED_SPANS, where=HERE),
            "lost": increase(semconv.COLLECTOR_LOST_RECORDS, where=HERE),
        },
        colours={None: "green", 1: "red"},
    ),
    number(
        "Room taken",
        "How full is the room for requests that are not answered yet, and how full is the fullest queue to forward? "
        "Above the objective there is an alert; at 100 % requests are refused, or not forwarded.",
        SHARE,
        {"in flight": f"max({IN_FLIGHT})", "queues": f"max({QUEUES})", OBJECTIVE: limit("queue_fill")},
    ),
    number(
        "Versions",
        "Which versions of the collector run, on how many instances?",
        COUNT,
        {by(semconv.LABEL_VERSION): summed(semconv.COLLECTOR_BUILD_INFO, semconv.LABEL_VERSION, where=HERE)},
    ),
    lines("Age of the newest data", "Which service is not heard of any more?", SECONDS, {by(SERVICE): SILENCE}),
    stacked(
        "Refused requests",
        "Why does the collector refuse requests? Nothing of them is counted.",
        COUNT,
        events(semconv.COLLECTOR_REFUSED_REQUESTS, REASON),
        REASON,
    ),
    lines(
        "Lag",
        "How long after the end of a call is it counted, typically and at worst?",
        SECONDS,
        by_quantile(semconv.COLLECTOR_LAG, where=HERE),
    ),
]

COMING_IN = [
    lines(
        "Accepted in a second",
        "How much telemetry comes in?",
        COUNT,
        {
            f"spans, {by(TRANSPORT)}": rate(semconv.OTELCOL_ACCEPTED_SPANS, TRANSPORT, where=HERE),
            f"log records, {by(TRANSPORT)}": rate(semconv.OTELCOL_ACCEPTED_LOG_RECORDS, TRANSPORT, where=HERE),
        },
    ),
    lines(
        "Spans that are not counted",
        "Why is a span no call of its own: it is something else (ignored), it is known already (repeated), or it is "
        "broken (rejected)?",
        COUNT,
        {
            f"ignored: {by(REASON)}": events(semconv.COLLECTOR_IGNORED_SPANS, REASON),
            f"repeated: {by(REASON)}": events(semconv.COLLECTOR_DUPLICATE_CALLS, REASON),
            f"rejected: {by(REASON)}": events(semconv.COLLECTOR_REJECTED_SPANS, REASON),
        },
    ),
    stacked(
        "Calls by dialect",
        "In which conventions do apps tell of their calls?",
        COUNT,
        events(semconv.COLLECTOR_DIALECT_CALLS, DIALECT),
        DIALECT,
    ),
    lines(
        "Calls with odd times or weights",
        "Do calls come late, from the future, or from a sampler that does not say for how many they stand?",
        COUNT,
        {
            "late": events(semconv.COLLECTOR_LATE_CALLS),
            "from the future": events(semconv.COLLECTOR_FUTURE_CALLS),
            "of unknown weight": events(semconv.COLLECTOR_UNKNOWN_WEIGHT),
        },
    ),
    stacked(
        "Requests with feedback",
        "What becomes of the feedback that browsers send to the collector?",
        COUNT,
        events(semconv.COLLECTOR_FEEDBACK, OUTCOME),
        OUTCOME,
    ),
    lines(
        "Calls with a price",
        "Of which share of the calls is the cost known? Bars: all calls.",
        SHARE,
        {
            "priced": "1 - "
            + clamped(share(events(semconv.COLLECTOR_UNPRICED), events(semconv.COLLECTOR_DIALECT_CALLS))),
            "n": events(semconv.COLLECTOR_DIALECT_CALLS),
        },
    ),
]

BOARD = board(
    "llm-collector",
    "LLM collector",
    "Can the other boards be trusted? What comes in, what is left out and why, and whether the collectors keep up.",
    "6h",
    [
        Row("", IN_SHORT),
        Row("What comes in", COMING_IN),
        Row("Room", ROOM),
        Row("CPU and scrapes", WORK),
        Row("Forwarding and push, where they are configured", FORWARDING),
        Row("Kafka, where it is read", KAFKA),
        Row("Disk, where counts are stored, and faults", DISK),
        Row("Evaluation", EVALUATION),
        Row("Configuration and rules", CONFIGURATION),
    ],
    variables=[choice(INSTANCE, INSTANCE, "up", where=matching("job", semconv.COLLECTOR_JOB))],
    alerts=("telemetry",),
)
