"""A pattern of templates means in Prometheus what it means in the collector."""

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmvitals_collector.catalogue.patterns import common, example, quoted, regex

# What has a meaning in RE2, in PromQL and in YAML; ? and [ ] are refused in patterns.
NAMES = st.text(st.sampled_from("ab*.+()|{}^$\\-\"' :#~é"), max_size=8)
TEXTS = st.text(st.sampled_from("ab.+()|{}^$\\-\"' :#~é?[]"), max_size=8)


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=3), TEXTS)
def test_the_expression_matches_as_the_collector_does(patterns, text):
    assert bool(re.fullmatch(regex(patterns), text, re.DOTALL)) == any(fnmatchcase(text, each) for each in patterns)


@settings(deadline=None)
@given(NAMES)
def test_a_pattern_fits_its_example(pattern):
    assert fnmatchcase(example(pattern), pattern)


@settings(deadline=None)
@given(NAMES, NAMES, TEXTS)
def test_what_two_patterns_have_in_common_is_found(first, second, text):
    found = common(first, second)
    if found is not None:
        assert fnmatchcase(found, first)
        assert fnmatchcase(found, second)
    else:
        assert not (fnmatchcase(text, first) and fnmatchcase(text, second))


@settings(deadline=None)
@given(NAMES, NAMES)
def test_patterns_that_fit_each_other_s_examples_have_something_in_common(first, second):
    if fnmatchcase(example(first), second) or fnmatchcase(example(second), first):
        assert common(first, second) is not None


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("support-*", "*-answer", "support-answer"),
        ("support-*", "sales-*", None),
        ("a", "a", "a"),
        ("*", "*", ""),
        ("a*b", "ab*", "ab"),
        ("*" * 60, "b" * 60, "b" * 60),
    ],
)
def test_the_shortest_name_that_fits_both(first, second, shared):
    assert common(first, second) == shared


def test_a_literal_is_quoted_as_promql_has_it():
    assert quoted('a\\.b"c') == r'"a\\.b\"c"'
