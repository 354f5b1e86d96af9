"""Which pages may send feedback, and how often anybody may."""

import pytest
from msgspec.structs import replace

from llmvitals_collector.config import Auth

SHOP, EVIL = {"origin": "https://shop.example"}, {"origin": "https://evil.example"}


class TestRates:
    @pytest.fixture
    def feedback(self, feedback):
        return replace(feedback, client_requests_per_minute=5, answer_requests_per_minute=2, trusted_proxies=1)

    def test_who_comes_too_often_is_told_when_to_come_again(self, send, handle, outcomes):
        codes = [send(handle=handle(), kind="copy").code for _ in range(6)]
        assert codes == [*[202] * 5, 429]
        answer = send(handle=handle(), kind="copy")
        assert answer.message == "too many requests from this address"
        assert 1 <= int(answer.headers["retry-after"]) <= 12
        assert outcomes() == {"accepted": 5, "rate_limited": 2}

    def test_every_client_behind_a_proxy_has_its_own_rate(self, send, handle):
        """By what the proxy says, and not by what the client wrote before it."""
        for number in range(8):
            forwarded = {"x-forwarded-for": f"1.1.1.{number}, 2.2.2.{number % 2}"}
            assert send(handle=handle(), kind="copy", headers=forwarded).code == 202
        codes = {send(handle=handle(), kind="copy", headers={"x-forwarded-for": "9.9.9.9, 2.2.2.1"}).code for _ in "ab"}
        assert codes == {202, 429}

    def test_one_answer_has_a_rate_of_its_own_whoever_comes(self, send, handle):
        known = handle()
        answers = [
            send(handle=known, kind=kind, headers={"x-forwarded-for": f"3.3.3.{number}"})
            for number, kind in enumerate(("copy", "thumb_up", "report"))
        ]
        assert [answer.code for answer in answers] == [202, 202, 429]
        assert answers[-1].message == "too many requests on this answer"


# ---- Pages of the web --------------------------------------------------------------------------------


def test_a_page_that_is_allowed_reads_the_answer(send, handle):
    answer = send(handle=handle(), kind="thumb_up", headers=SHOP)
    assert (answer.code, answer.headers["access-control-allow-origin"]) == (202, "https://shop.example")


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil", "http://shop.example", "null"])
def test_feedback_from_any_other_page_is_refused_and_not_only_unreadable(send, handle, outcomes, counted, origin):
    answer = send(handle=handle(), kind="thumb_up", headers={"origin": origin})
    assert (answer.code, answer.outcome) == (403, "foreign_origin")
    assert answer.message.endswith("receivers.feedback.cors.allowed_origins has those that may")
    assert "access-control-allow-origin" not in answer.headers
    assert outcomes() == {"foreign_origin": 1}
    assert not counted()


def test_a_browser_that_asks_first_is_told_whether_it_may(send, outcomes):
    allowed = send(b"", method="OPTIONS", headers={**SHOP, "access-control-request-method": "POST"})
    assert (allowed.code, allowed.headers["access-control-allow-methods"]) == (204, "POST")
    assert send(b"", method="OPTIONS", headers=EVIL).code == 403
    assert outcomes() == {"foreign_origin": 1}


def test_the_settings_of_otlp_are_others(config, send_to, handle, running):
    """Feedback needs no token, and its pages may not therefore send OTLP."""
    http = replace(config.receivers.http, auth=Auth(bearer_tokens=("a-token-of-the-apps",)))
    with running(replace(config, receivers=replace(config.receivers, http=http))) as pipeline:
        assert send_to(pipeline, handle=handle(), kind="copy", headers=SHOP).code == 202
        otlp = send_to(pipeline, path="/v1/logs", headers={**SHOP, "content-type": "application/json"})
        assert otlp.code == 401
        assert "access-control-allow-origin" not in otlp.headers


def test_the_module_is_kept_by_browsers_until_it_changes(send):
    first = send(b"", "GET", "/feedback.js", SHOP)
    assert first.code == 200
    assert "export async function feedback(" in first.message
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["access-control-allow-origin"] == "https://shop.example"
    assert (first.headers["cache-control"], first.headers["vary"]) == ("public, max-age=3600", "origin")
    again = send(b"", "GET", "/feedback.js", {**SHOP, "if-none-match": f'W/"x", {first.headers["etag"]}'})
    assert (again.code, again.message) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]


def test_the_module_is_there_for_anybody_and_readable_for_pages_that_are_allowed(send):
    foreign = send(b"", "GET", "/feedback.js", EVIL)
    assert foreign.code == 200
    assert "access-control-allow-origin" not in foreign.headers
    assert foreign.headers["vary"] == "origin"
    assert (send(b"", "HEAD", "/feedback.js").code, send(b"", "POST", "/feedback.js").code) == (200, 405)
