"""The configuration reference: every key with its default, in YAML that can be used as it is."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping

import msgspec

from llmvitals_collector.config import Config
from llmvitals_collector.document import Key, keys

_ENVIRONMENT = "`${env:NAME}` in a value is the environment's, and `${env:NAME:-default}` has a default."
_WIDTH = 100
_ATTRIBUTES = re.compile(r"\n*^Attributes:\n", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def reference() -> str:
    """The docstrings and annotations of the configuration's structs, as one commented file."""
    purpose, _ = about(Config)
    return "\n".join([*_comment(purpose), *_comment(_ENVIRONMENT), *_lines(Config), ""])


def _lines(section: type[msgspec.Struct]) -> Iterator[str]:
    """A section's keys, each with the comment that says what it is."""
    _, sentences = about(section)
    for key in keys(section):
        restart = "A change takes a restart." if "restart" in key.marks else ""
        if key.section:
            yield ""
            yield from _comment(about(key.section)[0])
            yield from _comment(restart)
            inner = list(_lines(key.section))
            yield f"{key.name}:" if inner else f"{key.name}: {{}}"
            yield from (f"  {line}" if line else "" for line in inner)
        else:
            valid = f"Valid: {key.valid}." if key.valid else ""
            yield from _comment(
                textwrap.fill(" ".join(filter(None, (sentences.get(key.name), valid, restart))), _WIDTH)
            )
            yield f"{key.name}: {_value(key)}"
            if key.entry:
                inner = [*_comment(about(key.entry)[0]), "NAME:", *(f"  {line}" for line in _lines(key.entry))]
                yield from (f"#   {line}".rstrip() for line in inner)


def about(section: type[msgspec.Struct]) -> tuple[str, Mapping[str, str]]:
    """What a section is for, and each of its keys.

    A processor's settings have no docstring of their own: its module's says all of it.
    """
    whole = section.__name__.endswith("Config")
    docstring = inspect.cleandoc(section.__doc__ or (whole and sys.modules[section.__module__].__doc__) or "")
    purpose, *attributes = _ATTRIBUTES.split(docstring)
    base = section.__base__
    sentences = dict(about(base)[1]) if base and issubclass(base, msgspec.Struct) else {}
    for name, text in _ATTRIBUTE.findall("".join(attributes)):
        sentence = " ".join(text.split())
        sentences[name] = sentence[0].upper() + sentence[1:]
    return purpose, sentences


def _value(key: Key) -> str:
    """A default in YAML, of which JSON is a part, but for what is plainer without quotes."""
    written = msgspec.json.encode(key.default).decode()
    return written.strip('"') if isinstance(key.default, str) and key.default else written


def _comment(text: str) -> list[str]:
    return [f"# {line}".rstrip() for line in text.splitlines()]
