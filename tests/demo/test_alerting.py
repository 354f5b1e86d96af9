"""The demo's Alertmanager: the shipped configuration, whose messages lead to what runs."""

import json
import queue
import urllib.request
from datetime import UTC, datetime

import pytest
import yaml

from llmvitals_collector import assets
from llmvitals_collector.demo import alerting, programs
from llmvitals_collector.demo.slack import Webhook

PAGE = "http://127.0.0.1:9464"


def test_every_channel_has_the_address_of_its_webhook_in_a_file(tmp_path):
    configured = alerting.configuration(tmp_path, lambda secret: f"http://{secret}.example", "1s", "2s")
    files = {configured["global"]["slack_api_url_file"]} | {
        slack["api_url_file"]
        for receiver in configured["receivers"]
        for slack in receiver.get("slack_configs", ())
        if "api_url_file" in slack
    }
    for name in ("slack_llm", "slack_quality", "slack_oncall"):
        assert (tmp_path / name).read_text() == f"http://{name}.example\n"
    assert files == {str(tmp_path / name) for name in ("slack_llm", "slack_quality", "slack_oncall")}


def test_but_for_the_times_of_groups_and_the_secrets_it_is_as_it_is_shipped(tmp_path):
    configured = alerting.configuration(tmp_path, lambda _: "", "1s", "2s")
    shipped = yaml.safe_load((assets.prometheus_rules() / "alertmanager" / "alertmanager.yml").read_text())
    assert configured["inhibit_rules"] == shipped["inhibit_rules"]
    for ours, theirs in zip(configured["route"]["routes"], shipped["route"]["routes"], strict=True):
        assert (ours["group_wait"], ours["group_interval"]) == ("1s", "2s")
        assert ours["matchers"] == theirs["matchers"]
        assert ours["receiver"] == theirs["receiver"]
        assert ours.get("repeat_interval") == theirs.get("repeat_interval")


@pytest.mark.servers
def test_messages_come_to_the_terminal_and_lead_to_the_page_and_its_runbooks(tmp_path, program):
    """The page knows the boards by their addresses."""
    board = "/d/llm-latency?var-model=claude%2Fx&from=now-3d"
    program("prometheus-alertmanager", "alertmanager")
    messages = queue.Queue()
    with Webhook(messages.put) as webhook, programs.alertmanager(tmp_path, 0, PAGE, webhook.address) as alertmanager:
        alert = {
            "labels": {"alertname": "LLMX", "severity": "critical", "category": "slo"},
            "annotations": {"summary": "bad", "runbook_url": "/runbooks/LLMX.md", "dashboard_url": board},
            "startsAt": datetime.now(UTC).isoformat(),
        }
        request = urllib.request.Request(
            f"{alertmanager.url}/api/v2/alerts", json.dumps([alert]).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()
        message = messages.get(timeout=60)
    assert (message.channel, message.title) == ("slack_oncall", "[CRITICAL] LLMX")
    assert message.links["Runbook"] == f"{PAGE}/runbooks/LLMX.md"
    assert message.links["Dashboard"] == f"{PAGE}{board}"
    assert message.links["Silence"].startswith(f"{alertmanager.url}/#/silences/new?filter=%7Balertname%3D%22LLMX%22")
