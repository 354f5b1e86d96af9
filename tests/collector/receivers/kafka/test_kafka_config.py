"""Each mistake in what is configured of Kafka is told in one sentence, before anything is connected to."""

import sys

import pytest

from llmvitals_collector.__main__ import main


@pytest.fixture
def check(tmp_path, capsys):
    """`check(text)` is what `llmvitals check` says of a configuration of the receiver."""

    def run(text):
        file = tmp_path / "collector.yaml"
        file.write_text(f"receivers: {{kafka: {{{text}}}}}")
        main(["check", str(file)])
        said = capsys.readouterr()
        return said.out + said.err

    return run


def test_brokers_are_enough(check):
    assert check('brokers: ["kafka.example:9092"]').endswith("collector.yaml: valid\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("brokers: [kafka]", "receivers.kafka.brokers: ['kafka'] is not a list of brokers such as kafka.example:9092"),
        ('brokers: ["k:1"], encoding: otlp', "receivers.kafka.encoding: "),
        ('brokers: ["k:1"], traces_topics: [], logs_topics: []', "traces_topics: is empty, as logs_topics is"),
        ('brokers: ["k:1"], traces_topics: [a], logs_topics: [a]', "logs_topics: 'a' is among traces_topics, too"),
        ('brokers: ["k:1"], dead_letter_topic: otlp_spans', "dead_letter_topic: is read itself"),
        ('brokers: ["k:1"], properties: {group.id: x}', "properties: 'group.id' is not to be set there"),
        (
            'brokers: ["k:1"], properties: {nosuch: x}',
            'receivers.kafka.properties: No such configuration property: "nosuch"',
        ),
        ('brokers: ["k:1"], properties: {security.protocol: tls}', 'Invalid value "tls" for configuration property'),
        ('brokers: ["k:1"], properties: {transaction.timeout.ms: "1000"}', "receivers.kafka.properties: "),
        ('brokers: ["k:1"], brokrs: []', "brokrs"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(check, text, sentence):
    said = check(text)
    assert sentence in said
    assert said.count("\n") == 1
    assert "Traceback" not in said


def test_without_its_client_it_is_told_what_to_install(check, monkeypatch):
    monkeypatch.delitem(sys.modules, "llmvitals_collector.receivers.kafka.receiver", raising=False)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    assert "pip install 'llmvitals[kafka]'" in check('brokers: ["k:1"]')
    assert check("brokers: []").endswith("valid\n")
