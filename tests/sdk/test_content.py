"""Content is captured only where the app opts in: globally, by template, by call; on spans, as events, or both."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

import llmvitals
from llmvitals import semconv
from llmvitals._guard import faults
from llmvitals_collector.demo.behaviour import Behaviour

SECRET = "I am Bob, bob@example.com"
CHAT = {"model": "gpt-x", "messages": [{"role": "user", "content": SECRET}]}
TOOL = {"name": "look", "description": "Look it up", "parameters": {"type": "object"}}
CONTENT = (
    semconv.INPUT_MESSAGES,
    semconv.OUTPUT_MESSAGES,
    semconv.SYSTEM_INSTRUCTIONS,
    semconv.TOOL_DEFINITIONS,
)


@pytest.fixture
def instrument(instrumented, monkeypatch):
    """`instrument(**options)` in place of the one that all other tests have; variables may be set before."""
    for name in (semconv.CAPTURE_CONTENT, semconv.CONTENT_LIMIT_VARIABLE, *semconv.ATTRIBUTE_LENGTH_LIMITS):
        monkeypatch.delenv(name, raising=False)

    def again(**options):
        llmvitals.uninstrument()
        llmvitals.instrument(**options)

    return again


def captured(telemetry):
    """The content on a span (JSON) or an event (structured)."""
    found = {name: telemetry.attributes[name] for name in CONTENT if name in telemetry.attributes}
    return {name: json.loads(value) if isinstance(value, str) else value for name, value in found.items()}


def details(events):
    return [event for event in events() if event.event_name == semconv.OPERATION_DETAILS]


def test_no_content_is_the_default(instrument, clients, spans, events):
    instrument()
    clients().openai.chat.completions.create(**CHAT)
    (span,) = spans()
    assert not captured(span)
    assert not details(events)
    assert "Bob" not in span.to_json()


@pytest.mark.parametrize(
    ("mode", "on_span", "as_event"),
    [
        ("no_content", False, False),
        ("span_only", True, False),
        ("EVENT_ONLY", False, True),
        ("Span_And_Event", True, True),
    ],
)
@pytest.mark.parametrize("by", ["argument", "variable"])
def test_the_mode_says_where_content_goes(instrument, clients, spans, events, monkeypatch, by, mode, on_span, as_event):
    if by == "variable":
        monkeypatch.setenv(semconv.CAPTURE_CONTENT, mode)
    instrument(**({"content": mode} if by == "argument" else {}))
    clients().openai.chat.completions.create(**CHAT)
    (span,) = spans()
    assert bool(captured(span)) is on_span
    assert bool(details(events)) is as_event


def test_the_argument_wins_over_the_variable(instrument, clients, spans, monkeypatch):
    monkeypatch.setenv(semconv.CAPTURE_CONTENT, "SPAN_ONLY")
    instrument(content="no_content")
    clients().openai.chat.completions.create(**CHAT)
    assert not captured(spans()[0])


def test_a_wrong_variable_is_named_once_with_what_is_valid_and_captures_nothing(
    instrument, clients, spans, monkeypatch, caplog
):
    monkeypatch.setenv(semconv.CAPTURE_CONTENT, "true")
    with caplog.at_level(logging.WARNING, "llmvitals"):
        instrument()
        for _ in range(2):
            clients().openai.chat.completions.create(**CHAT)
    assert [record.getMessage() for record in caplog.records] == [
        "llmvitals: OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: content 'true' is no capture mode; "
        "valid are no_content, span_only, event_only, span_and_event; no content is captured"
    ]
    assert not any(captured(span) for span in spans())


def test_a_wrong_argument_of_instrument_raises_and_nothing_is_watched(instrument, clients, spans):
    llmvitals.uninstrument()
    with pytest.raises(ValueError, match="content 'spans' is no capture mode; valid are no_content, span_only"):
        llmvitals.instrument(content="spans")
    with pytest.raises(TypeError, match="redact is a str; it is to be a function"):
        llmvitals.instrument(redact="e-mail")
    clients().openai.chat.completions.create(**CHAT)
    assert not spans()


def test_a_chat_with_tools_is_told_in_the_conventions_form(instrument, clients, spans):
    instrument(content="span_only")
    clients(Behaviour(tool_call=True)).openai.chat.completions.create(
        model="gpt-x",
        messages=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "Look."}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"x": 1}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": '{"found": "7"}'},
        ],
        tools=[{"type": "function", "function": TOOL}],
    )
    content = captured(spans()[0])
    assert content[semconv.INPUT_MESSAGES] == [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Look."}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"x": 1}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": '{"found": "7"}'}]},
    ]
    assert content[semconv.TOOL_DEFINITIONS] == [{"type": "function", **TOOL}]
    (answer,) = content[semconv.OUTPUT_MESSAGES]
    assert (answer["role"], answer["finish_reason"]) == ("assistant", "tool_call")
    assert [(part["type"], part["name"]) for part in answer["parts"]] == [("tool_call", "look")]


def chat(clients, **options):
    tools = [{"type": "function", "function": TOOL}]
    return clients.openai.chat.completions.create(**CHAT, tools=tools, **options)


def response(clients, **options):
    return clients.openai.responses.create(model="m", input=SECRET, tools=[{"type": "function", **TOOL}], **options)


def message(clients, **options):
    tool = {"name": "look", "input_schema": {"type": "object"}}
    return clients.anthropic.messages.create(**CHAT, max_tokens=9, tools=[tool], **options)


APIS = pytest.mark.parametrize("call", [chat, response, message])


@APIS
@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(), Behaviour(tool_call=True), Behaviour(reasoning_tokens=4, reasoning_streamed=True)],
    ids=["text", "tool call", "reasoning"],
)
def test_an_answer_is_told_alike_whether_it_came_whole_or_streamed(instrument, clients, spans, call, behaviour):
    instrument(content="span_only")
    provider = clients(behaviour)
    call(provider)
    list(call(provider, stream=True))
    whole, streamed = (captured(span)[semconv.OUTPUT_MESSAGES] for span in spans())
    for answer in (*whole, *streamed):
        for part in answer["parts"]:
            part.pop("id", None)  # each answer has its own
    assert streamed == whole
    kinds = [part["type"] for part in whole[0]["parts"]]
    assert kinds[-1] == ("tool_call" if behaviour.tool_call else "text")
    assert ("reasoning" in kinds) is behaviour.reasoning_streamed


@APIS
def test_of_a_stream_that_is_closed_early_there_is_what_has_come(instrument, clients, spans, call):
    instrument(content="span_only")
    with call(clients(Behaviour(output_tokens=50)), stream=True) as stream:
        for _, _ in zip(range(12), stream, strict=False):
            pass
    (span,) = spans()
    (answer,) = captured(span)[semconv.OUTPUT_MESSAGES]
    assert answer["finish_reason"] == "error"
    assert answer["parts"][0]["content"]


def test_a_call_that_fails_has_its_input(instrument, clients, spans):
    instrument(content="span_only")
    with pytest.raises(Exception, match="500"):
        clients(Behaviour(status=500)).openai.chat.completions.create(**CHAT)
    (span,) = spans()
    assert list(captured(span)) == [semconv.INPUT_MESSAGES]
    assert span.attributes[semconv.ERROR_TYPE]


def test_the_event_stands_on_the_span_and_has_its_attributes_and_structured_content(instrument, clients, spans, events):
    instrument(content="span_and_event")
    clients().openai.chat.completions.create(**CHAT)
    (span,), (event,) = spans(), details(events)
    assert (event.trace_id, event.span_id) == (span.context.trace_id, span.context.span_id)
    assert event.timestamp == span.end_time
    assert isinstance(event.attributes[semconv.INPUT_MESSAGES][0]["parts"][0]["content"], str)
    as_json = {name: json.loads(json.dumps(value)) for name, value in event.attributes.items()}
    of_span = {name: json.loads(json.dumps(value)) for name, value in span.attributes.items()} | captured(span)
    assert as_json == of_span


def test_embeddings_tell_their_inputs_and_never_a_vector(instrument, clients, spans):
    instrument(content="span_only")
    clients().openai.embeddings.create(model="embed-x", input=["one", "two"])
    clients().openai.embeddings.create(model="embed-x", input=[1, 2, 3])
    texts, tokens = spans()
    said = [message["parts"][0]["content"] for message in captured(texts)[semconv.INPUT_MESSAGES]]
    assert said == ["one", "two"]
    assert list(captured(texts)) == [semconv.INPUT_MESSAGES]
    assert not captured(tokens)


class TestTemplates:
    """A `prompt` may say otherwise than `instrument()` of the calls inside it."""

    def test_the_inner_one_wins_over_the_outer_and_both_over_instrument(self, instrument, clients, spans):
        instrument(content="span_only")
        create = clients().openai.chat.completions.create
        with llmvitals.prompt("private", content="no_content"):
            create(**CHAT)
            with llmvitals.prompt("inner"):
                create(**CHAT)
            with llmvitals.prompt("public", content="span_only"):
                create(**CHAT)
        create(**CHAT)
        assert [bool(captured(span)) for span in spans()] == [False, False, True, True]

    def test_one_call_may_opt_in(self, instrument, clients, spans):
        instrument()
        with llmvitals.prompt("debugged", content="span_only"):
            clients().openai.chat.completions.create(**CHAT)
        clients().openai.chat.completions.create(**CHAT)
        assert [bool(captured(span)) for span in spans()] == [True, False]

    def test_a_thread_takes_it_along(self, instrument, clients, spans):
        instrument()
        create = clients().openai.chat.completions.create
        with ThreadPoolExecutor(1) as pool, llmvitals.prompt("debugged", content="span_only"):
            pool.submit(create, **CHAT).result()
        assert captured(spans()[0])

    def test_its_variables_are_told_as_text_and_only_with_the_content(self, instrument, clients, spans):
        instrument()
        variables = {"name": "Bob", "mail": "bob@example.com", "count": 7}
        for mode in (None, "span_only"):
            with llmvitals.prompt("support", "3", content=mode, variables=variables):
                clients().openai.chat.completions.create(**CHAT)
        without, told = (
            {name: value for name, value in span.attributes.items() if name.startswith(semconv.PROMPT_VARIABLE)}
            for span in spans()
        )
        assert without == {}
        assert told == {
            "gen_ai.prompt.variable.name": "Bob",
            "gen_ai.prompt.variable.mail": "[email]",
            "gen_ai.prompt.variable.count": "7",
        }

    def test_variables_are_told_as_they_were_when_the_template_was_filled(self, instrument, clients, spans):
        instrument(content="span_only")
        variables = {"name": "Bob"}
        with llmvitals.prompt("support", variables=variables):
            variables["name"] = "Ann"
            clients().openai.chat.completions.create(**CHAT)
        assert spans()[0].attributes["gen_ai.prompt.variable.name"] == "Bob"

    def test_variables_leave_room_for_the_other_attributes(self, instrument, clients, spans):
        instrument(content="span_only")
        with llmvitals.prompt("support", variables={f"v{number}": number for number in range(500)}):
            clients().openai.chat.completions.create(**CHAT)
        (span,) = spans()
        assert span.attributes[semconv.REQUEST_MODEL] == "gpt-x"
        assert span.dropped_attributes == 0

    def test_a_wrong_mode_captures_nothing_and_does_not_raise_into_a_request(
        self, instrument, clients, spans, monkeypatch, caplog
    ):
        instrument(content="span_only")
        monkeypatch.setenv("LLMVITALS_STRICT", "0")
        faults.clear()
        with llmvitals.prompt("support", content="spann"):
            clients().openai.chat.completions.create(**CHAT)
        assert not captured(spans()[0])
        assert "content 'spann' is no capture mode; valid are no_content, span_only" in caplog.text


class TestRedaction:
    def test_what_the_patterns_know_does_not_leave(self, instrument, clients, spans):
        instrument(content="span_only")
        clients().openai.chat.completions.create(**CHAT)
        (told,) = captured(spans()[0])[semconv.INPUT_MESSAGES]
        assert told["parts"] == [{"type": "text", "content": "I am Bob, [email]"}]

    def test_the_app_s_own_sees_every_text_when_the_call_has_ended(self, instrument, clients):
        seen = []
        instrument(content="span_only", redact=lambda text: seen.append(text) or text)
        with llmvitals.prompt("support", variables={"who": "Ann"}):
            stream = clients().anthropic.messages.create(**CHAT, max_tokens=9, system="Be kind.", stream=True)
            next(stream)
            assert not seen
            list(stream)
        assert {"I am Bob, [email]", "Be kind.", "Ann"} < set(seen)

    def test_it_does_not_run_where_no_content_is_captured(self, instrument, clients):
        seen = []
        instrument(redact=seen.append)
        clients().openai.chat.completions.create(**CHAT)
        assert not seen

    @pytest.mark.parametrize("failing", [lambda text: 1 / 0, lambda text: None], ids=["raises", "returns no text"])
    def test_where_it_fails_no_content_leaves_and_all_else_does(
        self, instrument, clients, spans, events, monkeypatch, caplog, failing
    ):
        instrument(content="span_and_event", redact=failing)
        monkeypatch.setenv("LLMVITALS_STRICT", "0")
        faults.clear()
        with llmvitals.prompt("support", variables={"who": "Bob"}):
            clients().openai.chat.completions.create(**CHAT)
        (span,) = spans()
        assert span.attributes[semconv.USAGE_INPUT_TOKENS]
        assert not details(events)
        assert "Bob" not in span.to_json()
        assert "Bob" not in caplog.text
        assert "content is dropped" in caplog.text


class TestLimit:
    @pytest.mark.parametrize(
        ("variable", "told", "limit"),
        [
            (semconv.CONTENT_LIMIT_VARIABLE, "2000", 2_000),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3000", 3_000),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1000", 1_000),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100000", semconv.CONTENT_LIMIT),
        ],
    )
    def test_an_attribute_is_json_of_no_more_characters(
        self, instrument, clients, spans, monkeypatch, variable, told, limit
    ):
        monkeypatch.setenv(variable, told)
        instrument(content="span_only")
        clients(Behaviour(output_tokens=9_000)).openai.chat.completions.create(
            model="gpt-x", messages=[{"role": "user", "content": "x" * 50_000}]
        )
        (span,) = spans()
        assert captured(span)
        for name in (semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES):
            assert 0.8 * limit < len(span.attributes[name]) <= limit

    def test_a_wrong_one_is_logged_and_does_not_count(self, instrument, monkeypatch, caplog):
        monkeypatch.setenv(semconv.CONTENT_LIMIT_VARIABLE, "16 KB")
        instrument(content="span_only")
        assert caplog.messages == [
            "llmvitals: LLMVITALS_CONTENT_LIMIT: '16 KB' is no whole number of characters above 0; the limit is 16384"
        ]
