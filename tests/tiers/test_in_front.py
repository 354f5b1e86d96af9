"""llmvitals before everything else counts at once, and a backend that was away gets what it missed."""

import pytest

pytestmark = pytest.mark.tiers

CALLS = 40


@pytest.mark.parametrize(("protocol", "port"), [("grpc", 4317), ("http", 4318)])
def test_a_backend_that_was_away_gets_each_call_once(protocol, port, started, store, stored, calls, send, until):
    changes = {"http://store.example:4317": f"http://{store.address(port)}\n    protocol: {protocol}"}
    front = started("in_front.yaml", changes)
    store.kill()
    for _ in range(CALLS):
        send(front, calls(1))
    assert front.total("llm_calls_total") == CALLS, "it does not wait for the backend"
    until(lambda: front.total("llm_collector_forward_retries_total") > 0, front.log)
    store.start()
    until(lambda: len(stored()) == CALLS, front.log)
    assert len(set(stored())) == CALLS
    until(lambda: front.total("otelcol_exporter_sent_spans_total", exporter="otlp/store") == CALLS)
    assert front.total("otelcol_exporter_send_failed_spans_total") == 0
