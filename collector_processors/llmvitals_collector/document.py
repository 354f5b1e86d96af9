"""YAML to frozen structs, with one sentence for each mistake in it."""

import difflib
import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_args, get_origin

import msgspec
import yaml

# Where in the document a value stands.
Place: TypeAlias = tuple[Any, ...]
S = TypeVar("S", bound=msgspec.Struct)

# What the value of a key is to be, in words, where nothing but its type says so.
_FORMS = {bool: "true or false", str: "a text"}
_REFERENCE = re.compile(r"\$\{env:(?P<name>\w+)(:-(?P<default>[^}]*))?\}")


class Key(NamedTuple):
    """One key of a section: what its annotation says."""

    name: str  # as the document spells it
    attribute: str  # as the section does, where that is a word of Python's
    form: Any  # its type, with the annotation
    section: type[msgspec.Struct] | None  # where it is a section itself
    entry: type[msgspec.Struct] | None  # where it is a mapping of names to sections
    valid: str  # what its value is to be, in words; "" where the type says it all
    marks: frozenset[str]  # "secret": never shown; "restart": a change of it takes one
    default: Any  # NODEFAULT where it has to be given


def keys(section: type[msgspec.Struct]) -> Iterator[Key]:
    """The keys of a section, in their order."""
    for field in msgspec.structs.fields(section):
        plain, metas = field.type, []
        if arguments := [each for each in get_args(field.type) if isinstance(each, msgspec.Meta)]:
            plain, metas = get_args(field.type)[0], arguments
        inner = plain if _is_section(plain) else None
        entry = next(filter(_is_section, get_args(plain)), None) if get_origin(plain) is dict else None
        valid = next((meta.description for meta in metas if meta.description), "")
        marks = frozenset(mark for meta in metas for mark in meta.extra or ())
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        yield Key(field.encode_name, field.name, field.type, inner, entry, valid, marks, default)


def _is_section(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, msgspec.Struct)


def read(path: Path, section: type[S], environment: Mapping[str, str]) -> S:
    """Read a file; `${env:NAME}` and `${env:NAME:-default}` in it are the environment's.

    Raises:
        ValueError: it cannot be read, or something in it is wrong: one sentence, with the file and the path of the key.
    """
    try:
        return parsed(path.read_text(encoding="utf-8"), section, environment)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not text in UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{path}: line {line}: {error.problem}") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parsed(text: str, section: type[S], environment: Mapping[str, str]) -> S:
    """Read a document, as `read` does a file.

    Raises:
        ValueError: something in it is wrong: one sentence, with the path of the key.
        yaml.MarkedYAMLError: it is no YAML, or a key stands twice.
    """
    document = yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
    return _section(_substituted(document, (), environment), section, ())


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML's loader would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _substituted(value: Any, path: Place, environment: Mapping[str, str]) -> Any:
    """Replace the references to the environment in every text of a document."""
    match value:
        case dict():
            return {key: _substituted(each, (*path, key), environment) for key, each in value.items()}
        case list():
            return [_substituted(each, (*path, place), environment) for place, each in enumerate(value)]
        case str():
            return _REFERENCE.sub(lambda reference: _referenced(reference, path, environment), value)
    return value


def _referenced(reference: re.Match[str], path: Place, environment: Mapping[str, str]) -> str:
    name: str = reference["name"]
    default: str | None = reference["default"]
    value = environment.get(name)
    # As in a shell, a default stands in for a variable that is empty, too.
    if not value and default is not None:
        return default
    if value is None:
        raise ValueError(f"{_dotted(path)}: the environment variable {name} is not set, and has no :-default")
    return value


def _section(value: Any, section: type[S], path: Place) -> S:
    """Turn a mapping into a struct, section by section, so that each mistake is told with its path."""
    known = {key.name: key for key in keys(section)}
    match value:
        case dict() | None:
            given = value or {}
        case _:
            raise ValueError(f"{_dotted(path)}: {value!r} is no section; its keys are: {', '.join(known)}")
    settings = {}
    for name, setting in given.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(known) or 'none'}"
            raise ValueError(f"{_dotted((*path, name))}: unknown key; {hint}")
        settings[known[name].attribute] = _setting(setting, known[name], (*path, name))
    for key in known.values():
        if key.default is msgspec.NODEFAULT and key.attribute not in settings:
            raise ValueError(f"{_dotted((*path, key.name))}: is missing, and is to be {_valid(key)}")
    try:
        return section(**settings)
    except ValueError as error:
        raise ValueError(f"{_dotted(path)}.{error}") from error


def _setting(value: Any, key: Key, path: Place) -> Any:
    if key.section:
        return _section(value, key.section, path)
    if key.entry and isinstance(value, dict):
        return {name: _section(each, key.entry, (*path, name)) for name, each in value.items()}
    try:
        # Not strict: what the environment gives is always text.
        return msgspec.convert(value, key.form, strict=False)
    except msgspec.ValidationError as error:
        told = "the value" if "secret" in key.marks else repr(value)
        raise ValueError(f"{_dotted(path)}: {told} is not {_valid(key)}") from error


def _valid(key: Key) -> str:
    if key.entry:
        return key.valid or "a mapping of names to sections"
    plain, *_ = get_args(key.form) or (key.form,)
    return key.valid or _FORMS[plain]


def _dotted(path: Place) -> str:
    return ".".join(map(str, path)) or "the file"
