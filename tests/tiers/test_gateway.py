"""An agent, a gateway and three replicas count together what one collector would."""

import math
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from llmvitals import semconv
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider

pytestmark = pytest.mark.tiers

SHOP = Path(__file__).parents[1] / "end_to_end" / "shop.py"
BEHAVIOUR = Behaviour(output_tokens=11, cache_read_tokens=3)
# What a collector says of itself is not said of calls.
OWN = ("llm_collector_", "otelcol_", "process_")


def counted(*collectors):
    """What they count together: (name, labels) -> value, without zeros."""
    found = Counter()
    for collector in collectors:
        for each in collector.samples("counter", "histogram"):
            if not each.name.startswith(OWN) and not each.name.endswith("_created"):
                found[each.name, tuple(sorted(each.labels.items()))] += each.value
    return {key: value for key, value in found.items() if value}


def alike(one, other, key):
    return math.isclose(one.get(key, 0), other.get(key, 0))


def calls_of(*collectors):
    return sum(each.total("llm_calls_total") for each in collectors)


def test_what_an_app_sends_is_counted_by_three_replicas_together_as_by_one_before_them(started, gateway, until):
    agent, _, replicas = gateway
    single = started("in_front.yaml", {"store.example:4317": agent.address(4317)})
    with Provider(BEHAVIOUR) as provider:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LLMVITALS_"))},
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{single.address(4318)}",
            "OTEL_SERVICE_NAME": "shop",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "OPENAI_API_KEY": "any",
            "ANTHROPIC_BASE_URL": provider.url,
            "ANTHROPIC_API_KEY": "any",
        }
        orders = "chat greeting 20\nrated support 20\nembed search 5\n"
        subprocess.run([sys.executable, SHOP], input=orders, text=True, env=environment, timeout=60, check=True)
    assert calls_of(single) == 45
    assert single.total(semconv.FEEDBACK.name, template="support", kind="thumb_up") == 20
    one = counted(single)

    def differing():
        three = counted(*replicas)
        return {key: (one.get(key), three.get(key)) for key in one.keys() | three.keys() if not alike(one, three, key)}

    until(lambda: not differing(), differing)
    assert all(calls_of(each) for each in replicas), "the gateway shares out"


def test_what_several_processes_tell_of_one_call_comes_to_one_replica(gateway, calls, send, until):
    agent, _, replicas = gateway
    wrappers = calls(60)
    send(agent, wrappers)
    until(lambda: calls_of(*replicas) == 60)
    send(agent, calls(60, parents=wrappers))
    until(lambda: sum(each.total("llm_collector_duplicate_calls_total") for each in replicas) == 60)
    assert calls_of(*replicas) == 60


@pytest.mark.parametrize("tier", ["agent", "gateway", "replica"])
def test_whatever_is_killed_under_load_each_call_that_was_acknowledged_counts_once(tier, gateway, calls, send, until):
    agent, between, replicas = gateway
    killed = {"agent": agent, "gateway": between, "replica": replicas[1]}[tier]
    stopping, sent = Event(), []

    def load():
        while not stopping.is_set():
            send(agent, calls(8))
            sent.append(8)

    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(load) for _ in range(2)]
        try:
            for _ in range(3):
                until(lambda before=tuple(sent): len(sent) > len(before) + 5, agent.log)
                killed.kill()
                killed.start()
        finally:
            stopping.set()
    for client in clients:
        client.result()
    until(lambda: agent.total("otelcol_exporter_queue_size") == 0 and calls_of(*replicas) >= sum(sent), agent.log)
    assert calls_of(*replicas) == sum(sent)
    assert sum(each.total("llm_tokens_total", gen_ai_token_type="output") for each in replicas) == 7 * sum(sent)
    assert agent.total("otelcol_exporter_send_failed_spans_total") == 0


def test_what_a_replica_that_was_away_did_not_take_comes_again_even_if_the_gateway_is_killed_meanwhile(
    gateway, calls, send, until
):
    agent, between, replicas = gateway
    replicas[1].kill()
    send(agent, calls(100))
    until(lambda: calls_of(replicas[0], replicas[2]), agent.log)
    between.kill()
    between.start()
    replicas[1].start()
    until(lambda: agent.total("otelcol_exporter_sent_spans_total") == 100, agent.log)
    assert calls_of(*replicas) == 100


def test_a_list_of_replicas_that_changes_while_a_request_is_sent_again_makes_calls_count_twice(
    started, calls, send, until
):
    counting, away, other = (started("replica.yaml", name=f"replica-{number}") for number in range(3))
    listed = ", ".join(f"llmvitals-{number}.example:4317" for number in range(3))
    gateway = started("gateway.yaml", {listed: f"{counting.address(4317)}, {away.address(4317)}"})
    agent = started("agent.yaml", {"gateway.example:4317": gateway.address(4317)})
    away.kill()
    send(agent, calls(200))
    until(lambda: counting.total("llm_collector_duplicate_calls_total") > 0, agent.log)
    gateway.change(away.address(4317), other.address(4317))
    until(lambda: agent.total("otelcol_exporter_sent_spans_total") == 200, agent.log)
    assert 200 < calls_of(counting, other) < 300, "as the README says: with one hash ring, few of them move"
