"""Keeps what points at a person, at a secret or at a single thing out of what becomes labels.

E-mail addresses become `<email>`, keys and tokens `<key>`, numbers of cards and telephones `<number>`. In names, though
not in versions, which may well be hashes, UUIDs, 16 or more hexadecimal digits and 9 or more digits become `<id>`: a
template that is named after a user or a run is then one template again.

Further patterns are Python's regular expressions, each under the name that then stands in its place:

    processors:
      redaction:
        patterns: {customer: 'CUST-[0-9]{4,8}'}

Within what a pattern repeats there may be no further repetition and no alternative: with them, a text could be made for
which matching takes for ever.

Attributes:
    enabled: whether anything is replaced.
    patterns: what else to replace in names and versions.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

# A private module, but the one that says what `re` has understood; the same from Python 3.11 to 3.14.
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Annotated, Any

import msgspec

from llmvitals_collector.calls import Calls

# What repeats here is possessive or bounded, so that the time to match grows with the length of the text and no faster.
_SECRETS = {
    "email": r"[\w.%+-]{1,64}@[\w-]++(?:\.[\w-]++)++",
    "key": r"""(?x) (?<![A-Za-z0-9])(?:
        c?sk-(?=[\w-]{0,64}\d)[\w-]{16,}+ | [srp]k_(?:live|test)_\w{16,}+
      | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[\w-]{30,}+
      | gh[opsur]_\w{20,}+ | github_pat_\w{20,}+ | glpat-[\w-]{16,}+ | xox[a-z]-[\w-]{10,}+
      | (?:hf|gsk|npm)_\w{20,}+ | eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]++)?
    )""",
    # Not each of many digits with gaps: claude-opus-4-1-20250805 is none.
    "number": r"(?<!\d)\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,4}(?!\d)|\+\d(?:[ -]?\d){7,14}",
}
_IDS = {
    "id": r"""(?x)
        (?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}
      | (?=[a-fA-F]{0,64}[0-9])[0-9A-Fa-f]{16,}+)(?![0-9A-Za-z])
      | [0-9]{9,}+
    """,
}
NAMES = ("service", "provider", "model", "response_model", "template")
VERSIONS = ("template_version", "release")

_REPETITIONS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)

Patterns = Annotated[dict[str, str], msgspec.Meta(description="a mapping of names to regular expressions")]


class RedactionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    patterns: Patterns = {}

    def __post_init__(self) -> None:
        for name, pattern in self.patterns.items():
            if not re.fullmatch(r"[a-z][a-z_]{0,29}", name):
                raise ValueError(f"patterns.{name}: is no name; valid: up to 30 of a-z and _, the first of a-z")
            try:
                parsed = _parser.parse(pattern)
            except re.error as error:
                raise ValueError(f"patterns.{name}: {pattern!r} is no regular expression: {error}") from error
            if parsed.getwidth()[0] == 0:
                raise ValueError(f"patterns.{name}: {pattern!r} fits the empty text; it must fit a character at least")
            if _repeats(parsed):
                raise ValueError(
                    f"patterns.{name}: {pattern!r} repeats what repeats or has alternatives, and could take for ever;"
                    " valid: repetitions of characters, classes, and groups of these"
                )


class Redaction:
    def __init__(self, config: RedactionConfig) -> None:
        self._columns: dict[str, Callable[[str], str]] = {}
        if config.enabled:
            self._columns |= dict.fromkeys(VERSIONS, _redacting(_SECRETS | config.patterns))
            self._columns |= dict.fromkeys(NAMES, _redacting(_SECRETS | config.patterns | _IDS))

    def process(self, calls: Calls) -> Calls:
        for name, redacted in self._columns.items():
            calls.rewrite(name, redacted)
        return calls


def _redacting(patterns: Mapping[str, str]) -> Callable[[str], str]:
    """What replaces all that these patterns fit by `<name>`; it remembers the texts that it saw last."""
    compiled = [(f"<{name}>", re.compile(pattern)) for name, pattern in patterns.items()]

    @lru_cache(4096)
    def redacted(text: str) -> str:
        for placeholder, pattern in compiled:
            text = pattern.sub(placeholder, text)
        return text

    return redacted


def _repeats(pattern: Any, *, within: bool = False) -> bool:
    """Whether something varies within what a parsed pattern repeats: how often it comes, or which alternative."""
    for operation, argument in pattern:
        if operation in _REPETITIONS:
            least, most, inner = argument
            if (within and least < most) or _repeats(inner, within=within or most > 1):
                return True
        elif operation is _constants.BRANCH:
            if within or any(map(_repeats, argument[1])):
                return True
        else:
            inner = argument if isinstance(argument, tuple) else (argument,)
            if any(_repeats(each, within=within) for each in inner if isinstance(each, _parser.SubPattern)):
                return True
    return False
