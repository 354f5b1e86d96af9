"""A configuration is read as written, and each mistake in it is told in one sentence."""

from pathlib import Path

import msgspec
import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector import config


@pytest.fixture
def load(tmp_path):
    def read(text, environment=None):
        path = tmp_path / "collector.yaml"
        path.write_text(text)
        return config.load(path, environment or {})

    return read


@pytest.mark.parametrize("text", ["", "receivers:", "receivers: {grpc: {}}", "# nothing\n"])
def test_what_is_left_out_has_its_default(load, text):
    assert load(text) == config.Config()


def test_every_section_is_read(load):
    loaded = load(
        """
        receivers:
            grpc: {address: "0.0.0.0:14317", max_request_bytes: 4096}
            http: {address: "[::1]:14318"}
        metrics: {address: "localhost:19464"}
        limits: {label_sets: 50}
        processors:
            classify: {error_types: {GatewayBusy: rate_limit}}
            slo: {first_token: {objective: 0.9, threshold_seconds: 1}}
        """
    )
    assert loaded.receivers.grpc.address == "0.0.0.0:14317"
    assert loaded.receivers.grpc.max_request_bytes == 4096
    assert loaded.receivers.http.address == "[::1]:14318"
    assert loaded.metrics.address == "localhost:19464"
    assert loaded.limits.label_sets == 50
    assert loaded.processors.classify.error_types == {"GatewayBusy": semconv.RATE_LIMIT}
    assert loaded.processors.slo.first_token.objective == 0.9
    assert loaded.processors.slo.first_token.threshold_seconds == 1.0
    assert loaded.processors.slo.duration.objective == 0.95


def test_the_environment_fills_in_texts_and_numbers(load):
    text = 'metrics: {address: "${env:HOST:-127.0.0.1}:${env:PORT}"}\nlimits: {label_sets: "${env:SETS}"}'
    loaded = load(text, {"PORT": "9000", "SETS": "7"})
    assert loaded.metrics.address == "127.0.0.1:9000"
    assert loaded.limits.label_sets == 7
    assert load('metrics: {address: "${env:HOST:-[::]}:1"}', {"HOST": ""}).metrics.address == "[::]:1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("receivers: {grpc: {adress: x}}", "receivers.grpc.adress: unknown key; did you mean 'address'?"),
        ("receivers: {zipkin: {}}", "receivers.zipkin: unknown key; valid keys: grpc, http"),
        ("limit: {}", "limit: unknown key; did you mean 'limits'?"),
        ("processors: {slos: {}}", "processors.slos: unknown key; did you mean 'slo'?"),
        ("1: 2", "1: unknown key; valid keys: receivers, metrics, limits, processors"),
        ("- a", "the file: ['a'] is no section; its keys are: receivers, metrics, limits, processors"),
        ("metrics: 9464", "metrics: 9464 is no section; its keys are: address"),
        ("metrics: {address: 9464}", "metrics.address: 9464 is not a host and a port, such as 127.0.0.1:4317"),
        (
            "metrics: {address: 'localhost:70000'}",
            "metrics.address: 'localhost:70000' is not a host and a port, such as 127.0.0.1:4317",
        ),
        ("limits: {label_sets: 0}", "limits.label_sets: 0 is not a whole number from 1 to 1000000"),
        ("limits: {label_sets: many}", "limits.label_sets: 'many' is not a whole number from 1 to 1000000"),
        (
            "processors: {slo: {duration: {objective: 99}}}",
            "processors.slo.duration.objective: 99 is not a number above 0 and below 1",
        ),
        (
            "processors: {classify: {error_types: {Busy: busy}}}",
            "processors.classify.error_types.Busy: 'busy' is no error class; valid: timeout, rate_limit, auth, "
            "bad_request, content_filter, connection, server, other",
        ),
        (
            "processors: {classify: {error_types: 5}}",
            "processors.classify.error_types: 5 is not a mapping of error types to their classes",
        ),
        ("metrics: {}\nlimits: {}\nmetrics: {}", "line 3: the key 'metrics' stands twice"),
        ("? [a, b]\n: c", "line 1: found unhashable key"),
        ("metrics: [", "line 1: expected the node content, but found '<stream end>'"),
        (
            "metrics: {address: '${env:HOST}:1'}",
            "metrics.address: the environment variable HOST is not set, and has no :-default",
        ),
    ],
)
def test_each_mistake_is_one_sentence_with_its_place(load, tmp_path, text, sentence):
    with pytest.raises(config.ConfigError) as raised:
        load(text)
    assert str(raised.value) == f"{tmp_path / 'collector.yaml'}: {sentence}"


def test_the_reference_in_the_readme_is_every_key_with_its_default(load):
    readme = (Path(__file__).parents[2] / "collector_processors" / "README.md").read_text()
    reference = readme.partition("```yaml\n")[2].partition("```")[0]

    def leaves(value):
        return {k: leaves(v) for k, v in value.items()} if isinstance(value, dict) and value else None

    assert load(reference) == config.Config()
    assert leaves(yaml.safe_load(reference)) == leaves(msgspec.to_builtins(config.Config()))


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(config.ConfigError, match=r"none\.yaml: cannot be read: No such file or directory"):
        config.load(tmp_path / "none.yaml")
    with pytest.raises(config.ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(config.ConfigError, match=r"binary\.yaml: is not text in UTF-8"):
        config.load(tmp_path / "binary.yaml")
