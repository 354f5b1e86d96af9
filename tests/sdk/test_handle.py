"""A feedback handle says what feedback needs to know of a call, and is opened by nobody without the key."""

import itertools
import logging
import os
import re
import string
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext, TraceFlags

import llmvitals
from llmvitals import _export, _guard, _handle, _recent, semconv

KEY, OTHER_KEY, NEW_KEY = ("key-that-is-long-enough-" + name.ljust(8, ".") for name in ("one", "other", "new"))
AEAD = "cryptography.hazmat.primitives.ciphers.aead"
CALL = {"trace_id": 0xABC << 100, "span_id": 0xDEF << 40}
IDENTITY = {
    semconv.OPERATION_NAME: "chat",
    semconv.PROVIDER_NAME: "openai",
    semconv.REQUEST_MODEL: "gpt-5-mini",
    semconv.PROMPT_NAME: "support-answer",
    semconv.PROMPT_VERSION: "3",
    semconv.SERVICE_NAME: "shop",
    semconv.SERVICE_VERSION: "2026.11.1",
}
OF_CALL = {name: text for name, text in IDENTITY.items() if not name.startswith("service.")}
MINUTE, HOUR = 60, 3600
# One key, in one form, does for all examples of a property.
examples = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def key(monkeypatch):
    """`key(text)` sets the variable, for one process or, called again, for another."""

    def put(text):
        monkeypatch.setenv(semconv.HANDLE_KEY, text)

    _handle._keys.cache_clear()
    put(KEY)
    yield put
    _handle._keys.cache_clear()


@pytest.fixture(params=["sealed", "signed"])
def form(request, monkeypatch, key):
    """Either form of a handle; the second is that of a process without `cryptography`."""
    if request.param == "signed":
        monkeypatch.setitem(sys.modules, AEAD, None)
    return request.param


@pytest.fixture
def later(monkeypatch):
    """`later(seconds)` puts the clock forward."""
    now = _handle.time()
    monkeypatch.setattr(_handle, "time", lambda: now)

    def forward(seconds):
        monkeypatch.setattr(_handle, "time", lambda: now + seconds)

    return forward


def issued(**changes):
    return _handle.issue(**{**CALL, "sampled": True, "identity": IDENTITY, **changes})


# ---- What it says -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampled", [True, False])
def test_it_says_which_call_and_what_the_call_was(form, sampled, later):
    handle = issued(sampled=sampled)
    later(5 * MINUTE)
    opened = _handle.read(handle, HOUR)
    assert (opened.trace_id, opened.span_id) == tuple(CALL.values())
    assert opened.sampled is sampled
    assert opened.identity == IDENTITY


def test_it_is_about_150_characters_that_are_safe_in_a_url(form):
    handle = issued()
    assert re.fullmatch(r"lv1\.[\w-]+", handle, re.ASCII)
    assert len(handle) == 142


def test_sealed_it_hides_the_names_that_are_to_be_read_in_a_signed_one(form):
    names = _handle._decoded(issued())[_handle._BEFORE_NAMES :]
    assert (b"gpt-5-mini" in names) is (form == "signed")


texts = st.dictionaries(st.sampled_from(_handle.NAMES), st.text(min_size=1, max_size=40))


@examples
@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1), texts)
def test_whatever_fits_comes_back(form, trace_id, span_id, identity):
    assume(sum(len(name.encode()) for name in identity.values()) <= _handle._ROOM)
    opened = _handle.read(_handle.issue(trace_id, span_id, sampled=True, identity=identity), HOUR)
    assert (opened.trace_id, opened.span_id, opened.identity) == (trace_id, span_id, identity)


@examples
@given(st.dictionaries(st.sampled_from(_handle.NAMES), st.text(max_size=300), min_size=3))
@example(dict.fromkeys(_handle.NAMES, "x" * 300))
@example({semconv.REQUEST_MODEL: "\ud800" * 300})
def test_its_length_is_bounded_and_no_name_is_cut_short(form, identity):
    handle = issued(identity=identity)
    assert len(handle) <= 255
    assert _handle.read(handle, HOUR).identity.items() <= identity.items()


def test_a_name_that_does_not_fit_is_left_out_and_shorter_ones_after_it_stay(form):
    identity = {**IDENTITY, semconv.REQUEST_MODEL: "ft:" + "x" * 200}
    expected = {name: text for name, text in IDENTITY.items() if name != semconv.REQUEST_MODEL}
    assert _handle.read(issued(identity=identity), HOUR).identity == expected


def test_one_that_an_older_version_has_made_is_read_as_far_as_it_goes(key, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_handle, "NAMES", tuple(OF_CALL))
        handle = issued()
    assert _handle.read(handle, HOUR).identity == OF_CALL


