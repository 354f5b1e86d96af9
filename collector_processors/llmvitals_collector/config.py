"""The collector's configuration: a YAML file to frozen structs, and one sentence for each mistake."""

import difflib
import os
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

import msgspec
import yaml

from llmvitals_collector.processors import ProcessorsConfig

_PORT = r"([0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
Address = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^([\w.-]+|\[[\da-fA-F:.]+\]):{_PORT}$", description="a host and a port, such as 127.0.0.1:4317"
    ),
]
RequestBytes = Annotated[
    int, msgspec.Meta(ge=1024, le=1 << 30, description="a whole number of bytes from 1024 to 1073741824")
]
LabelSetLimit = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]


# Where in the document a value stands.
Place: TypeAlias = tuple[Any, ...]
S = TypeVar("S", bound=msgspec.Struct)

_REFERENCE = re.compile(r"\$\{env:(?P<name>\w+)(:-(?P<default>[^}]*))?\}")


class ConfigError(Exception):
    """A mistake in the configuration: one sentence, with the file and the path of the key."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of every section: what is left out has its default, what is not known is refused."""


class GrpcReceiver(Section, frozen=True):
    address: Address = "127.0.0.1:4317"
    max_request_bytes: RequestBytes = 16 << 20


class HttpReceiver(Section, frozen=True):
    address: Address = "127.0.0.1:4318"
    max_request_bytes: RequestBytes = 16 << 20  # as sent, and again once inflated


class Receivers(Section, frozen=True):
    grpc: GrpcReceiver = GrpcReceiver()
    http: HttpReceiver = HttpReceiver()


class Metrics(Section, frozen=True):
    address: Address = "127.0.0.1:9464"


class Limits(Section, frozen=True):
    label_sets: LabelSetLimit = 2000  # of each metric


class Config(Section, frozen=True):
    receivers: Receivers = Receivers()
    metrics: Metrics = Metrics()
    limits: Limits = Limits()
    processors: ProcessorsConfig = ProcessorsConfig()


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read a configuration file; `${env:NAME}` and `${env:NAME:-default}` in it are the environment's.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader
        return _section(_substituted(document, (), environment), Config, ())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not text in UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}: line {line}: {error.problem}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


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
    fields = {field.name: field.type for field in msgspec.structs.fields(section)}
    match value:
        case dict() | None:
            given = value or {}
        case _:
            raise ValueError(f"{_dotted(path)}: {value!r} is no section; its keys are: {', '.join(fields)}")
    settings = {}
    for key, setting in given.items():
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(fields) or 'none'}"
            raise ValueError(f"{_dotted((*path, key))}: unknown key; {hint}")
        settings[key] = _setting(setting, fields[key], (*path, key))
    try:
        return section(**settings)
    except ValueError as error:
        raise ValueError(f"{_dotted(path)}.{error}") from error


def _setting(value: Any, form: Any, path: Place) -> Any:
    if isinstance(form, type) and issubclass(form, msgspec.Struct):
        return _section(value, form, path)
    try:
        # Not strict: what the environment gives is always text.
        return msgspec.convert(value, form, strict=False)
    except msgspec.ValidationError as error:
        described = [each.description for each in get_args(form) if isinstance(each, msgspec.Meta)]
        wrong = f"{value!r} is not {described[0]}" if described else str(error)
        raise ValueError(f"{_dotted(path)}: {wrong}") from error


def _dotted(path: Place) -> str:
    return ".".join(map(str, path)) or "the file"
