"""Pages of the web may send telemetry where the configuration says so."""

import pytest
from msgspec.structs import replace

from llmvitals_collector.config import Cors
from llmvitals_collector.receivers import UnavailableError


@pytest.fixture
def settings(settings):
    cors = Cors(
        allowed_origins=("https://shop.example", "https://*.shop.example"),
        allowed_headers=("authorization",),
        max_age_seconds=60,
    )
    return replace(settings, http=replace(settings.http, cors=cors))


@pytest.mark.parametrize("origin", ["https://shop.example", "https://www.shop.example", "https://SHOP.example"])
def test_a_page_may_read_the_answer(post, origin):
    headers = post(b"a batch", origin=origin).headers
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["vary"] == "origin"


@pytest.mark.parametrize(
    "origin", ["http://shop.example", "https://shop.example.evil", "https://evilshop.example", "null"]
)
def test_any_other_page_may_not(post, origin):
    assert "access-control-allow-origin" not in post(b"a batch", origin=origin).headers


def test_a_page_may_read_a_refusal_and_when_to_come_again(post, intake):
    intake.outcome = UnavailableError(3, "the disk is full")
    headers = post(b"a batch", origin="https://shop.example").headers
    assert headers["access-control-allow-origin"] == "https://shop.example"
    assert headers["access-control-expose-headers"] == "retry-after"


def test_a_browser_that_asks_first_is_told_what_it_may_send(post, intake):
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    answer = post(None, method="OPTIONS", origin="https://shop.example", **asked)
    assert answer.code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type, content-encoding, authorization"
    assert answer.headers["access-control-max-age"] == "60"
    refused = post(None, method="OPTIONS", origin="https://evil.example", **asked)
    assert not [name for name in refused.headers if name.startswith("access-control")]
    assert not intake.refused
