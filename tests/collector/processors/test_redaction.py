"""No label points at a person, at a secret or at a single thing."""

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import TEXT_CHARACTERS
from llmvitals_collector.processors import redaction
from llmvitals_collector.processors.redaction import NAMES, VERSIONS, Redaction, RedactionConfig

UUID = "123e4567-e89b-12d3-a456-426614174000"
SHA = "9fceb02d0ae598e95dc970b74767f19372d61af8"


def redacted(text, column="template", **config):
    calls = Redaction(RedactionConfig(**config)).process(Calls.from_rows([{column: text}]))
    return calls.strings[calls[column][0]]


@pytest.mark.parametrize("column", [*NAMES, *VERSIONS])
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("greeting for jane.doe+x@mail.example.com", "greeting for <email>"),
        ("sk-proj-abcdefghij0123456789", "<key>"),
        ("key=AKIAIOSFODNN7EXAMPLE", "key=<key>"),
        ("t-ghp_abcdefghijklmnopqrstuvwxyz", "t-<key>"),
        ("4111 1111 1111 1111", "<number>"),
        ("call +49 30 1234567", "call <number>"),
    ],
)
def test_persons_and_secrets_are_replaced_everywhere(column, text, label):
    assert redacted(text, column) == label


@pytest.mark.parametrize("column", NAMES)
@pytest.mark.parametrize(
    ("text", "label"),
    [
        (f"run-{UUID}", "run-<id>"),
        (f"run-{UUID.upper()}", "run-<id>"),
        (f"t_{SHA}", "t_<id>"),
        (f"t{SHA}", f"t{SHA}"),  # one word
        ("summary-20251120093000", "summary-<id>"),
        ("endpoints/1234567890123456789", "endpoints/<id>"),
    ],
)
def test_ids_in_names_are_replaced(column, text, label):
    assert redacted(text, column) == label


@pytest.mark.parametrize(
    "text",
    [
        "",
        "greeting",
        "gpt-4o-2024-08-06",
        "claude-opus-4-1-20250805",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "meta-llama/Llama-3.1-70B-Instruct",
        "ask-jane",
        "checkout-7d9f8b6c5-x2x7q",
        "2025-11-20",
    ],
)
def test_names_of_models_templates_and_services_stay(text):
    assert redacted(text) == text


@pytest.mark.parametrize("column", VERSIONS)
@pytest.mark.parametrize("text", [SHA, UUID, "20251120093000"])
def test_a_version_may_be_a_hash_or_a_time(column, text):
    assert redacted(text, column) == text


def test_further_patterns_are_replaced_by_their_names():
    assert redacted("order CUST-1234567890", patterns={"customer": "CUST-[0-9]+"}) == "order <customer>"
    assert redacted("CUST-1", "release", patterns={"customer": "CUST-[0-9]+"}) == "<customer>"


def test_it_can_be_switched_off():
    assert redacted("jane@example.com", enabled=False) == "jane@example.com"


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("CUST-(", "is no regular expression: missing ), unterminated subpattern at position 5"),
        ("x*", "fits the empty text"),
        ("(a+)+b", "repeats what repeats"),
        ("(?:a|ab)*b", "repeats what repeats"),
        ("(?=(a+)+b)a", "repeats what repeats"),
        ("((a?)){30}b", "repeats what repeats"),
    ],
)
def test_a_pattern_that_is_none_or_could_take_for_ever_is_refused(pattern, wrong):
    with pytest.raises(ValueError, match=r"^patterns\.customer: ") as raised:
        RedactionConfig(patterns={"customer": pattern})
    assert wrong in str(raised.value)


@pytest.mark.parametrize("pattern", ["CUST-[0-9]{4,8}", "(?:[0-9]{4}-){3}x", "(?i:cust|kunde)[ -]?[0-9]+", "(?<=a)b+?"])
def test_a_pattern_whose_repetitions_are_plain_is_taken(pattern):
    assert msgspec.convert({"patterns": {"customer": pattern}}, RedactionConfig).patterns == {"customer": pattern}


@given(st.text("aA0.-_@+ e/Jsk\n", max_size=60))
def test_what_was_redacted_holds_nothing_more_to_redact(text):
    once = redacted(text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "piece", ["a", "a.", "a@", "0", "0-", "0 ", "a0", "eyJ", "sk-", "+1 ", "@a.", "abcdef", "1234-"]
)
def test_no_text_takes_long(piece):
    """A pattern that takes time in the square of a text's length would take minutes here."""
    started = time.process_time()
    redaction._redacting(redaction._SECRETS | redaction._IDS)(piece * 100_000)
    assert time.process_time() - started < 10.0


def test_of_a_long_text_only_the_beginning_is_kept():
    assert redacted("ab " * 100_000) == ("ab " * 100_000)[:TEXT_CHARACTERS]
