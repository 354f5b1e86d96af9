"""Rows of the board *LLM collector* on how the collectors are: their room, CPU, queues, disk, judges and rules."""

from expressions import RANGE, STEP, age, both, by_quantile, increase, largest, limit, matching, rate, summed, total
from intervals import LARGEST, slices
from llmvitals import semconv
from llmvitals.semconv import Family
from panels import BYTES, COUNT, OBJECTIVE, SECONDS, SHARE, by, lines, stacked

INSTANCE = "instance"
HERE = f'{INSTANCE}=~"$instance"'
TARGET = both(matching("job", semconv.COLLECTOR_JOB), HERE)
METRIC, LABEL, REASON = semconv.LABEL_METRIC, semconv.LABEL_LABEL, semconv.LABEL_REASON
EXPORTER, JUDGE, STAGE = semconv.LABEL_EXPORTER, semconv.LABEL_JUDGE, semconv.LABEL_STAGE
TOPIC = semconv.LABEL_TOPIC
IN_FLIGHT, QUEUES = (
    f"{largest(held, *labels, where=HERE)} / {largest(capacity, *labels, where=HERE)}"
    for held, capacity, labels in (
        (semconv.COLLECTOR_IN_FLIGHT_BYTES, semconv.COLLECTOR_IN_FLIGHT_CAPACITY_BYTES, (INSTANCE,)),
        (semconv.FORWARD_QUEUE_BYTES, semconv.FORWARD_QUEUE_CAPACITY_BYTES, (INSTANCE, EXPORTER)),
    )
)
RULE_FAILURES = f'prometheus_rule_evaluation_failures_total{{rule_group=~".*;{semconv.RULE_GROUPS}.*"}}'


def events(family: Family, *labels: str) -> str:
    """Events of a counter behind each point of a graph, by labels."""
    return increase(family, *labels, where=HERE, window=STEP)


def here(family: Family) -> str:
    """A gauge by collector."""
    return largest(family, INSTANCE, where=HERE)


ROOM = [
    slices(
        "Metrics by label sets",
        "Which metric tells most things apart? If rows are in its overflow series, it has no room for more: sums stay "
        "right, but new label sets are not told apart. Look for a label whose values never end.",
        (METRIC,),
        {
            "Rows in overflow": (COUNT, increase(semconv.COLLECTOR_SERIES_OVERFLOW, METRIC, where=HERE)),
            "Label sets": (COUNT, largest(semconv.COLLECTOR_LABEL_SETS, METRIC, where=HERE)),
        },
        sort={"Rows in overflow": LARGEST, "Label sets": LARGEST},
        width=12,
    ),
    slices(
        "Labels by values",
        "Which label has most values? Rows without room had a new one when there were as many as it may have.",
        (LABEL,),
        {
            "Rows without room": (COUNT, increase(semconv.COLLECTOR_LABEL_OVERFLOW, LABEL, where=HERE)),
            "Values": (COUNT, largest(semconv.COLLECTOR_LABEL_VALUES, LABEL, where=HERE)),
        },
        sort={"Rows without room": LARGEST, "Values": LARGEST},
        width=12,
    ),
    lines(
        "Room for requests",
        "How full is the room for requests that are not answered yet? Dashed: where the alert is.",
        SHARE,
        {by(INSTANCE): IN_FLIGHT, OBJECTIVE: limit("queue_fill")},
    ),
    lines(
        "Waiting to be counted",
        "Does the collector keep up: how many calls and verdicts are accepted and not counted yet?",
        COUNT,
        {by(INSTANCE): here(semconv.COLLECTOR_WAITING_ROWS)},
    ),
    lines(
        "Memory",
        "How much memory does each collector hold?",
        BYTES,
        {by(INSTANCE): here(semconv.OTELCOL_MEMORY)},
    ),
]