def test_names_that_a_later_version_adds_are_passed_over(key, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_handle, "NAMES", (*_handle.NAMES, "release"))
        handle = issued(identity={**IDENTITY, "release": "2026-11"})
    assert _handle.read(handle, HOUR).identity == IDENTITY


# ---- What is refused ----------------------------------------------------------------------------------


def is_refused(handle):
    with pytest.raises(_handle.HandleError):
        _handle.read(handle, HOUR)
    return True


def test_a_change_of_any_character_to_any_other_is_refused(form):
    handle = issued()
    for at, instead in itertools.product(range(len(handle)), string.ascii_letters + string.digits + "-_.=+/ \n\0é"):
        assert instead == handle[at] or is_refused(handle[:at] + instead + handle[at + 1 :])


@examples
@given(st.integers(0, 120), st.text(max_size=1))
def test_a_piece_of_it_is_refused(form, length, tail):
    assert is_refused(issued()[:length] + tail)


@examples
@given(st.text())
def test_what_is_no_handle_is_refused(form, text):
    with pytest.raises(_handle.MangledHandleError):
        _handle.read(semconv.HANDLE_PREFIX + text, HOUR)


def forged(handle):
    return semconv.HANDLE_PREFIX + _handle._encoded(_handle._decoded(handle)[:-1] + b"!")


REFUSED = {
    "forged": (forged, KEY, 0, _handle.ForgedHandleError, "its signature is wrong"),
    "expired": (str, KEY, 30 * 86400 + MINUTE, _handle.ExpiredHandleError, "30 days, 0:01:.* old; .* at most 7 days"),
    "mangled": (lambda handle: handle[:20], KEY, 0, _handle.MangledHandleError, "'lv1.*'... of 20 characters is none"),
    "of another key": (str, OTHER_KEY, 0, _handle.UnknownKeyError, "a key that is not in LLMVITALS_HANDLE_KEY"),
}


