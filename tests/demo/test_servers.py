"""Real Prometheus and Alertmanager servers start with a given configuration, or say in a sentence why not."""

import json

import pytest

from llmvitals_collector.demo import servers
from llmvitals_collector.demo.children import DemoError, read


@pytest.mark.servers
def test_prometheus_is_ready_with_its_configuration(tmp_path, program):
    program("prometheus")
    configuration = {"global": {"external_labels": {"from": "this test"}}}
    with servers.prometheus(configuration, tmp_path) as prometheus:
        assert "from: this test" in json.loads(read(f"{prometheus.url}/api/v1/status/config"))["data"]["yaml"]


@pytest.mark.servers
def test_alertmanager_is_ready_with_its_configuration(tmp_path, program):
    program("prometheus-alertmanager", "alertmanager")
    configuration = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    with servers.alertmanager(configuration, tmp_path) as alertmanager:
        assert "receiver: nobody" in json.loads(read(f"{alertmanager.url}/api/v2/status"))["config"]["original"]


@pytest.mark.servers
def test_a_configuration_that_prometheus_refuses_is_reported_in_its_words(tmp_path, program):
    program("prometheus")
    with pytest.raises(DemoError, match=r"Prometheus ended with exit code[\s\S]*field scrape_config not found"):
        servers.prometheus({"scrape_config": []}, tmp_path)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (servers.prometheus, "Prometheus is not installed: on Debian `apt install prometheus`"),
        (servers.alertmanager, "Alertmanager is not installed: on Debian `apt install prometheus-alertmanager`"),
    ],
)
def test_a_missing_server_is_a_sentence_that_says_how_to_get_it(tmp_path, monkeypatch, start, sentence):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DemoError, match=sentence):
        start({}, tmp_path)
