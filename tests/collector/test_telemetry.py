"""What the collector tells of itself, in every format, without promising more than it knows."""

import subprocess
import time

import numpy as np
import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from llmvitals import semconv
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import Config, Limits, Metrics
from llmvitals_collector.decode import decode_logs, decode_traces
from llmvitals_collector.expose import Format
from llmvitals_collector.processors.price import PriceConfig, Pricing
from llmvitals_collector.quality import rated
from llmvitals_collector.receivers import Signal
from llmvitals_collector.results import Results
from llmvitals_collector.telemetry import FAMILIES, Telemetry


@pytest.fixture
def telemetry():
    return Telemetry(label_sets=20, processors=["slo"])


def values(telemetry, family):
    """The samples of a family: label values -> value; of a histogram by the end of their name and `le`."""
    samples = [sample for metric in telemetry.collect() for sample in metric.samples]
    if family.bounds:
        named = [each for each in samples if each.name.startswith(f"{family.name}_")]
        return {(each.name.removeprefix(f"{family.name}_"), each.labels.get("le")): each.value for each in named}
    return {tuple(each.labels.values()): each.value for each in samples if each.name == family.name}


def test_services_name_themselves_so_their_number_is_limited(telemetry):
    for number in range(50):
        telemetry.count(semconv.COLLECTOR_RECEIVED_SPANS, f"service-{number}", amount=2)
    received = values(telemetry, semconv.COLLECTOR_RECEIVED_SPANS)
    assert len(received) == 21
    assert received[semconv.OVERFLOW,] == 60
    assert sum(received.values()) == 100


def test_a_long_name_of_a_service_is_cut_and_stays_one(telemetry):
    for _ in range(2):
        telemetry.count(semconv.COLLECTOR_RECEIVED_SPANS, "x" * 5000)
    assert values(telemetry, semconv.COLLECTOR_RECEIVED_SPANS) == {("x" * 200,): 2}


def test_the_limit_of_services_leaves_the_rest_alone():
    telemetry = Telemetry(label_sets=1, processors=["classify", "slo"])
    assert len(values(telemetry, semconv.COLLECTOR_PROCESSOR_FAILURES)) == 2


def test_a_request_counts_by_its_service_its_receiver_and_what_became_of_its_spans(telemetry, spans):
    before = time.time()
    unknown = {semconv.OPERATION_NAME: "invoke_agent"}
    request = spans({}, {}, unknown)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b""
    telemetry.taken(semconv.RECEIVER_GRPC, Signal.TRACES, decode_traces(request.SerializeToString()))
    assert values(telemetry, semconv.COLLECTOR_RECEIVED_SPANS) == {("shop",): 3}
    accepted = {("otlp", "grpc"): 3, ("otlp", "http"): 0, ("otlp", "kafka"): 0}
    assert values(telemetry, semconv.OTELCOL_ACCEPTED_SPANS) == accepted
    assert values(telemetry, semconv.COLLECTOR_IGNORED_SPANS) == {("not_gen_ai",): 0, ("not_a_call",): 1}
    assert values(telemetry, semconv.COLLECTOR_REJECTED_SPANS) == {("invalid_ids",): 1}
    assert before <= values(telemetry, semconv.COLLECTOR_LAST_RECEIVED)["shop",] <= time.time()


def test_log_records_count_apart_from_spans(telemetry, events):
    body = events((semconv.EVALUATION_RESULT, {}), ("other", {})).SerializeToString()
    telemetry.taken(semconv.RECEIVER_HTTP, Signal.LOGS, decode_logs(body))
    telemetry.not_taken(semconv.RECEIVER_HTTP, Signal.LOGS, 2)
    assert values(telemetry, semconv.COLLECTOR_RECEIVED_LOG_RECORDS) == {("shop",): 2}
    assert values(telemetry, semconv.OTELCOL_ACCEPTED_LOG_RECORDS)["otlp", "http"] == 2
    assert values(telemetry, semconv.OTELCOL_REFUSED_LOG_RECORDS)["otlp", "http"] == 2
    assert values(telemetry, semconv.COLLECTOR_IGNORED_LOG_RECORDS) == {
        ("not_an_evaluation",): 1,
    }
    assert values(telemetry, semconv.OTELCOL_ACCEPTED_SPANS)["otlp", "http"] == 0


def test_counted_calls_tell_how_late_they_are_and_who_told_of_them(telemetry):
    now = time.time()
    ends = [now - 2, now - 400, now + 60, None]
    rows = [{"end_time": end, "dialect": "genai"} if end else {"dialect": "openlit"} for end in ends]
    calls = Calls.from_rows(rows)
    calls.add("weighted", np.array([semconv.WEIGHTED.index(semconv.UNKNOWN)] * 3 + [0]))
    telemetry.counted(calls)
    assert values(telemetry, semconv.COLLECTOR_LATE_CALLS) == {(): 1}
    assert values(telemetry, semconv.COLLECTOR_FUTURE_CALLS) == {(): 1}
    dialects = values(telemetry, semconv.COLLECTOR_DIALECT_CALLS)
    assert (dialects["genai",], dialects["openlit",]) == (3, 1)
    lag = values(telemetry, semconv.COLLECTOR_LAG)
    assert (lag["bucket", "1.0"], lag["bucket", "5.0"], lag["bucket", "600.0"], lag["count", None]) == (1, 2, 3, 3)
    assert lag["sum", None] == pytest.approx(402, abs=10)
    assert values(telemetry, semconv.COLLECTOR_UNKNOWN_WEIGHT) == {
        (): 3 if semconv.WEIGHTED.index(semconv.UNKNOWN) else 4
    }


