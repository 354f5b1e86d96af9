"""What the collector tells of itself."""

import time

from llmvitals import semconv
from llmvitals_collector.telemetry import Telemetry


def values(telemetry, family):
    (found,) = [each for each in telemetry.snapshot() if each.series.family is family]
    shown = found.shown[:, 0].nonzero()[0].tolist()
    return {found.series.label_sets.values[row]: found.cells[row, 0, 0].item() for row in shown}


def test_services_name_themselves_so_their_number_is_limited():
    telemetry = Telemetry(label_sets=20, processors=[])
    for number in range(50):
        telemetry.received(semconv.COLLECTOR_RECEIVED_SPANS, {f"service-{number}": 2})
    received = values(telemetry, semconv.COLLECTOR_RECEIVED_SPANS)
    assert len(received) == 21
    assert received[semconv.OVERFLOW,] == 60
    assert sum(received.values()) == 100


def test_the_limit_of_services_leaves_the_rest_alone():
    telemetry = Telemetry(label_sets=1, processors=["classify", "slo"])
    assert len(values(telemetry, semconv.COLLECTOR_PROCESSOR_FAILURES)) == 2


def test_the_time_of_the_last_batch_is_told_by_service():
    telemetry = Telemetry(label_sets=20, processors=[])
    before = time.time()
    telemetry.received(semconv.COLLECTOR_RECEIVED_LOG_RECORDS, {"shop": 1})
    assert before <= values(telemetry, semconv.COLLECTOR_LAST_RECEIVED)["shop",] <= time.time()


def test_known_reasons_and_processors_are_zero_from_the_start():
    telemetry = Telemetry(label_sets=20, processors=["slo"])
    assert values(telemetry, semconv.COLLECTOR_PROCESSOR_FAILURES) == {("slo",): 0}
    ignored = values(telemetry, semconv.COLLECTOR_IGNORED_SPANS)
    assert ignored == {(reason,): 0 for reason in semconv.IGNORED_SPAN_REASONS}
    assert values(telemetry, semconv.COLLECTOR_REFUSED_REQUESTS)["http", "too_large"] == 0
