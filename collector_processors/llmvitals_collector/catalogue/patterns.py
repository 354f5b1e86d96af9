"""Patterns of templates' names, in which `*` stands for any text, as Prometheus matches them."""

import re
from collections.abc import Iterable
from functools import cache

ANY = "*"
_MEANT = re.compile(r"[\\.+*?()|\[\]{}^$]")  # https://github.com/google/re2/wiki/Syntax


def regex(patterns: Iterable[str]) -> str:
    """The RE2 expression of the names that fit one of the patterns; Prometheus anchors it at both ends."""
    return "|".join(".*".join(map(_escaped, pattern.split(ANY))) for pattern in patterns)


def quoted(text: str) -> str:
    """A string literal of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def example(pattern: str, anything: str = "x") -> str:
    """A name that fits."""
    return pattern.replace(ANY, anything)


def common(first: str, second: str) -> str | None:
    """A shortest name that fits both patterns, or None where there is none."""

    @cache
    def rest(one: str, other: str) -> str | None:
        if not one or not other:
            return "" if not (one + other).strip(ANY) else None
        found = []
        if one[0] == ANY:
            found += [rest(one[1:], other), _after(other[0], rest(one, other[1:])) if other[0] != ANY else None]
        if other[0] == ANY:
            found += [rest(one, other[1:]), _after(one[0], rest(one[1:], other)) if one[0] != ANY else None]
        if one[0] == other[0] != ANY:
            found.append(_after(one[0], rest(one[1:], other[1:])))
        return min((each for each in found if each is not None), key=len, default=None)

    return rest(first, second)


def _after(character: str, rest: str | None) -> str | None:
    return None if rest is None else character + rest


def _escaped(text: str) -> str:
    return _MEANT.sub(r"\\\g<0>", text)
