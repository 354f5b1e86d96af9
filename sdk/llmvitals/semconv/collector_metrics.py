"""Metrics that the collector tells of itself."""

from llmvitals.semconv.metrics import (
    LABEL_DATA_TYPE,
    LABEL_DECODER,
    LABEL_DIALECT,
    LABEL_EXPORTER,
    LABEL_HASH,
    LABEL_LABEL,
    LABEL_METRIC,
    LABEL_OUTCOME,
    LABEL_PARTITION,
    LABEL_PROCESSOR,
    LABEL_REASON,
    LABEL_RECEIVER,
    LABEL_SERVICE,
    LABEL_STAGE,
    LABEL_TOPIC,
    LABEL_TRANSPORT,
    LABEL_VERSION,
    Family,
)
from llmvitals.semconv.quality import COUNTED_FAMILIES, JUDGE_FAMILIES

COLLECTOR_RECEIVED_SPANS = Family("llm_collector_received_spans_total", "counter", "Spans received.", (LABEL_SERVICE,))
COLLECTOR_RECEIVED_LOG_RECORDS = Family(
    "llm_collector_received_log_records_total", "counter", "Log records received.", (LABEL_SERVICE,)
)
COLLECTOR_LAST_RECEIVED = Family(
    "llm_collector_last_received_timestamp_seconds", "gauge", "When something was last received.", (LABEL_SERVICE,)
)
COLLECTOR_IGNORED_SPANS = Family(
    "llm_collector_ignored_spans_total", "counter", "Spans received that are not counted as calls.", (LABEL_REASON,)
)
COLLECTOR_IGNORED_LOG_RECORDS = Family(
    "llm_collector_ignored_log_records_total",
    "counter",
    "Log records received that are not counted as feedback.",
    (LABEL_REASON,),
)
COLLECTOR_REFUSED_REQUESTS = Family(
    "llm_collector_refused_requests_total",
    "counter",
    "Requests refused whole, nothing of them counted.",
    (LABEL_RECEIVER, LABEL_REASON),
)
COLLECTOR_FEEDBACK = Family(
    "llm_collector_feedback_total",
    "counter",
    "Requests to the feedback endpoint, by what became of them.",
    (LABEL_OUTCOME,),
)
COLLECTOR_PROCESSOR_FAILURES = Family(
    "llm_collector_processor_failures_total", "counter", "Batches on which a processor failed.", (LABEL_PROCESSOR,)
)
COLLECTOR_LABEL_SETS = Family("llm_collector_label_sets", "gauge", "Label sets held, by metric.", (LABEL_METRIC,))
COLLECTOR_SERIES_OVERFLOW = Family(
    "llm_collector_series_overflow_total",
    "counter",
    "Rows counted in the overflow series, because the metric held as many label sets as it may.",
    (LABEL_METRIC,),
)
COLLECTOR_LABEL_VALUES = Family("llm_collector_label_values", "gauge", "Values held, by label.", (LABEL_LABEL,))
COLLECTOR_LABEL_OVERFLOW = Family(
    "llm_collector_label_overflow_total",
    "counter",
    "Rows with a value for which there was no room, because the label held as many as it may.",
    (LABEL_LABEL,),
)
COLLECTOR_REJECTED_SPANS = Family(
    "llm_collector_rejected_spans_total",
    "counter",
    "Spans of accepted requests that should have been calls and could not be, as their senders were told.",
    (LABEL_REASON,),
)
COLLECTOR_DUPLICATE_CALLS = Family(
    "llm_collector_duplicate_calls_total",
    "counter",
    "Calls that had been counted already, or are told by another span: they are not counted again.",
    (LABEL_REASON,),
)
COLLECTOR_DIALECT_CALLS = Family(
    "llm_collector_dialect_calls_total", "counter", "Calls by the convention in which they were told.", (LABEL_DIALECT,)
)
COLLECTOR_UNPRICED = Family(
    "llm_collector_unpriced_calls_total",
    "counter",
    "Calls whose cost neither their sender nor the configured prices tell.",
)
COLLECTOR_UNKNOWN_WEIGHT = Family(
    "llm_collector_unknown_weight_calls_total",
    "counter",
    "Calls of which nobody tells for how many they stand, where traces are sampled; they count once.",
)
COLLECTOR_LATE_CALLS = Family(
    "llm_collector_late_calls_total",
    "counter",
    "Calls that were counted more than five minutes after they had ended.",
)
COLLECTOR_FUTURE_CALLS = Family(
    "llm_collector_future_calls_total",
    "counter",
    "Calls whose end is more than five seconds ahead of the collector's clock.",
)
COLLECTOR_LAG = Family(
    "llm_collector_lag_seconds",
    "histogram",
    "Time from the end of a call to its count, which the next scrape shows.",
    (),
    (0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0),
)
COLLECTOR_CPU_SECONDS = Family(
    "llm_collector_cpu_seconds_total", "counter", "CPU time of the collector's threads, by stage.", (LABEL_STAGE,)
)
COLLECTOR_IN_FLIGHT_BYTES = Family(
    "llm_collector_in_flight_bytes", "gauge", "Bytes of the requests that are not answered yet."
)
COLLECTOR_IN_FLIGHT_CAPACITY_BYTES = Family(
    "llm_collector_in_flight_capacity_bytes", "gauge", "How many bytes of requests may be in flight."
)
COLLECTOR_WAITING_ROWS = Family(
    "llm_collector_waiting_rows", "gauge", "Calls and verdicts that are accepted and not counted yet."
)
COLLECTOR_LOST_RECORDS = Family(
    "llm_collector_lost_records_total",
    "counter",
    "Calls and verdicts that were accepted, and then lost to a fault of the collector.",
)
COLLECTOR_WORKER_RESTARTS = Family(
    "llm_collector_worker_restarts_total",
    "counter",
    "Times that a worker was started again, because its process had ended.",
)
COLLECTOR_JOURNAL_BYTES = Family(
    "llm_collector_journal_bytes", "gauge", "Bytes of the journal that a restart would read."
)
COLLECTOR_JOURNAL_SYNC = Family(
    "llm_collector_journal_sync_seconds",
    "histogram",
    "Time that a request waited until it was safe on disk.",
    (),
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
COLLECTOR_JOURNAL_CUT_BYTES = Family(
    "llm_collector_journal_cut_bytes_total",
    "counter",
    "Bytes of the journal that were damaged, and dropped, when the collector started.",
)
COLLECTOR_JOURNAL_LOST_ENTRIES = Family(
    "llm_collector_journal_lost_entries_total",
    "counter",
    "Batches that the journal had lost, or had damaged, when the collector started.",
)
COLLECTOR_SNAPSHOT_FAILURES = Family(
    "llm_collector_snapshot_failures_total", "counter", "Times that the counts could not be written to disk."
)
COLLECTOR_SNAPSHOT_TIME = Family(
    "llm_collector_snapshot_timestamp_seconds", "gauge", "When the counts were last written to disk."
)
COLLECTOR_CONFIG_INFO = Family(
    "llm_collector_config_info", "gauge", "Always 1; the hash is of the configuration that is in force.", (LABEL_HASH,)
)
COLLECTOR_RELOAD_SUCCESSFUL = Family(
    "llm_collector_config_last_reload_successful", "gauge", "Whether the last reading of the configuration succeeded."
)
COLLECTOR_RELOAD_TIME = Family(
    "llm_collector_config_last_reload_success_timestamp_seconds",
    "gauge",
    "When a configuration last came into force.",
)
COLLECTOR_BUILD_INFO = Family("llm_collector_build_info", "gauge", "Always 1.", (LABEL_VERSION, LABEL_DECODER))
FORWARD_QUEUE_BYTES = Family(
    "llm_collector_forward_queue_bytes", "gauge", "Bytes that wait to be forwarded.", (LABEL_EXPORTER,)
)
FORWARD_QUEUE_CAPACITY_BYTES = Family(
    "llm_collector_forward_queue_capacity_bytes", "gauge", "How many bytes may wait to be forwarded.", (LABEL_EXPORTER,)
)
FORWARD_RETRIES = Family(
    "llm_collector_forward_retries_total", "counter", "Requests that were forwarded once more.", (LABEL_EXPORTER,)
)

# What the OpenTelemetry Collector tells of itself, named as on its own /metrics, so that its dashboards show us, too.
# https://opentelemetry.io/docs/collector/internal-telemetry/#basic-level-metrics
_ACCEPTING = (LABEL_RECEIVER, LABEL_TRANSPORT)
OTELCOL_ACCEPTED_SPANS = Family(
    "otelcol_receiver_accepted_spans_total", "counter", "Spans of requests that were accepted.", _ACCEPTING
)
OTELCOL_ACCEPTED_LOG_RECORDS = Family(
    "otelcol_receiver_accepted_log_records_total", "counter", "Log records of requests that were accepted.", _ACCEPTING
)
OTELCOL_REFUSED_SPANS = Family(
    "otelcol_receiver_refused_spans_total",
    "counter",
    "Spans of requests that were refused after they had been decoded; what is refused before has no number of spans.",
    _ACCEPTING,
)
OTELCOL_REFUSED_LOG_RECORDS = Family(
    "otelcol_receiver_refused_log_records_total",
    "counter",
    "Log records of requests that were refused after they had been decoded.",
    _ACCEPTING,
)
OTELCOL_QUEUE_SIZE = Family(
    "otelcol_exporter_queue_size", "gauge", "Requests that wait to be forwarded.", (LABEL_EXPORTER, LABEL_DATA_TYPE)
)
OTELCOL_QUEUE_CAPACITY = Family(
    "otelcol_exporter_queue_capacity",
    "gauge",
    "How many requests may wait to be forwarded, of all types together.",
    (LABEL_EXPORTER, LABEL_DATA_TYPE),
)
OTELCOL_SENT_SPANS = Family(
    "otelcol_exporter_sent_spans_total", "counter", "Spans forwarded, and accepted there.", (LABEL_EXPORTER,)
)
OTELCOL_SENT_LOG_RECORDS = Family(
    "otelcol_exporter_sent_log_records_total",
    "counter",
    "Log records forwarded, and accepted there.",
    (LABEL_EXPORTER,),
)
OTELCOL_SEND_FAILED_SPANS = Family(
    "otelcol_exporter_send_failed_spans_total",
    "counter",
    "Spans given up: refused there for good, or not accepted within the time of the retries.",
    (LABEL_EXPORTER,),
)
OTELCOL_SEND_FAILED_LOG_RECORDS = Family(
    "otelcol_exporter_send_failed_log_records_total",
    "counter",
    "Log records given up: refused there for good, or not accepted within the time of the retries.",
    (LABEL_EXPORTER,),
)
OTELCOL_ENQUEUE_FAILED_SPANS = Family(
    "otelcol_exporter_enqueue_failed_spans_total",
    "counter",
    "Spans that were not forwarded, because the queue was full.",
    (LABEL_EXPORTER,),
)
OTELCOL_ENQUEUE_FAILED_LOG_RECORDS = Family(
    "otelcol_exporter_enqueue_failed_log_records_total",
    "counter",
    "Log records that were not forwarded, because the queue was full.",
    (LABEL_EXPORTER,),
)
OTELCOL_SENT_METRIC_POINTS = Family(
    "otelcol_exporter_sent_metric_points_total",
    "counter",
    "Points of metrics that were pushed, and accepted there.",
    (LABEL_EXPORTER,),
)
OTELCOL_SEND_FAILED_METRIC_POINTS = Family(
    "otelcol_exporter_send_failed_metric_points_total",
    "counter",
    "Points of metrics that were pushed, and not accepted; later ones take their place.",
    (LABEL_EXPORTER,),
)
KAFKA_LAG = Family(
    "llm_collector_kafka_lag_messages",
    "gauge",
    "Messages in a partition that are not counted yet, of those partitions that this replica has.",
    (LABEL_TOPIC, LABEL_PARTITION),
)
KAFKA_PREPARED = Family(
    "llm_collector_kafka_prepared_messages",
    "gauge",
    "Messages that this replica has on disk, and that count as soon as it is known whether they were committed.",
)
KAFKA_MEMBER = Family(
    "llm_collector_kafka_member", "gauge", "Whether this replica is a member of its consumer group: 1 or 0."
)
KAFKA_FAILURES = Family(
    "llm_collector_kafka_failures_total",
    "counter",
    "Times that messages of Kafka could not be read, kept or committed; each is tried again.",
)
KAFKA_ASSIGNED = Family(
    "llm_collector_kafka_assigned_partitions_total", "counter", "Partitions that this replica was given."
)
KAFKA_SET_ASIDE = Family(
    "llm_collector_kafka_set_aside_messages_total",
    "counter",
    "Messages that cannot be taken, and were set aside.",
    (LABEL_TOPIC, LABEL_REASON),
)
KAFKA_LOST = Family(
    "llm_collector_kafka_lost_messages_total",
    "counter",
    "Messages that Kafka deleted before they were read.",
    (LABEL_TOPIC,),
)
KAFKA_UNDECIDED = Family(
    "llm_collector_kafka_undecided_messages_total",
    "counter",
    "Messages that were prepared, and not counted, as nobody can tell any more whether they were committed.",
    (LABEL_TOPIC,),
)
OTELCOL_UPTIME = Family("otelcol_process_uptime_seconds_total", "counter", "Time since the collector was started.")
OTELCOL_CPU = Family("otelcol_process_cpu_seconds_total", "counter", "CPU time of the process, user and system.")
OTELCOL_MEMORY = Family("otelcol_process_memory_rss_bytes", "gauge", "Memory of the process that is in RAM.")

COLLECTOR_FAMILIES = tuple(value for value in tuple(globals().values()) if isinstance(value, Family))
FAMILIES = (*COUNTED_FAMILIES, *JUDGE_FAMILIES, *COLLECTOR_FAMILIES)
