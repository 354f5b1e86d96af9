"""What a client accepts is read as RFC 9110 has it, and what makes no sense weighs nothing."""

import pytest

from llmvitals_collector.accept import weight


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("text/html", 1.0),
        ("text/plain, TEXT/HTML;q=0.5", 0.5),
        ("text/html;q=0.2, text/html;level=1;q=0.7", 0.7),
        ("text/html;q=0", 0.0),
        ("text/*", 0.0),
        ("", 0.0),
        *((f"text/html;q={wrong}", 0.0) for wrong in ("", ".", "-1", "1.2.3", "high", "nan", "\u00b2")),
    ],
)
def test_a_media_type_weighs_as_much_as_is_said(accepted, expected):
    assert weight(accepted, "text/html") == expected


def test_parameters_that_are_wanted_have_to_be_there():
    assert weight("a/b;encoding=delimited;q=0.3", "a/b", "encoding=delimited") == 0.3
    assert weight("a/b;q=0.3", "a/b", "encoding=delimited") == 0.0