def test_a_value_on_a_bound_is_in_the_bucket_below_it(telemetry):
    telemetry.observe(semconv.COLLECTOR_LAG, 0.5)
    assert values(telemetry, semconv.COLLECTOR_LAG)["bucket", "0.5"] == 1


def test_what_is_kept_elsewhere_is_read_at_each_scrape(telemetry):
    held = {("otlp/a",): 1.0}
    telemetry.watch(semconv.FORWARD_QUEUE_BYTES, lambda: held)
    assert values(telemetry, semconv.FORWARD_QUEUE_BYTES) == {("otlp/a",): 1}
    held[("otlp/a",)] = 2.0
    assert values(telemetry, semconv.FORWARD_QUEUE_BYTES) == {("otlp/a",): 2}


def test_what_finds_no_room_is_told_by_metric_and_by_label(telemetry):
    state = State(Limits(label_sets=1, label_values=2), Metrics())
    state.add(rated(Results.from_rows([{"service": name, "kind": "thumb_up"} for name in "abcd"])))
    telemetry.held(state)
    assert values(telemetry, semconv.COLLECTOR_LABEL_SETS)[semconv.FEEDBACK.name,] == 1
    assert values(telemetry, semconv.COLLECTOR_SERIES_OVERFLOW)[semconv.FEEDBACK.name,] == 3
    assert values(telemetry, semconv.COLLECTOR_LABEL_VALUES)[semconv.LABEL_SERVICE,] == 2
    assert values(telemetry, semconv.COLLECTOR_LABEL_OVERFLOW)[semconv.LABEL_SERVICE,] == 2


def test_cpu_time_adds_up_by_stage(telemetry):
    since = telemetry.spent(semconv.STAGE_DECODE, time.thread_time() - 1.0)
    telemetry.spent(semconv.STAGE_COUNT, since - 2.0)
    seconds = values(telemetry, semconv.COLLECTOR_CPU_SECONDS)
    assert 1.0 <= seconds["decode",] < 1.5
    assert 2.0 <= seconds["count",] < 2.5


def test_a_refused_configuration_leaves_the_hash_of_the_one_in_force(telemetry):
    telemetry.configured(Config())
    first = values(telemetry, semconv.COLLECTOR_CONFIG_INFO)
    telemetry.configured(Config(limits=Limits(label_sets=7)))
    second = values(telemetry, semconv.COLLECTOR_CONFIG_INFO)
    telemetry.not_configured()
    assert values(telemetry, semconv.COLLECTOR_CONFIG_INFO) == second != first
    assert list(second.values()) == [1]
    assert values(telemetry, semconv.COLLECTOR_RELOAD_SUCCESSFUL) == {(): 0}
    assert values(telemetry, semconv.COLLECTOR_RELOAD_TIME)[()] == pytest.approx(time.time(), abs=60)


def test_the_build_tells_its_decoder(telemetry):
    telemetry.built("python")
    ((labels, value),) = values(telemetry, semconv.COLLECTOR_BUILD_INFO).items()
    assert ("python" in labels, value) == (True, 1)


def test_known_reasons_and_processors_are_zero_from_the_start(telemetry):
    assert values(telemetry, semconv.COLLECTOR_PROCESSOR_FAILURES) == {("slo",): 0}
    refused = values(telemetry, semconv.COLLECTOR_REFUSED_REQUESTS)
    assert refused == {
        (receiver, reason): 0
        for receiver in (semconv.RECEIVER_GRPC, semconv.RECEIVER_HTTP, semconv.RECEIVER_KAFKA)
        for reason in semconv.REFUSED_REASONS
    }
    assert set(values(telemetry, semconv.COLLECTOR_DUPLICATE_CALLS)) == {(each,) for each in semconv.REPEATED_REASONS}


PARSE = {
    Format.TEXT: (parser.text_string_to_metric_families, ""),
    Format.OPENMETRICS: (openmetrics_parser.text_string_to_metric_families, "# EOF\n"),
}


@pytest.mark.parametrize("format", PARSE)
def test_both_text_formats_hold_every_family(telemetry, format):
    telemetry.count(semconv.COLLECTOR_RECEIVED_SPANS, 'a"b\\c\né')
    parse, end = PARSE[format]
    families = {family.name: family for family in parse(telemetry.render(format).decode() + end)}
    assert {family.name.removesuffix("_total") for family in FAMILIES} <= set(families)
    (sample,) = families["llm_collector_received_spans"].samples
    assert sample.labels == {semconv.LABEL_SERVICE: 'a"b\\c\né'}


def test_promtool_has_nothing_to_say(telemetry, program):
    telemetry.built("python")
    telemetry.configured(Config())
    text = telemetry.render(Format.TEXT)
    result = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_the_process_tells_its_memory_and_cpu_as_both_worlds_call_them(telemetry):
    told = {sample.name: sample.value for metric in telemetry.collect() for sample in metric.samples}
    assert told[semconv.OTELCOL_MEMORY.name] == told["process_resident_memory_bytes"] > 1 << 20
    assert told[semconv.OTELCOL_CPU.name] == told["process_cpu_seconds_total"] > 0
    assert told[semconv.OTELCOL_UPTIME.name] > 0


def test_calls_that_nobody_prices_are_counted():
    telemetry = Telemetry(label_sets=20, processors=[])
    calls = Calls.from_rows([{"cost": 0.1}, {"input_tokens": 5}, {}])
    telemetry.counted(Pricing(PriceConfig()).process(calls))
    # The third tells no tokens, so that no price could tell its cost.
    assert values(telemetry, semconv.COLLECTOR_UNPRICED) == {(): 1}