WORK = [
    stacked(
        "CPU by stage",
        "What do the collectors spend their time on? 100 % is one core.",
        SHARE,
        rate(semconv.COLLECTOR_CPU_SECONDS, STAGE, where=HERE),
        STAGE,
    ),
    lines(
        "Time of a scrape",
        "How long does Prometheus wait for the metrics? A scrape that takes longer than its timeout is lost.",
        SECONDS,
        {by(INSTANCE): f"max by ({INSTANCE}) (scrape_duration_seconds{{{TARGET}}})"},
    ),
    lines(
        "Samples of a scrape",
        "How much does Prometheus store at each scrape?",
        COUNT,
        {by(INSTANCE): f"max by ({INSTANCE}) (scrape_samples_scraped{{{TARGET}}})"},
    ),
]

FORWARDING = [
    lines(
        "Queues to forward",
        "Does what comes in also go out: how full is each queue? Dashed: where the alert is.",
        SHARE,
        {f"{by(INSTANCE)} {by(EXPORTER)}": QUEUES, OBJECTIVE: limit("queue_fill")},
        width=12,
    ),
    lines(
        "Forwarded and given up",
        "How many spans and log records reached the backend behind the collector, and how many never will?",
        COUNT,
        {
            f"spans: {by(EXPORTER)}": events(semconv.OTELCOL_SENT_SPANS, EXPORTER),
            f"log records: {by(EXPORTER)}": events(semconv.OTELCOL_SENT_LOG_RECORDS, EXPORTER),
            f"spans given up: {by(EXPORTER)}": events(semconv.OTELCOL_SEND_FAILED_SPANS, EXPORTER),
            f"log records given up: {by(EXPORTER)}": events(semconv.OTELCOL_SEND_FAILED_LOG_RECORDS, EXPORTER),
            f"spans, queue full: {by(EXPORTER)}": events(semconv.OTELCOL_ENQUEUE_FAILED_SPANS, EXPORTER),
            f"log records, queue full: {by(EXPORTER)}": events(semconv.OTELCOL_ENQUEUE_FAILED_LOG_RECORDS, EXPORTER),
        },
        width=12,
    ),
    lines(
        "Requests forwarded again",
        "Is the backend behind the collector down, or too slow?",
        COUNT,
        {by(EXPORTER): events(semconv.FORWARD_RETRIES, EXPORTER)},
        width=12,
    ),
    lines(
        "Points pushed",
        "Do metrics get to where they are pushed, and how many points were not accepted there?",
        COUNT,
        {
            f"points: {by(EXPORTER)}": events(semconv.OTELCOL_SENT_METRIC_POINTS, EXPORTER),
            f"not accepted: {by(EXPORTER)}": events(semconv.OTELCOL_SEND_FAILED_METRIC_POINTS, EXPORTER),
        },
        width=12,
    ),
]

KAFKA = [
    lines(
        "Messages that wait",
        "Do the replicas keep up: how many messages of each topic are not counted yet?",
        COUNT,
        {by(TOPIC): summed(semconv.KAFKA_LAG, TOPIC, where=HERE)},
    ),
    lines(
        "Partitions by replica",
        "Who reads how many partitions? Who has none stands by.",
        COUNT,
        {by(INSTANCE): f"count by ({INSTANCE}) ({semconv.KAFKA_LAG.name}{{{HERE}}})"},
    ),
    lines(
        "Membership",
        "Is each replica a member of the consumer group (1), or none (0), so that others have its partitions?",
        COUNT,
        {by(INSTANCE): here(semconv.KAFKA_MEMBER)},
    ),
    lines(
        "Failures and moves",
        "How often could messages not be read, kept or committed, and how many partitions changed their reader?",
        COUNT,
        {
            f"failures: {by(INSTANCE)}": events(semconv.KAFKA_FAILURES, INSTANCE),
            f"partitions given: {by(INSTANCE)}": events(semconv.KAFKA_ASSIGNED, INSTANCE),
        },
        width=12,
    ),
    lines(
        "Messages that do not count",
        "Were messages set aside, deleted before they were read, or left undecided after a crash?",
        COUNT,
        {
            f"set aside: {by(TOPIC)}": events(semconv.KAFKA_SET_ASIDE, TOPIC),
            f"deleted unread: {by(TOPIC)}": events(semconv.KAFKA_LOST, TOPIC),
            f"undecided: {by(TOPIC)}": events(semconv.KAFKA_UNDECIDED, TOPIC),
        },
        width=12,
    ),
]

