"""One OpenTelemetry Collector feeds a trace store and llmvitals, and neither of them waits for the other."""

import pytest

pytestmark = pytest.mark.tiers

CALLS = 40


@pytest.fixture
def replica(started):
    return started("replica.yaml")


@pytest.fixture
def addresses(store, replica):
    return {"store.example:4317": store.address(4317), "llmvitals.example:4318": replica.address(4318)}


@pytest.fixture
def fan_out(started, addresses):
    return started("fan_out.yaml", addresses)


def test_both_get_everything_once(fan_out, replica, calls, send, until, stored):
    for _ in range(CALLS):
        send(fan_out, calls(1))
    until(lambda: replica.total("llm_calls_total") == len(stored()) == CALLS, fan_out.log)
    assert replica.total("llm_collector_duplicate_calls_total") == 0
    assert len(set(stored())) == CALLS


def test_while_the_store_is_away_calls_are_counted_and_it_gets_them_later(
    fan_out, store, replica, calls, send, until, stored
):
    store.kill()
    send(fan_out, calls(CALLS))
    until(lambda: replica.total("llm_calls_total") == CALLS, fan_out.log)
    store.start()
    until(lambda: len(stored()) == CALLS, fan_out.log)
    assert replica.total("llm_collector_duplicate_calls_total") == 0


def test_while_llmvitals_is_away_the_store_gets_everything_and_calls_are_counted_later(
    fan_out, replica, calls, send, until, stored
):
    replica.kill()
    send(fan_out, calls(CALLS))
    until(lambda: len(stored()) == CALLS, fan_out.log)
    fan_out.kill()  # what it took is on disk
    fan_out.start()
    replica.start()
    until(lambda: replica.total("llm_calls_total") == CALLS, fan_out.log)
    assert len(set(stored())) == CALLS


def test_where_the_store_s_queue_is_full_nobody_sends_again_and_calls_are_counted_once(
    started, addresses, store, replica, calls, send, until
):
    room_for_one = {
        "{storage: file_storage, sizer: bytes, queue_size: 1073741824}": "{storage: file_storage, queue_size: 1}"
    }
    fan_out = started("fan_out.yaml", {**addresses, **room_for_one})
    store.kill()
    sent = []

    def is_full():
        send(fan_out, calls(1))
        sent.append(1)
        return fan_out.total("otelcol_exporter_enqueue_failed_spans_total", exporter="otlp_grpc/store") > 0

    until(is_full, fan_out.log)
    until(lambda: replica.total("llm_calls_total") == len(sent), fan_out.log)
    assert replica.total("llm_collector_duplicate_calls_total") == 0
