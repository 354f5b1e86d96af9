"""Answers are checked in the app where it opts in, and of what was said only verdicts go out."""

import importlib.util
import logging

import pytest
from opentelemetry import trace

import llmvitals
from llmvitals import _checks, evaluators, semconv
from llmvitals._guard import faults
from llmvitals.evaluators import messages
from llmvitals_collector.demo.behaviour import Behaviour

QUESTION = "Where is the parcel that I have ordered on Monday?"
CHAT = {"model": "gpt-x", "messages": [{"role": "user", "content": QUESTION}]}
OTHER = [{"role": "user", "content": "And now?"}]
REFUSAL = Behaviour(refusal=True)


@pytest.fixture
def instrument(instrumented, monkeypatch):
    """`instrument(**options)` in place of the one that all other tests have; nothing was asked before."""
    monkeypatch.setattr(_checks, "_answered", type(_checks._answered)())

    def again(**options):
        llmvitals.uninstrument()
        llmvitals.instrument(**options)

    return again


def checks(span):
    return evaluators.read(span.attributes.get(semconv.CHECKS, ""))


def ask(clients, **options):
    return clients.openai.chat.completions.create(**CHAT | options)


def test_nothing_is_checked_by_default(clients, span):
    ask(clients(REFUSAL))
    assert semconv.CHECKS not in span().attributes
    assert semconv.ANSWER_LANGUAGE not in span().attributes


def test_verdicts_and_the_language_are_all_that_goes_out(instrument, clients, span, events):
    instrument(checks=True)
    answer = ask(clients(Behaviour(output_tokens=40))).choices[0].message.content
    told = dict(span().attributes)
    assert told[semconv.CHECKS] == "empty=pass refusal=pass privacy=pass truncation=pass language_match=pass " + (
        "repetition=pass regenerate=pass"
    )
    assert told[semconv.ANSWER_LANGUAGE] == "en"
    assert not any(QUESTION in str(value) or answer[:20] in str(value) for value in told.values())
    assert not events()


def test_those_run_that_are_named(instrument, clients, span):
    instrument(checks=["refusal", "truncation"])
    ask(clients(REFUSAL))
    assert checks(span()) == {"refusal": "fail", "truncation": "pass"}
    assert semconv.ANSWER_LANGUAGE not in span().attributes


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        (("refusals",), ValueError, "checks: 'refusals' is no check; did you mean 'refusal'?"),
        (("xyz",), ValueError, "checks: 'xyz' is no check; valid are empty, refusal, privacy, "),
        ("refusal", TypeError, "checks is 'refusal'; it is to be True, False or names, such as"),
        (7, TypeError, "checks is 7; it is to be True, False or names, such as"),
    ],
)
def test_a_wrong_argument_raises_and_nothing_is_watched(instrument, clients, spans, wrong, error, sentence):
    llmvitals.uninstrument()
    with pytest.raises(error) as raised:
        llmvitals.instrument(checks=wrong)
    assert str(raised.value).startswith(sentence)
    ask(clients())
    assert not spans()


def test_a_check_without_its_package_is_named_with_what_to_install(instrument, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="'language_match' needs py3langid, which is not installed: pip install py3l"):
        instrument(checks=("refusal", "language_match"))
    instrument(checks=True)  # all that can be done
    assert set(evaluators.EVALUATORS) - set(_checks._names) == {"language_match"}


def test_what_a_template_declares_is_checked_though_nothing_else_is(instrument, clients, span):
    instrument()
    short = llmvitals.Instructions(max_words=3, forbidden=("as an AI",))
    with llmvitals.prompt("answer", instructions=short):
        ask(clients(Behaviour(output_tokens=9)))
    assert checks(span()) == {"instruction_adherence": "fail"}


@pytest.mark.parametrize(
    ("instructions", "verdicts"),
    [
        ({"json_schema": {"type": "object"}}, {"format_valid": "fail"}),
        ({"language": "de"}, {"language_match": "fail"}),
        ({"max_words": 99, "language": "en"}, {"instruction_adherence": "pass", "language_match": "pass"}),
    ],
)
def test_each_kind_of_instruction_has_its_check(instrument, clients, span, instructions, verdicts):
    instrument()
    with llmvitals.prompt("answer", instructions=llmvitals.Instructions(**instructions)):
        ask(clients(Behaviour(output_tokens=40)))
    assert checks(span()) == verdicts


def test_instructions_are_of_their_own_template_and_join_what_is_checked_anyway(instrument, clients, spans):
    instrument(checks=("refusal",))
    with llmvitals.prompt("outer", instructions=llmvitals.Instructions(max_words=3)):
        with llmvitals.prompt("inner"):
            ask(clients())
        ask(clients())
    assert [list(checks(span)) for span in spans()] == [["refusal"], ["refusal", "instruction_adherence"]]