DISK = [
    lines(
        "Time to be safe on disk",
        "How long do senders wait until the collector has stored what they sent?",
        SECONDS,
        by_quantile(semconv.COLLECTOR_JOURNAL_SYNC, where=HERE),
    ),
    lines(
        "Journal",
        "How much would a restart have to read?",
        BYTES,
        {by(INSTANCE): here(semconv.COLLECTOR_JOURNAL_BYTES)},
    ),
    lines(
        "Age of the snapshot",
        "When were the counts last written to disk?",
        SECONDS,
        {by(INSTANCE): age(semconv.COLLECTOR_SNAPSHOT_TIME, INSTANCE, where=HERE)},
    ),
    lines(
        "Faults of disk and counting",
        "Did the collector lose anything that it had accepted, or could it not write?",
        COUNT,
        {
            "records lost": events(semconv.COLLECTOR_LOST_RECORDS),
            "journal entries lost": events(semconv.COLLECTOR_JOURNAL_LOST_ENTRIES),
            "journal bytes cut": events(semconv.COLLECTOR_JOURNAL_CUT_BYTES),
            "snapshots failed": events(semconv.COLLECTOR_SNAPSHOT_FAILURES),
        },
        width=12,
    ),
    stacked(
        "Faults of processors",
        "Which processor fails on what it gets?",
        COUNT,
        events(semconv.COLLECTOR_PROCESSOR_FAILURES, semconv.LABEL_PROCESSOR),
        semconv.LABEL_PROCESSOR,
        width=12,
    ),
]

EVALUATION = [
    lines(
        "Waiting to be evaluated",
        "Do evaluations keep up with answers?",
        COUNT,
        {by(INSTANCE): here(semconv.EVALUATIONS_WAITING)},
    ),
    stacked(
        "Answers not evaluated",
        "Why were answers that should have been evaluated left out?",
        COUNT,
        events(semconv.EVALUATIONS_DROPPED, REASON),
        REASON,
    ),
    lines(
        "Time of a judgement",
        "How long does a judge take, repetitions included?",
        SECONDS,
        by_quantile(semconv.JUDGE_DURATION, where=HERE),
    ),
    lines(
        "Requests to judges",
        "Do judges answer, and in a form that counts?",
        COUNT,
        {f"{by(JUDGE)}: {by(semconv.LABEL_OUTCOME)}": events(semconv.JUDGE_REQUESTS, JUDGE, semconv.LABEL_OUTCOME)},
        width=12,
    ),
    lines(
        "Requests to judges sent again",
        "Are judges down, or too slow?",
        COUNT,
        {by(JUDGE): events(semconv.JUDGE_RETRIES, JUDGE)},
        width=12,
    ),
]

CONFIGURATION = [
    lines(
        "Configuration read",
        "Is the file that is there also in force (1), or could it not be read (0)?",
        COUNT,
        {by(INSTANCE): f"min by ({INSTANCE}) ({semconv.COLLECTOR_RELOAD_SUCCESSFUL.name}{{{HERE}}})"},
    ),
    lines(
        "Configurations in force",
        "Do all collectors work by the same configuration? Each line is one, its height the number of collectors.",
        COUNT,
        {by(semconv.LABEL_HASH): summed(semconv.COLLECTOR_CONFIG_INFO, semconv.LABEL_HASH, where=HERE)},
    ),
    lines(
        "Age of the configuration",
        "When did what is in force come into force?",
        SECONDS,
        {by(INSTANCE): age(semconv.COLLECTOR_RELOAD_TIME, INSTANCE, where=HERE)},
    ),
    slices(
        "Rules that failed",
        "Can Prometheus evaluate the rules on which alerts and boards rest? It tells where it scrapes itself.",
        ("rule_group",),
        {"Failures": (COUNT, total(f"increase({RULE_FAILURES}[{RANGE}])", "rule_group"))},
        sort={"Failures": LARGEST},
        width=12,
    ),
    lines(
        "Time since the start",
        "Has a collector been restarted?",
        SECONDS,
        {by(INSTANCE): here(semconv.OTELCOL_UPTIME)},
        width=12,
    ),
]
