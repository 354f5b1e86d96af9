"""How many calls each call stands for."""

import pytest

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.sampling import Sampling, SamplingConfig


@pytest.mark.parametrize(
    ("trace_state", "weight"),
    [
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("ot=th:fd70a", 99.998),
        ("ot=th:ffffffffffffff", 2.0**56),
        ("ot=rv:6e6d1a75832a2f;th:c", 4.0),
        ("ot=th:c;rv:6e6d1a75832a2f,dd=s:1", 4.0),
        ("dd=th:8, ot=th:c", 4.0),
    ],
)
def test_a_threshold_tells_the_adjusted_count(trace_state, weight):
    calls = Sampling(SamplingConfig()).process(Calls.from_rows([{"trace_state": trace_state}]))
    assert calls["weight"][0] == pytest.approx(weight, rel=1e-5)
    assert semconv.WEIGHTED[calls["weighted"][0]] == semconv.TOLD


@pytest.mark.parametrize(
    "trace_state", ["", "ot=rv:6e6d1a75832a2f", "ot=th:", "ot=th:C", "ot=th:123456789012345", "ot=p:3", "dd=th:8", "x"]
)
def test_a_call_that_tells_no_threshold_counts_once_and_is_known_to_be_unknown(trace_state):
    calls = Sampling(SamplingConfig()).process(
        Calls.from_rows([{"trace_state": trace_state}, {"trace_state": "ot=th:8"}])
    )
    assert calls["weight"].tolist() == [1.0, 2.0]
    assert [semconv.WEIGHTED[place] for place in calls["weighted"]] == [semconv.UNKNOWN, semconv.TOLD]


def test_calls_can_count_as_received():
    config = SamplingConfig(adjusted_counts=False)
    assert Sampling(config).process(Calls.from_rows([{"trace_state": "ot=th:8"}]))["weight"].tolist() == [1.0]


def test_a_batch_in_which_no_span_has_a_trace_state_counts_as_received():
    calls = Sampling(SamplingConfig()).process(Calls([""], Calls.from_rows([{}, {}]).arrays))
    assert calls["weight"].tolist() == [1.0, 1.0]