def test_what_are_no_instructions_is_logged_and_the_call_goes_on(instrument, clients, span, monkeypatch, caplog):
    monkeypatch.delenv("LLMVITALS_STRICT")
    faults.clear()
    with caplog.at_level(logging.WARNING, "llmvitals"), llmvitals.prompt("answer", instructions={"max_words": 3}):
        ask(clients())
    assert span().attributes[semconv.PROMPT_NAME] == "answer"
    assert caplog.messages == [
        "llmvitals: prompt failed; the app is not affected: prompt: instructions is a dict; it is to be "
        "llmvitals.Instructions(max_words=80, ...)"
    ]


def test_an_answer_that_was_to_be_json_is_checked_as_json(instrument, clients, spans):
    instrument(checks=("format_valid",))
    ask(clients())
    ask(clients(), response_format={"type": "json_object"})
    assert [checks(span) for span in spans()] == [{}, {"format_valid": "fail"}]


def test_checks_go_with_captured_content(instrument, clients, span):
    instrument(checks=("refusal",), content="span_only")
    ask(clients(REFUSAL))
    assert checks(span()) == {"refusal": "fail"}
    assert "I am sorry" in span().attributes[semconv.OUTPUT_MESSAGES]


def test_a_check_that_fails_says_so_and_the_others_go_on(instrument, clients, span, monkeypatch):
    def fail(exchange):
        raise ArithmeticError

    broken = evaluators.Evaluator("refusal", fail)
    monkeypatch.setitem(evaluators.EVALUATORS, "refusal", broken)
    instrument(checks=("refusal", "empty"))
    assert ask(clients()).choices
    assert checks(span()) == {"refusal": "error", "empty": "pass"}


def test_where_checking_itself_fails_the_span_is_as_without(instrument, clients, span, monkeypatch):
    def fail(*content):
        raise ArithmeticError

    monkeypatch.delenv("LLMVITALS_STRICT")
    monkeypatch.setattr(messages, "exchange", fail)
    instrument(checks=("refusal",))
    assert ask(clients()).choices
    assert semconv.CHECKS not in span().attributes
    assert span().attributes[semconv.RESPONSE_ID]
    assert faults["checking an answer", "ArithmeticError"]


def test_calls_that_are_not_sampled_and_embeddings_are_not_looked_at(instrument, clients, unsampled, monkeypatch):
    seen = []
    monkeypatch.setattr(evaluators, "run", lambda *exchange: seen.append(exchange) or {})
    instrument(checks=True)
    with unsampled:
        ask(clients())
    clients().openai.embeddings.create(model="m", input="some text")
    assert not seen
    ask(clients())
    assert seen


@pytest.mark.parametrize("behaviour", [Behaviour(status=500), Behaviour(error_after=3)], ids=["refused", "broken off"])
def test_an_answer_that_failed_is_not_checked(instrument, clients, span, behaviour):
    instrument(checks=True)
    with pytest.raises(Exception, match=r"500|server"):
        list(ask(clients(behaviour), stream=True))
    assert semconv.CHECKS not in span().attributes


def test_an_answer_that_the_app_stopped_is_checked_if_it_had_come_to_its_end(instrument, clients, spans):
    instrument(checks=("refusal",))
    with ask(clients(REFUSAL), stream=True) as stream:
        next(stream)
    with ask(clients(REFUSAL), stream=True) as stream:
        for chunk in stream:
            if chunk.choices[0].finish_reason:
                break
    assert [checks(span) for span in spans()] == [{}, {"refusal": "fail"}]


def test_a_call_in_a_span_of_somebody_else_is_checked_there(instrument, clients, every_span):
    instrument(checks=("refusal",))
    tracer = trace.get_tracer("theirs")
    with tracer.start_as_current_span("chat gpt-x", attributes={semconv.OPERATION_NAME: semconv.CHAT}):
        ask(clients(REFUSAL))
    (theirs,) = every_span()
    assert checks(theirs) == {"refusal": "fail"}


def test_of_an_answer_that_is_kept_in_part_what_its_rest_decides_is_unknown(instrument, clients, span, monkeypatch):
    monkeypatch.setenv(semconv.CONTENT_LIMIT_VARIABLE, "64")
    instrument(checks=True)
    told = llmvitals.Instructions(required=("no such words",), max_words=20, json_schema={})
    with llmvitals.prompt("answer", instructions=told):
        ask(clients(Behaviour(output_tokens=200)))
    assert checks(span()) == {
        "empty": "pass",
        "refusal": "pass",
        "privacy": "unknown",
        "truncation": "pass",  # the provider says that it stopped by itself
        "format_valid": "unknown",
        "language_match": "pass",
        "repetition": "unknown",
        "instruction_adherence": "fail",  # it is too long, whatever its rest says
        "regenerate": "pass",
    }


def test_how_long_attributes_may_be_does_not_decide_how_much_of_an_answer_is_checked(
    instrument, clients, span, monkeypatch
):
    monkeypatch.setenv(semconv.ATTRIBUTE_LENGTH_LIMITS[0], "256")
    instrument(checks=("privacy",), content="span_only")
    ask(clients(Behaviour(output_tokens=200)))
    assert checks(span()) == {"privacy": "pass"}
    assert len(span().attributes[semconv.OUTPUT_MESSAGES]) <= 256


