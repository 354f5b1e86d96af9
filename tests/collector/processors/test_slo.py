"""Which objectives a call kept or broke."""

import pytest

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.classify import Classify, ClassifyConfig
from llmvitals_collector.processors.slo import Availability, FirstToken, Slo, SloConfig, gauges

OK = {}
FAILED = {"failed": True, "error_type": "500"}
TIMED_OUT = {"failed": True, "error_type": "TimeoutError"}
STOPPED = {"ending": semconv.CLOSED}
STREAMED = {"streamed": True}
IN_TIME = {"time_to_first_token": 2.0}
LATE = {"time_to_first_token": 2.1}


@pytest.mark.parametrize(
    ("slo", "row", "verdict"),
    [
        (semconv.SLO_AVAILABILITY, OK, semconv.GOOD),
        (semconv.SLO_AVAILABILITY, STOPPED, semconv.GOOD),
        (semconv.SLO_AVAILABILITY, FAILED, semconv.BAD),
        (semconv.SLO_FIRST_TOKEN, STREAMED | IN_TIME, semconv.GOOD),
        (semconv.SLO_FIRST_TOKEN, STREAMED | LATE, semconv.BAD),
        (semconv.SLO_FIRST_TOKEN, STREAMED | IN_TIME | FAILED, semconv.GOOD),
        (semconv.SLO_FIRST_TOKEN, STREAMED | FAILED, semconv.BAD),
        (semconv.SLO_FIRST_TOKEN, STREAMED | STOPPED, None),
        (semconv.SLO_FIRST_TOKEN, STREAMED | STOPPED | LATE, semconv.BAD),
        (semconv.SLO_FIRST_TOKEN, STREAMED, None),
        (semconv.SLO_FIRST_TOKEN, STREAMED | {"time_to_first_chunk": 1.0}, semconv.GOOD),
        (semconv.SLO_FIRST_TOKEN, STREAMED | LATE | {"time_to_first_chunk": 1.0}, semconv.BAD),
        (semconv.SLO_FIRST_TOKEN, IN_TIME, None),
        (semconv.SLO_FIRST_TOKEN, FAILED, None),
        (semconv.SLO_DURATION, {"duration": 20.0}, semconv.GOOD),
        (semconv.SLO_DURATION, {"duration": 20.1}, semconv.BAD),
        (semconv.SLO_DURATION, OK, None),
        (semconv.SLO_DURATION, FAILED | {"duration": 1.0}, None),
        (semconv.SLO_DURATION, STOPPED | {"duration": 30.0}, None),
        (semconv.SLO_DURATION, TIMED_OUT | {"duration": 1.0}, semconv.BAD),
    ],
)
def test_a_call_is_good_bad_or_does_not_count(slo, row, verdict):
    calls = Slo(SloConfig()).process(Classify(ClassifyConfig()).process(Calls.from_rows([row])))
    (code,) = calls[f"slo_{slo}"]
    assert (semconv.SLO_OUTCOMES[code] if code >= 0 else None) == verdict


def test_the_thresholds_are_settings():
    config = SloConfig(first_token=FirstToken(threshold_seconds=3))
    calls = Slo(config).process(Classify(ClassifyConfig()).process(Calls.from_rows([STREAMED | LATE])))
    assert semconv.SLO_OUTCOMES[calls["slo_first_token"][0]] == semconv.GOOD


def test_objectives_and_thresholds_are_exposed():
    assert list(gauges(SloConfig(availability=Availability(objective=0.999)))) == [
        (semconv.SLO_OBJECTIVE, ("availability",), 0.999),
        (semconv.SLO_OBJECTIVE, ("first_token",), 0.95),
        (semconv.SLO_OBJECTIVE, ("duration",), 0.95),
        (semconv.SLO_THRESHOLD, ("first_token",), 2.0),
        (semconv.SLO_THRESHOLD, ("duration",), 20.0),
    ]
