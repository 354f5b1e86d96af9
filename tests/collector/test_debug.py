"""/debug answers why a panel is empty: which dialect was seen, what became of each span, and what to change."""

import json
import urllib.error
import urllib.request

import msgspec
import numpy as np
import pytest

from llmvitals import semconv
from llmvitals_collector import debug as debug_module
from llmvitals_collector import debug_command, debug_page
from llmvitals_collector.debug import Debug, DebugConfig, Total
from llmvitals_collector.decode import decode_logs, decode_traces

AGENT = {semconv.OPERATION_NAME: "invoke_agent"}
OTHER = {semconv.OPERATION_NAME: "", semconv.PROVIDER_NAME: "", "http.route": "/secret"}


@pytest.fixture
def debug():
    return Debug(DebugConfig(spans=100))


@pytest.fixture
def clock(monkeypatch):
    """A monotonic clock that stands still until it is moved."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

        def time(self):
            return 1_700_000_000.0

    made = Clock()
    monkeypatch.setattr(debug_module, "time", made)
    return made


def noted(debug, request):
    decoded = decode_traces(request.SerializeToString())
    debug.note(semconv.DATA_TRACES, decoded)
    return decoded.records


def test_a_trickle_is_noted_completely_with_what_became_of_each_span(debug, spans):
    noted(debug, spans({}, AGENT))
    noted(debug, spans(OTHER))
    notes = debug.view().notes
    assert [(note.verdict, note.dialect) for note in notes] == [
        (semconv.NOT_GEN_AI, ""),
        (semconv.NOT_A_CALL, "genai"),
        (semconv.COUNTED, "genai"),
    ]
    assert {(note.service, note.scope, note.name) for note in notes} == {("shop", "test", "call")}
    assert semconv.OPERATION_NAME in notes[1].keys
    assert len(notes[1].trace_id) == 32


def test_a_call_has_the_labels_of_its_series_once_it_is_counted(debug, spans):
    calls = noted(debug, spans({}))
    (note,) = debug.view().notes
    assert note.labels == {}
    processed = type(calls)(["", "renamed", "chat"], {**calls.arrays, "model": np.array([1], np.int32)})
    processed.arrays["operation"] = np.array([2], np.int32)
    for name in ("service", "provider", "template"):
        processed.arrays[name] = np.array([0], np.int32)
    debug.counted(processed)
    (note,) = debug.view().notes
    assert note.labels[semconv.LABEL_MODEL] == "renamed"
    assert note.labels[semconv.LABEL_OPERATION] == "chat"


def test_a_call_that_another_span_tells_of_says_so(debug, spans):
    calls = noted(debug, spans({}, {}, {}))
    reason = semconv.REPEATED_REASONS.index(semconv.WRAPPER)
    debug.repeated(calls, np.array([-1, reason, -1]))
    assert [note.verdict for note in debug.view().notes] == [semconv.COUNTED, semconv.WRAPPER, semconv.COUNTED]
    assert dict(debug.view().totals)[Total(semconv.DATA_TRACES, "", "genai", semconv.WRAPPER)] == 1


def test_the_repetition_of_a_span_does_not_change_what_became_of_the_first(debug, spans):
    request = spans({})
    debug.counted(noted(debug, request))
    debug.repeated(noted(debug, request), np.array([semconv.REPEATED_REASONS.index(semconv.DUPLICATE)]))
    assert [note.verdict for note in debug.view().notes] == [semconv.DUPLICATE, semconv.COUNTED]


def test_totals_are_exact_however_much_comes(clock, debug, spans):
    request = spans(*[{}] * 50, *[AGENT] * 30, *[OTHER] * 20)
    for _ in range(100):
        noted(debug, request)
    assert dict(debug.view().totals) == {
        Total(semconv.DATA_TRACES, "test", "genai", semconv.COUNTED): 5000,
        Total(semconv.DATA_TRACES, "test", "genai", semconv.NOT_A_CALL): 3000,
        Total(semconv.DATA_TRACES, "test", "", semconv.NOT_GEN_AI): 2000,
    }


def test_under_load_few_rows_are_noted_those_that_are_rare_first(clock, debug, spans):
    noted(debug, spans(*[{}] * 100))
    noted(debug, spans({}))
    assert len(debug.view().notes) == 100
    clock.now += 0.1  # at twenty a second
    noted(debug, spans(*[{}] * 50, AGENT))
    assert [note.verdict for note in debug.view().notes[:3]] == [
        semconv.NOT_A_CALL,
        semconv.COUNTED,
        semconv.COUNTED,
    ]
    assert len(debug._notes) == 100


def test_the_kinds_that_are_told_apart_are_bounded_and_nothing_is_lost_from_the_sum(debug, spans):
    request = spans({})
    for number in range(600):
        request.resource_spans[0].scope_spans[0].scope.name = f"scope {number}"
        noted(debug, request)
    totals = debug.view().totals
    assert len(totals) == 501
    assert sum(count for _, count in totals) == 600
    assert max(totals, key=lambda each: each[1])[0].scope == semconv.OVERFLOW


def test_a_request_of_many_scopes_counts_whole(debug, spans):
    request = spans({})
    first = request.resource_spans[0].scope_spans[0]
    for number in range(99):
        request.resource_spans[0].scope_spans.add().CopyFrom(first)
        request.resource_spans[0].scope_spans[-1].scope.name = f"scope {number}"
    noted(debug, request)
    assert sum(count for _, count in debug.view().totals) == 100


def test_feedback_has_its_labels_at_once(debug, events):
    feedback = {semconv.EVALUATION_NAME: semconv.USER_FEEDBACK, semconv.REQUEST_MODEL: "gpt-5"}
    request = events(("other", {}), (semconv.EVALUATION_RESULT, feedback))
    debug.note(semconv.DATA_LOGS, decode_logs(request.SerializeToString()))
    counted, other = debug.view().notes
    assert counted.labels[semconv.LABEL_MODEL] == "gpt-5"
    assert (other.verdict, other.name) == (semconv.NOT_AN_EVALUATION, "other")


def test_nothing_is_noted_where_it_is_switched_off(spans):
    debug = Debug(DebugConfig(enabled=False))
    noted(debug, spans({}))
    debug.refused("http", semconv.MALFORMED, "no", "peer")
    assert debug.view().totals == debug.view().refusals == debug.view().notes == []


def test_every_verdict_says_what_to_change():
    assert set(debug_page.MEANINGS) == set(semconv.VERDICTS)


def test_text_html_and_json_tell_the_same(debug, spans):
    noted(debug, spans({}, AGENT))
    debug.refused("grpc", semconv.MALFORMED, "the body is no message", "ipv4:1.2.3.4:5")
    for accept, content_type in [
        ("*/*", "text/plain; charset=utf-8"),
        ("text/html,application/xhtml+xml", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
    ]:
        told, body = debug_page.answer(debug.view(), accept)
        assert told == content_type
        for word in (semconv.COUNTED, semconv.NOT_A_CALL, "genai", "shop", "ipv4:1.2.3.4:5", "the body is no message"):
            assert word in body.decode()
    assert {each["verdict"] for each in json.loads(body)["totals"]} == {semconv.COUNTED, semconv.NOT_A_CALL}


def test_what_comes_from_outside_can_neither_run_in_a_browser_nor_steer_a_terminal(debug, spans):
    request = spans({})
    scope = request.resource_spans[0].scope_spans[0]
    scope.scope.name = "<script>alert(1)</script>"
    scope.spans[0].name = "\x1b[2J\u202e\nforged line"
    noted(debug, request)
    _, page = debug_page.answer(debug.view(), "text/html")
    assert b"<script>" not in page
    assert b"default-src 'none'" in page
    _, text = debug_page.answer(debug.view(), "")
    assert "\\x1b[2J\\u202e\\nforged line" in text.decode()
    assert all(line.isprintable() for line in text.decode().splitlines())


def test_the_content_of_messages_is_nowhere(debug, spans):
    request = spans({"gen_ai.input.messages": "a secret", "llm.prompts": "a secret", "input.value": "a secret"})
    noted(debug, request)
    assert b"a secret" not in msgspec.json.encode(debug.view().notes)


def test_an_empty_page_says_where_to_point_an_exporter(debug):
    for accept in ("", "text/html"):
        assert b"OTEL_EXPORTER_OTLP_ENDPOINT" in debug_page.answer(debug.view(), accept)[1]


def test_a_running_collector_serves_the_page_and_the_command_prints_it(collector, spans, capsys):
    request = urllib.request.Request(
        f"http://127.0.0.1:{collector.http.port}/v1/traces",
        data=spans({semconv.REQUEST_MODEL: "gpt-5-mini"}, AGENT).SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
    )
    urllib.request.urlopen(request).close()
    request.data = b"\xff"
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    raised.value.close()
    urllib.request.urlopen(f"http://127.0.0.1:{collector.metrics.port}/metrics").close()
    page = debug_command.page(f"127.0.0.1:{collector.metrics.port}")
    assert f"{semconv.LABEL_MODEL}=gpt-5-mini" in page
    assert semconv.NOT_A_CALL in page
    assert "127.0.0.1:" in page
    assert semconv.MALFORMED in page


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://a", r"^'ftp://a' is no address of a collector; valid: http://127\.0\.0\.1:9464/debug$"),
        ("127.0.0.1:1", r"^http://127\.0\.0\.1:1/debug cannot be reached: .*; metrics\.address sets where it listens$"),
    ],
)
def test_an_address_without_a_collector_is_one_sentence(url, sentence):
    with pytest.raises(ValueError, match=sentence):
        debug_command.page(url)


def test_a_collector_without_the_page_is_one_sentence(collector):
    url = f"http://127.0.0.1:{collector.metrics.port}/nowhere"
    with pytest.raises(ValueError, match=r"/nowhere answers 404; debug\.enabled switches the page on$"):
        debug_command.page(url)
