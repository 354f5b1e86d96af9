"""A mistake in `forward` is told in one sentence, and no secret of it is shown."""

import pytest

from llmvitals_collector.config import Config
from llmvitals_collector.document import parsed

HTTP = "endpoint: 'http://a:1', protocol: http"


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("", "forward.mine.endpoint: is no URL; valid: one such as https://backend.example:4317"),
        ("endpoint: 'ftp://a'", "forward.mine.endpoint: is no URL; valid: one such as https://backend.example:4317"),
        (
            "endpoint: 'http://a:9x'",
            "forward.mine.endpoint: is no URL; valid: one such as https://backend.example:4317",
        ),
        (
            "endpoint: 'http://a/otlp'",
            "forward.mine.endpoint: gRPC takes a port and no path; valid: one such as https://backend.example:4317",
        ),
        (
            "endpoint: 'http://me:secret@a:1'",
            "forward.mine.endpoint: has a user, a query or a fragment; valid: put secrets into headers",
        ),
        ("endpont: 'http://a:1'", "forward.mine.endpont: unknown key; did you mean 'endpoint'?"),
        (f"{HTTP}, compression: zstd", "forward.mine.compression: 'zstd' is not gzip or none"),
        (f"{HTTP}, signals: [metrics]", "forward.mine.signals: ['metrics'] is not a list of traces, logs or both"),
        (f"{HTTP}, signals: []", "forward.mine.signals: [] is not a list of traces, logs or both"),
        (
            f"{HTTP}, headers: [secret]",
            "forward.mine.headers: the value is not a mapping of names of headers to their values",
        ),
        (
            f"{HTTP}, headers: {{'a b': secret}}",
            "forward.mine.headers: 'a b' is no name of a header; valid: letters, digits and -",
        ),
        (
            f'{HTTP}, headers: {{a: "secret\\n"}}',
            "forward.mine.headers: the value of a has characters that no header has; valid: ASCII",
        ),
        (
            f"{HTTP}, retry: {{total_seconds: 0}}",
            "forward.mine.retry.total_seconds: 0 is not a number of seconds above 0, at most 86400",
        ),
        (
            f"{HTTP}, tls: {{cert_file: c.pem}}",
            "forward.mine.tls.key_file: is missing, which belongs to cert_file",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_its_path_and_what_is_valid(backend, sentence):
    with pytest.raises(ValueError, match=r"^forward") as raised:
        parsed(f"forward: {{mine: {{{backend}}}}}", Config, {})
    assert str(raised.value) == sentence


def test_headers_come_from_the_environment_and_are_not_shown():
    document = f"forward: {{mine: {{{HTTP}, headers: {{authorization: 'Bearer ${{env:TOKEN}}'}}}}}}"
    config = parsed(document, Config, {"TOKEN": "secret"})
    assert config.forward["mine"].headers == {"authorization": "Bearer secret"}
    assert "secret" not in repr(config)
