"""Tests that need an installed program are never left out silently."""

import pytest


def test_without_the_program_a_test_is_skipped_with_the_reason(program, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"needs promtooo or tool, which `.ci/setup servers` installs"):
        program("promtooo", "tool")


def test_without_the_program_a_test_fails_where_nothing_may_be_left_out(program, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs promtooo"):
        program("promtooo")


def test_the_first_program_that_is_installed_is_taken(program):
    assert program("promtooo", "sh").endswith("/sh")
