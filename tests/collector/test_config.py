"""A configuration is read as written, and each mistake in it is told in one sentence."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from llmvitals import semconv
from llmvitals_collector import config
from llmvitals_collector.document import keys
from llmvitals_collector.reference import reference


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
        (
            "receivers: {max_in_flight_bytes: 2000000}",
            "receivers.max_in_flight_bytes: 2000000 is not enough for one request of 16777216 bytes and what it "
            "inflates to; valid: 33619968 or more",
        ),
        (
            "metrics: {tls: {cert_file: a.pem}}",
            "metrics.tls.key_file: is missing, which belongs to cert_file",
        ),
        (
            "receivers: {http: {tls: {client_ca_file: a.pem}}}",
            "receivers.http.tls.cert_file: is missing, without which client_ca_file has no effect",
        ),
        (
            "receivers: {http: {cors: {allowed_origins: [shop.example]}}}",
            "receivers.http.cors.allowed_origins: ['shop.example'] is not a list of origins such as "
            "https://shop.example or https://*.shop.example, or of *",
        ),
        (
            "receivers: {zipkin: {}}",
            "receivers.zipkin: unknown key; valid keys: max_in_flight_bytes, grpc, http, feedback, kafka",
        ),
        (
            "receivers: {feedback: {kinds: [thumbs_up]}}",
            "receivers.feedback.kinds: 'thumbs_up' is unknown; did you mean 'thumb_up'?",
        ),
        (
            "receivers: {feedback: {trusted_proxies: -1}}",
            "receivers.feedback.trusted_proxies: -1 is not a whole number from 0 to 16",
        ),
        ("limit: {}", "limit: unknown key; did you mean 'limits'?"),
        ("processors: {slos: {}}", "processors.slos: unknown key; did you mean 'slo'?"),
        (
            "1: 2",
            "1: unknown key; valid keys: receivers, metrics, limits, processors, evaluation, storage, forward, push, "
            "debug",
        ),
        (
            "- a",
            "the file: ['a'] is no section; its keys are: receivers, metrics, limits, processors, "
            "evaluation, storage, forward, push, debug",
        ),
        (
            "metrics: 9464",
            "metrics: 9464 is no section; "
            "its keys are: address, tls, native_histograms, classic_histograms, page, catalogue",
        ),
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
        ("metrics: {page: yess}", "metrics.page: 'yess' is not true or false"),
        ("processors: {price: {override: 1.5}}", "processors.price.override: 1.5 is not true or false"),
        ("storage: {directory: [data]}", "storage.directory: ['data'] is not a text"),
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


def test_every_key_tells_in_words_what_it_is_to_be(load):
    def keys_of(section, *path):
        for key in keys(section):
            yield from keys_of(key.section, *path, key.name) if key.section else [(*path, key.name)]
            yield from keys_of(key.entry, *path, key.name, "name") if key.entry else []

    for path in keys_of(config.Config):
        value = "[[1]]"
        for name in reversed(path):
            value = f"{{{name}: {value}}}"
        with pytest.raises(config.ConfigError, match=rf": {re.escape('.'.join(path))}: .+ is not \w"):
            load(value)


def test_no_mistake_shows_a_secret(load):
    with pytest.raises(config.ConfigError) as raised:
        load("receivers: {grpc: {auth: {bearer_tokens: [hunter2]}}}")
    assert str(raised.value).endswith(
        "receivers.grpc.auth.bearer_tokens: the value is not a list of tokens, each of at least 16 visible ASCII "
        "characters"
    )
    token = "correct-horse-battery"
    assert token not in repr(load(f"receivers: {{grpc: {{auth: {{bearer_tokens: [{token}]}}}}}}"))


class TestReference:
    """The page with every key, which the structs of the configuration write themselves."""

    def test_the_committed_page_is_what_the_command_prints(self):
        committed = (Path(__file__).parents[2] / "collector_processors" / "configuration.yaml").read_text()
        assert committed == reference(), "llmvitals config > collector_processors/configuration.yaml"

    def test_it_is_a_valid_file_and_has_every_key_with_its_default(self, load):
        assert load(reference()) == config.Config()
        assert leaves(yaml.safe_load(reference())) == leaves(msgspec.to_builtins(config.Config()))

    def test_every_key_has_a_sentence_and_every_sentence_a_key(self):
        """Those of a processor stand in its module's docstring."""

        def see(section):
            for key in keys(section):
                if key.section and key.section is not config.ProcessorsConfig:
                    see(key.section)
            if section.__module__ == config.__name__:
                settings = {key.name for key in keys(section) if not key.section}
                told = re.findall(r"^ {8}(\w+): ", section.__doc__.partition("Attributes:")[2], re.MULTILINE)
                assert set(told) >= settings - {"forward", "push"}, section

        see(config.Config)


def test_the_examples_of_the_readme_are_valid(load):
    readme = (Path(__file__).parents[2] / "collector_processors" / "README.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert examples
    for example in examples:
        load(example, dict.fromkeys(re.findall(r"env:(\w+)", example), "correct-horse-battery"))


def leaves(value):
    return {k: leaves(v) for k, v in value.items()} if isinstance(value, dict) and value else None


class TestReload:
    """What a collector that runs can take of a changed file."""

    def test_tokens_limits_and_pages_change_at_once(self, load):
        running = config.Config()
        wanted = load(
            """
            receivers:
                max_in_flight_bytes: 40000000
                grpc: {auth: {bearer_tokens: [correct-horse-battery]}}
                http: {cors: {allowed_origins: ["https://shop.example"]}}
            processors: {slo: {duration: {threshold_seconds: 5}}}
            """
        )
        assert config.reloaded(running, wanted) == (wanted, [])

    def test_what_takes_a_restart_stays_and_is_named(self, load):
        running = config.Config()
        wanted = load("receivers: {grpc: {address: '127.0.0.1:1', max_request_bytes: 2048}}\nlimits: {label_sets: 5}")
        assert config.reloaded(running, wanted) == (
            running,
            ["receivers.grpc.address", "receivers.grpc.max_request_bytes", "limits.label_sets"],
        )

    def test_what_does_not_go_with_what_stays_is_a_mistake(self, load):
        common = "max_request_bytes: 2048"
        wanted = load(f"receivers: {{max_in_flight_bytes: 2000000, grpc: {{{common}}}, http: {{{common}}}}}")
        with pytest.raises(
            config.ConfigError, match=r"2000000 is not enough for one request of 16777216 bytes .* restart"
        ):
            config.reloaded(config.Config(), wanted)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(config.ConfigError, match=r"none\.yaml: cannot be read: No such file or directory"):
        config.load(tmp_path / "none.yaml")
    with pytest.raises(config.ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(config.ConfigError, match=r"binary\.yaml: is not text in UTF-8"):
        config.load(tmp_path / "binary.yaml")
