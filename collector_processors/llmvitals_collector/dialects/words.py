"""Texts of a column put in other words, by a rule in place of a list."""

import re
from collections.abc import Callable

import numpy as np

from llmvitals_collector.dialects.table import Reading
from llmvitals_collector.records import Codes

# How the names of a provider's models begin, where others have none that begin so.
MODELS = {
    "openai": r"(ft:)?gpt-(?!oss)|chatgpt-|o\d(-|$)|text-embedding-(3|ada)",
    "anthropic": r"claude-",
    "gcp.gemini": r"(models/)?gemini-",
    "mistral_ai": r"(mistral|ministral|magistral|codestral)-(small|medium|large|latest|embed|\db-)",
    "cohere": r"command-|embed-(english|multilingual|v\d)",
    "deepseek": r"deepseek-(chat|reasoner)$",
    "x_ai": r"grok-",
}


def rewritten(codes: Codes, reading: Reading, ours: Callable[[str], str]) -> Codes:
    """The codes of what `ours` makes of each text; each distinct one is asked about once. Shape: that of `codes`."""
    strings = reading.strings
    distinct, which = np.unique(codes, return_inverse=True)
    return np.array([reading.code(ours(strings[code])) for code in distinct.tolist()], np.int32)[which]


def first_group(pattern: str) -> Callable[[str], str]:
    """A rule for `rewritten`: what the pattern's group matches in the text, "" where it matches nothing."""
    find = re.compile(pattern).search
    return lambda text: found[1] if (found := find(text)) else ""


def maker(model: str) -> str:
    """The provider that a model's name tells, "" where it tells none. Who serves another's model goes unnoticed."""
    return next((name for name, begins in MODELS.items() if re.match(begins, model)), "")
