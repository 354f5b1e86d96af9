"""What is no good is refused with a sentence, counted, and never a fault."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from llmvitals import _handle, semconv
from llmvitals_collector.config import Config, ConfigError, FeedbackReceiver
from llmvitals_collector.feedback.endpoint import FeedbackEndpoint
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import UnavailableError
from llmvitals_collector.telemetry import Telemetry

HOUR, DAY = 3600, 86_400
NEW_KEY = "another-key-of-the-tests-that-is-long"
FORGED = semconv.HANDLE_PREFIX + "A" * 140
MISTAKES = {
    "no JSON": ({"body": b"thumb_up"}, 400, "malformed", "the body is no feedback: JSON is malformed"),
    "nothing": ({"body": b""}, 400, "malformed", "the body is no feedback: Input data was truncated; valid: "),
    "no kind": ({"handle": "lv1.x"}, 400, "malformed", "Object missing required field `kind`; valid: "),
    "an unknown key": ({"kind": "copy", "commnt": ""}, 400, "malformed", "Object contains unknown field `commnt`"),
    "a value out of range": ({"kind": "rating", "value": 5}, 400, "malformed", "`float` <= 1.0 - at `$.value`; valid:"),
    "a value of text": ({"kind": "rating", "value": "1"}, 400, "malformed", "Expected `float | null`, got `str`"),
    "a misspelt kind": ({"kind": "thumbs_up"}, 400, "unknown_kind", "; did you mean 'thumb_up'? Valid: thumb_up, "),
    "no handle": ({"kind": "copy", "handle": "chatcmpl-1"}, 400, "malformed", "'chatcmpl-1'... of 10 characters"),
    "one of another key": ({"kind": "copy", "handle": FORGED}, 401, "unknown_key", "not in LLMVITALS_HANDLE_KEY here"),
}  # fmt: skip


@pytest.mark.parametrize(("mistake", "code", "outcome", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_a_sentence(send, handle, outcomes, counted, mistake, code, outcome, sentence):
    fields = mistake if mistake.keys() in ({"body"}, {"handle"}) else {"handle": handle(), **mistake}
    answer = send(**fields)
    assert (answer.code, answer.outcome) == (code, outcome)
    assert sentence in answer.message
    assert outcomes() == {outcome: 1}
    assert not counted()


def test_a_forged_handle_is_refused(send, handle, outcomes):
    raw = bytearray(_handle._decoded(handle()))
    raw[-1] ^= 1
    answer = send(handle=semconv.HANDLE_PREFIX + _handle._encoded(bytes(raw)), kind="thumb_up")
    assert (answer.code, answer.headers["www-authenticate"]) == (401, "Handle")
    assert outcomes() == {"forged": 1}


@pytest.mark.parametrize(("kind", "age"), [("copy", HOUR), ("thumb_down", 7 * DAY), ("resolved", 30 * DAY)])
def test_how_old_a_handle_may_be_depends_on_the_kind(send, handle, later, outcomes, kind, age):
    young, old = handle(), handle()
    later(age - 60)
    assert send(handle=young, kind=kind).code == 202
    later(age + 60)
    assert send(handle=old, kind=kind).code == 410
    assert outcomes() == {"accepted": 1, "expired": 1}


@pytest.mark.parametrize(("size", "code"), [(4096, 202), (4097, 413), (1 << 20, 413)])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_may_have_4_kib(send, handle, outcomes, size, code, announced):
    body = json.dumps({"handle": handle(), "kind": "report", "comment": ""}).encode()
    body = body.replace(b'""', b'"%s"' % (b"x" * (size - len(body))))
    assert send(body if announced else iter([body])).code == code
    assert outcomes() == {"accepted" if code == 202 else "too_large": 1}


def test_another_kind_than_those_configured_is_refused(collector, config, feedback, send, handle):
    some = replace(feedback, kinds=("thumb_up", "thumb_down"))
    collector.reload(replace(config, receivers=replace(config.receivers, feedback=some)))
    answer = send(handle=handle(), kind="survey")
    assert (answer.code, answer.outcome) == (400, "unknown_kind")
    assert answer.message.endswith("taken here. Valid: thumb_up, thumb_down")
    assert send(handle=handle(), kind="thumb_up").code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_there_is_only_post(send, method):
    answer = send(b"", method=method)
    assert (answer.code, answer.headers["allow"]) == (405, "POST")


def test_what_has_no_path_is_told_those_that_there_are(send):
    assert "/v1/traces, /v1/logs, /v1/feedback, /feedback.js" in send(b"", path="/v1/feedbacks").message


def send_raw(app, body, headers):
    """Call the ASGI app as a server would; returns the status."""
    scope = {"type": "http", "method": "POST", "path": "/v1/feedback", "headers": headers, "client": ("10.0.0.1", 1)}
    told = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        told.append(message)

    asyncio.run(app(scope, receive, send))
    return told[0]["status"], json.loads(told[1]["body"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "handle": st.text() | st.text(max_size=200).map(semconv.HANDLE_PREFIX.__add__) | json_values,
        "kind": st.sampled_from([*semconv.FEEDBACK_SCORES]) | st.text() | json_values,
        "value": st.floats() | json_values,
        "comment": st.text() | json_values,
    },
)
headers = st.dictionaries(
    st.sampled_from([b"origin", b"x-forwarded-for", b"content-type", b"content-length"]), st.binary(max_size=60)
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.binary(max_size=5000) | json_values | fields, headers=headers, genuine=st.booleans())
def test_whatever_comes_is_answered_and_nothing_fails(endpoint_of, handle, given, headers, genuine):
    """Whatever the bytes, the shape of the JSON, what stands beside a genuine handle, and the headers."""
    if genuine and isinstance(given, dict):
        given["handle"] = handle()
    body = given if isinstance(given, bytes) else json.dumps(given).encode()
    status, answer = send_raw(endpoint_of, body, list(headers.items()))
    assert status < 500
    assert answer["status"] in semconv.FEEDBACK_OUTCOMES


@pytest.fixture(scope="module")
def endpoint_of():
    """The app of an endpoint before a whole collector that need not run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(semconv.HANDLE_KEY, NEW_KEY)
        settings = FeedbackReceiver(
            client_requests_per_minute=1_000_000, answer_requests_per_minute=1_000_000, trusted_proxies=2
        )
        intake = Pipeline(Config()).intake
        return FeedbackEndpoint(settings, intake, Telemetry(10, [])).routes["/v1/feedback"]