@pytest.mark.parametrize(("change", "key_there", "age", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_it_is_said_what_is_wrong_and_does_not_reach_the_app(
    form, key, later, change, key_there, age, error, says, events, monkeypatch, caplog
):
    handle = change(issued())
    key(key_there)
    later(age)
    with pytest.raises(error, match=says):
        llmvitals.feedback(handle, "thumb_up")
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    assert llmvitals.feedback(handle, "thumb_up") is False
    assert re.search(says, caplog.text)
    assert not events()


def test_a_sealed_one_needs_cryptography_where_it_is_opened_too(key, monkeypatch):
    handle = issued()
    _handle._keys.cache_clear()
    monkeypatch.setitem(sys.modules, AEAD, None)
    with pytest.raises(_handle.HandleError, match="it is sealed; install `cryptography` here"):
        _handle.read(handle, HOUR)


def test_a_signed_one_is_opened_with_cryptography_too(key, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, AEAD, None)
        handle = issued()
    _handle._keys.cache_clear()
    assert _handle.read(handle, HOUR).identity == IDENTITY


def test_one_from_the_future_is_taken_because_clocks_differ(key, later):
    handle = issued()
    later(-5 * MINUTE)
    assert _handle.read(handle, HOUR).identity == IDENTITY


@pytest.mark.parametrize(
    ("kind", "age"),
    [("copy", HOUR), ("thumb_down", 7 * 86400), ("resolved", 30 * 86400)],
)
def test_its_age_is_limited_by_what_it_is_used_for(key, later, events, kind, age):
    handle = issued()
    later(age - MINUTE)
    assert llmvitals.feedback(handle, kind)
    later(age + MINUTE)
    with pytest.raises(_handle.ExpiredHandleError):
        llmvitals.feedback(handle, kind)


def test_every_kind_of_feedback_has_an_age():
    assert semconv.FEEDBACK_MAX_AGE.keys() == semconv.FEEDBACK_SCORES.keys()


# ---- Keys ---------------------------------------------------------------------------------------------


def test_the_first_key_makes_handles_and_all_open_them(form, key):
    old = issued()
    key(f"{NEW_KEY}, {KEY}")
    new = issued()
    assert _handle.read(old, HOUR).identity == _handle.read(new, HOUR).identity == IDENTITY
    key(NEW_KEY)
    assert _handle.read(new, HOUR)
    with pytest.raises(_handle.UnknownKeyError):
        _handle.read(old, HOUR)


FORGED = semconv.HANDLE_PREFIX + _handle._encoded(bytes(100))
MALFORMED = {
    "too short": ("secret", "key 1 of 1 has 6 characters; each needs 32 or more"),
    "an empty one": (f"{KEY},", "key 2 of 2 has 0 characters"),
    "twice the same": (f"{KEY},{KEY}", "two of its 2 keys are the same"),
}


@pytest.mark.parametrize(("text", "says"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_variable_is_said_without_saying_the_key(key, text, says):
    key(text)
    for use in (issued, lambda: _handle.read(FORGED, HOUR)):
        with pytest.raises(ValueError, match=f"LLMVITALS_HANDLE_KEY: {says}") as caught:
            use()
        assert "secret" not in str(caught.value)
        assert KEY not in str(caught.value)


def test_without_a_key_handles_are_good_in_this_process_and_that_is_said_once(key, caplog):
    key("")
    with caplog.at_level(logging.WARNING, "llmvitals"):
        assert _handle.read(issued(), HOUR).identity == _handle.read(issued(), HOUR).identity == IDENTITY
    (message,) = caplog.messages
    assert "LLMVITALS_HANDLE_KEY is not set: feedback handles are good in this process only" in message


# ---- Elsewhere ----------------------------------------------------------------------------------------

ELSEWHERE = f"""
import sys
if sys.argv[1] == "signed":
    sys.modules[{AEAD!r}] = None
from opentelemetry.trace import SpanContext, TraceFlags
import llmvitals
from llmvitals import _recent
span = SpanContext({CALL["trace_id"]}, {CALL["span_id"]}, is_remote=False, trace_flags=TraceFlags(1))
_recent.remember("chatcmpl-1", span, {OF_CALL})
print(llmvitals.handle("chatcmpl-1"))
"""


def made_elsewhere(form, **variables):
    """A handle that a process with these variables has made."""
    environment = {name: value for name, value in os.environ.items() if name != semconv.HANDLE_KEY} | {
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_RESOURCE_ATTRIBUTES": "service.version=2026.11.1",
        "OTEL_TRACES_EXPORTER": "none",
        **variables,
    }
    command = [sys.executable, "-c", ELSEWHERE, form]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_feedback_is_given_in_another_process_and_needs_no_join(form, events):
    """Also not for the app that made the call, and its release."""
    handle = made_elsewhere(form, LLMVITALS_HANDLE_KEY=KEY)
    assert llmvitals.feedback(handle, "thumb_down", comment="wrong city")

    (event,) = events()
    assert (event.trace_id, event.span_id, event.trace_flags) == (*CALL.values(), TraceFlags.SAMPLED)
    assert dict(event.attributes) == {
        **IDENTITY,
        semconv.EVALUATION_ID: _handle.feedback_id(*CALL.values(), "thumb_down").hex(),
        semconv.EVALUATION_NAME: "user_feedback",
        semconv.EVALUATION_SCORE_LABEL: "thumb_down",
        semconv.EVALUATION_SCORE_VALUE: 0.0,
        semconv.EVALUATION_SOURCE: "user",
        semconv.EVALUATION_EXPLANATION: "wrong city",
    }


def test_what_a_process_without_a_key_has_made_is_not_taken_by_another(key):
    handle = made_elsewhere("sealed")
    key("")
    with pytest.raises(_handle.UnknownKeyError):
        llmvitals.feedback(handle, "thumb_up")


def test_a_tracer_provider_without_a_resource_tells_no_service(remembered, monkeypatch):
    monkeypatch.setattr(_export, "tracer", object)
    remembered("msg_1")
    assert _handle.read(llmvitals.handle("msg_1"), HOUR).identity == OF_CALL


# ---- Of which response --------------------------------------------------------------------------------

UNSAMPLED = SpanContext(*CALL.values(), is_remote=False, trace_flags=TraceFlags(TraceFlags.DEFAULT))


@pytest.fixture
def remembered(monkeypatch, key):
    """`remembered(response_id)` is a call that was not sampled."""
    monkeypatch.setattr(_recent, "_calls", type(_recent._calls)())
    return lambda response_id: _recent.remember(response_id, UNSAMPLED, OF_CALL)


def test_the_call_need_not_be_sampled(remembered, events):
    remembered("msg_1")
    assert llmvitals.feedback(llmvitals.handle("msg_1"), "copy")
    (event,) = events()
    assert (event.trace_id, event.trace_flags) == (CALL["trace_id"], TraceFlags.DEFAULT)
    assert event.attributes[semconv.REQUEST_MODEL] == "gpt-5-mini"


@pytest.mark.parametrize(
    ("response", "error", "says"),
    [
        (
            "chatcmpl-of-last-week",
            LookupError,
            "handle: response 'chatcmpl-of-last-week' is none of the last 4096",
        ),
        ({"id": "elsewhere"}, LookupError, "handle: response 'elsewhere' is none of the last 4096"),
        (None, TypeError, "handle: a NoneType has no response id; give the response, its stream"),
    ],
)
def test_of_an_unknown_response_there_is_none_and_that_does_not_reach_the_app(
    remembered, response, error, says, monkeypatch, caplog
):
    with pytest.raises(error, match=says):
        llmvitals.handle(response)
    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(_guard, "faults", type(_guard.faults)())
    assert [llmvitals.handle(response), llmvitals.handle(response)] == ["", ""]
    (message,) = caplog.messages
    assert says in message
