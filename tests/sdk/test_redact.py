"""What is replaced in a captured text before it leaves, what is left alone, and how long that takes."""

import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmvitals._redact import patterns, redaction


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("write to bob.a+b@mail.example.co.uk.", "write to [email]."),
        ("<bob@example.com>,eve@example.org+x@example.net", "<[email]>,[email][email]"),
        ("call +49 30 1234567 now", "call [phone] now"),
        ("tel:+15551234567", "tel:[phone]"),
        ("0049 (30) 1234567", "[phone]"),
        ("+1 (555) 123-4567", "[phone]"),
        ("(555) 123-4567 or 555-123-4567 or 555.123.4567", "[phone] or [phone] or [phone]"),
        ("1-800-555-1234", "[phone]"),
        ("(030) 12345678, 07911 123456, 06 12 34 56 78", "[phone], [phone], [phone]"),
        ("4111 1111 1111 1111", "[card]"),
        ("4111111111111111, 5555-5555-5555-4444", "[card], [card]"),
        ("3782 822463 10005", "[card]"),
        ("valid since 2024 4111 1111 1111 1111 code 123", "valid since 2024 [card] code 123"),
        ("4111-1111-1111-1111 123", "[card] 123"),
        ("DE89 3704 0044 0532 0130 00", "[iban]"),
        ("DE89370400440532013000.", "[iban]."),
        ("GB82 WEST 1234 5698 7654 32 CALL ME", "[iban] CALL ME"),
        ("key=sk-proj-abc123def456ghi789", "key=[key]"),
        ("sk-ant-api03-AbCdEf0123456789_-x", "[key]"),
        ("csk-abcdef0123456789abcdef", "[key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[key]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[key]"),
        ("xoxb-1234567890-abcdef", "[key]"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuvw", "[key]"),
        ("hf_abcdefghijklmnopqrstuvwxyz", "[key]"),
        ("Authorization: Bearer abc123.def456-ghi789", "Authorization: [key]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "[key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- and on", "[key] and on"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE, which was cut", "[key]"),
        ("https://b.example/x?X-Amz-Signature=abcdef123456&v=1", "https://b.example/x?X-Amz-Signature=[key]&v=1"),
        (
            r'"two lines\nsk-abc123def456ghi789\n+49301234567\nDE89370400440532013000"',
            r'"two lines\n[key]\n[phone]\n[iban]"',
        ),
    ],
)
def test_what_points_at_a_person_or_opens_a_door_is_replaced(text, redacted):
    assert patterns(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "on 2024-01-02 at 10:30, or 01-02-2024 10:30, or 2024-01-02T10:30:00.000000",
        "1700000000 and 1700000000000000000 are times",
        "pi is 3.14159265358979, the price 1,234,567.89, the whole 10 000 000 000",
        "version 1.2.3.4 at 192.168.100.200",
        "4111 1111 1111 1112 fails its checksum",
        "DE88370400440532013000 fails its checksum",
        "isbn 978-3-16-148410-0",
        "550e8400-e29b-41d4-a716-446655440000",
        "toolu_01A09q90qw90lq917835123",
        "sk-learn-is-a-very-nice-library and task-management-system-2024-final",
        "basic internationalization, @everyone, user@localhost",
        "1 2 3 4 5 6 7 8 9 10",
    ],
)
def test_what_only_looks_a_little_like_it_is_left_alone(text):
    assert patterns(text) == text


@pytest.mark.parametrize(
    "repeated",
    [
        *(
            "a@",
            "a.@",
            "a.a.",
            "sk-",
            "sk-a",
            "eyJaaaaaaaa.",
            "?key=",
            "xoxb-",
            "bearer ",
            "-----BEGIN PRIVATE KEY-----",
        ),
        *("1", "4 ", "4111", "4111 ", "+1 ", "01 ", "0-", "(0", "AB12", "AB12 "),
    ],
)
def test_the_time_grows_with_the_length_of_the_text_and_no_faster(repeated):
    """Sixteen times the text may take sixteen times as long; a pattern that backtracks would take 256 times."""

    def seconds(length):
        text = (repeated * length)[:length]
        began = time.process_time()
        patterns(text)
        return time.process_time() - began

    short = min(seconds(4_096) for _ in range(3))
    assert seconds(65_536) < 80 * short + 0.1


# Pieces of which the patterns are made, so that Hypothesis comes near to all of them.
_PIECES = st.sampled_from(
    ["a@b.co", "sk-", "ghp_", "AKIA", "+49", "4111", "DE89", "Bearer ", "-----BEGIN ", "eyJ", "\\n"]
)
_TEXTS = st.lists(st.one_of(_PIECES, st.text(string.printable, max_size=8)), max_size=40).map("".join)


@pytest.mark.parametrize("secret", ["bob@example.com", "sk-abc123def456ghi789", "ghp_abcdefghijklmnopqrstuvwxyz"])
@given(before=_TEXTS, after=_TEXTS)
@settings(max_examples=100, deadline=None)
def test_it_is_found_whatever_stands_around_it(secret, before, after):
    assert secret not in patterns(f"{before} {secret} {after}")


def test_the_app_s_own_redaction_comes_after_the_patterns():
    seen = []
    redact = redaction(lambda text: seen.append(text) or text.replace("Bob", "[name]"))
    assert redact("Bob is bob@example.com") == "[name] is [email]"
    assert seen == ["Bob is [email]"]


def test_a_hook_that_fails_says_so_without_the_text():
    def hook(text):
        raise ValueError(f"can't redact {text}")

    with pytest.raises(RuntimeError, match="redact raised ValueError: content is dropped") as failure:
        redaction(hook)("secret")
    assert failure.value.__suppress_context__


def test_a_hook_that_returns_no_text_fails():
    with pytest.raises(TypeError, match="redact returned NoneType, not str"):
        redaction(lambda text: None)("secret")