def test_why_an_answer_ended_is_known_in_the_words_of_its_provider_too():
    said = {"role": "assistant", "parts": [{"type": "text", "content": "It is"}], "finish_reason": "MAX_TOKENS"}
    assert evaluators.run(messages.exchange([], [], [said]), ("truncation",))["truncation"].verdict == semconv.FAIL


def test_an_answer_that_is_an_image_is_not_empty():
    image = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""}
    drawn = messages.exchange([], [], [{"role": "assistant", "parts": [image], "finish_reason": "stop"}])
    assert evaluators.run(drawn, ("empty",)) == {"empty": evaluators.Verdict(semconv.PASS)}


def test_evaluators_are_shown_the_turns_the_rules_and_what_tools_have_said_since():
    def message(role, *parts, **more):
        return {"role": role, "parts": list(parts), **more}

    def text(said):
        return {"type": "text", "content": said}

    found = {"type": "tool_call_response", "id": "1", "response": {"status": "sent"}}
    called = {"type": "tool_call", "id": "1", "name": "look", "arguments": {}}
    thought = {"type": "reasoning", "content": "Let me see."}
    asked = [
        message("system", text("Be brief.")),
        message("user", text("Hello")),
        message("assistant", text("Hello!")),
        message("user", text("Where is"), {"type": "blob", "modality": "image"}, text("my parcel?")),
        message("assistant", called),
        message("user", found),  # as Anthropic has it
    ]
    answer = [
        message("assistant", thought, text("On its way."), finish_reason="stop"),
        message("assistant", text("No")),
    ]
    assert messages.exchange(asked, [text("Be kind.")], answer) == evaluators.Exchange(
        answer="On its way.",
        finish_reason="stop",
        query="Where is\nmy parcel?",
        earlier=("Hello",),
        system="Be kind.\nBe brief.",
        context='{"status": "sent"}',
    )
    assert messages.exchange(asked, [], [message("assistant", called, finish_reason="tool_call")]).tool_calls
    assert messages.exchange([], [], []) == evaluators.Exchange("")


class TestRegenerate:
    """The same question again, once it has been answered, shows that the answer did not do."""

    @pytest.fixture
    def again(self, instrument, spans):
        instrument(checks=("regenerate",))
        return lambda: [checks(span).get("regenerate") for span in spans()]

    def test_the_same_messages_again_are_told(self, again, clients):
        for asked in (CHAT["messages"], CHAT["messages"], OTHER, CHAT["messages"]):
            ask(clients(), messages=asked)
        assert again() == ["pass", "fail", "pass", "fail"]

    def test_templates_have_nothing_to_do_with_each_other(self, again, clients):
        for name in ("one", "two", "one"):
            with llmvitals.prompt(name):
                ask(clients())
        assert again() == ["pass", "pass", "fail"]

    def test_to_ask_again_what_failed_is_no_regeneration(self, again, clients):
        with pytest.raises(Exception, match="500"):
            ask(clients(Behaviour(status=500)))
        ask(clients())
        with pytest.raises(Exception, match="server"):
            list(ask(clients(Behaviour(error_after=3)), messages=OTHER, stream=True))
        ask(clients(), messages=OTHER)
        assert again() == [None, "pass", None, "pass"]

    def test_an_answer_that_was_stopped_was_one(self, again, clients):
        with ask(clients(Behaviour(output_tokens=30)), stream=True) as stream:
            for _, _ in zip(range(9), stream, strict=False):
                pass
        ask(clients())
        assert again() == [None, "fail"]

    def test_two_answers_at_once_are_none(self, again, clients):
        client = clients().openai.chat.completions
        streams = [client.create(**CHAT, stream=True) for _ in range(2)]
        for stream in streams:
            list(stream)
        assert again() == ["pass", "pass"]

    def test_what_was_asked_long_ago_is_no_regeneration(self, again, clients, monkeypatch):
        ask(clients())
        monkeypatch.setattr(_checks, "_AGAIN", 0)
        ask(clients())
        assert again() == ["pass", "pass"]

    def test_a_turn_after_a_response_is_the_same_only_after_the_same_response(self, again, clients):
        respond = clients().openai.responses.create
        for previous in ("resp_1", "resp_2", "resp_2"):
            respond(model="m", input="Yes, please.", previous_response_id=previous)
        assert again() == ["pass", "pass", "fail"]

    def test_in_a_conversation_that_the_provider_keeps_nobody_knows(self, again, clients):
        respond = clients().openai.responses.create
        for _ in range(2):
            respond(model="m", input="Yes, please.", conversation="conv_1")
        assert again() == [None, None]

    def test_numbers_are_kept_and_only_so_many(self, again, clients, monkeypatch):
        monkeypatch.setattr(_checks, "_KEPT", 2)
        for turn in "abcabc":
            ask(clients(), messages=[{"role": "user", "content": turn}])
        assert again() == ["pass"] * 6
        assert len(_checks._answered) == 2
        assert {type(each) for item in _checks._answered.items() for each in item} == {int}