# ---- Keys, and faults of our own ----------------------------------------------------------------------


def test_a_retired_key_opens_the_handles_that_it_has_made(key, handle, config, send_to, running):
    old = handle()
    key.set(f"{NEW_KEY}, {key.first}")
    new = handle()
    with running(config) as pipeline:
        assert [send_to(pipeline, handle=each, kind="copy").code for each in (old, new)] == [202, 202]


def test_without_a_key_nothing_is_taken_and_it_is_said_why(key, handle, config, send_to, running):
    made = handle()
    key.set("")
    with running(config) as pipeline:
        answer = send_to(pipeline, handle=made, kind="copy")
    assert (answer.code, answer.outcome) == (503, "unavailable")
    assert answer.message == (
        "the collector takes no feedback, because LLMVITALS_HANDLE_KEY is not set in its environment"
    )


def test_a_malformed_key_is_a_mistake_in_the_configuration(key, config):
    key.set("short")
    with pytest.raises(ConfigError, match=r"^LLMVITALS_HANDLE_KEY: key 1 of 1 has 5 characters; each needs 32 or more"):
        Pipeline(config)


def test_what_could_not_be_kept_is_taken_when_it_comes_again(collector, send, handle, monkeypatch, counted):
    pressed = handle()
    with monkeypatch.context() as patch:
        patch.setattr(collector.intake, "take", raising(UnavailableError(5, "the disk is full")))
        answer = send(handle=pressed, kind="thumb_up")
    assert (answer.code, answer.message, answer.headers["retry-after"]) == (503, "the disk is full", "5")
    assert send(handle=pressed, kind="thumb_up").code == 202
    assert counted() == {"thumb_up": 1}


def test_a_fault_of_our_own_is_logged_and_the_feedback_may_come_again(collector, send, handle, monkeypatch, caplog):
    pressed = handle()
    with monkeypatch.context() as patch:
        patch.setattr(collector.intake, "take", raising(ZeroDivisionError()))
        answer = send(handle=pressed, kind="thumb_up")
    assert (answer.code, answer.message) == (503, "the collector failed on this feedback; its log says why")
    assert "ZeroDivisionError" in caplog.text
    assert send(handle=pressed, kind="thumb_up").code == 202


def raising(error):
    def take(*_arguments):
        raise error

    return take
