"""YAML to a rubric, with one sentence for each mistake in it."""

import difflib
import re
from collections.abc import Collection, Hashable
from typing import Any

import yaml

from llmvitals import semconv
from llmvitals.judge.instructions import UNKNOWN
from llmvitals.judge.rubric import ACTUAL, MATERIAL, Example, Question, Rubric

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME = re.compile(r"[A-Za-z][\w./-]{0,63}", re.ASCII)
_LONGEST_OPTION = 40
_MOST_POINTS = 1000


def parsed(text: str, source: str) -> Rubric:
    """Read a rubric. Raises ValueError: one sentence, with `source` and the line, or the path of the key."""
    try:
        return _rubric(yaml.load(text, _Loader))  # noqa: S506 - it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{source}: line {line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{source}: is no YAML: {error}".splitlines()[0]) from error
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error


class _Loader(yaml.SafeLoader):
    """Takes `yes`, `no`, `on` and dates for texts, as options are; refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_TEXT = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag not in _TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _rubric(document: Any) -> Rubric:
    given = _section(
        document,
        "",
        required=("rubric", "version", "dimension", "scale", "questions"),
        optional=("track", "needs", "unknown", "examples", "owner", "reviewed"),
    )
    dimension = _name(given["dimension"], "dimension")
    questions = _questions(given["questions"])
    examples = enumerate(_list(given.get("examples", []), "examples"))
    return Rubric(
        name=_name(given["rubric"], "rubric"),
        version=_words(given["version"], "version"),
        dimension=dimension,
        track=_track(given.get("track"), dimension),
        needs=_needs(given.get("needs", [ACTUAL])),
        questions=questions,
        pass_from=_pass_from(given["scale"], questions),
        unknown=_words(given["unknown"], "unknown") if "unknown" in given else "",
        examples=tuple(_example(each, questions, f"examples[{place}]") for place, each in examples),
        owner=_words(given["owner"], "owner") if "owner" in given else "",
        reviewed=_texts(given["reviewed"], "reviewed", ("by", "on")) if "reviewed" in given else None,
    )


def _pass_from(scale: Any, questions: tuple[Question, ...]) -> int:
    given = _section(scale, "scale", required=("points", "pass"))
    points, wanted = _points(given["points"], "scale.points"), _points(given["pass"], "scale.pass")
    most = sum(question.most for question in questions)
    if points != most:
        raise ValueError(f"scale.points: {points} is not {most}, which the best answers to all questions come to")
    if not 1 <= wanted <= points:
        raise ValueError(f"scale.pass: {wanted} is no number of points from 1 to {points}")
    return wanted


def _questions(value: Any) -> tuple[Question, ...]:
    questions: list[Question] = []
    for place, each in enumerate(_list(value, "questions")):
        question = _question(each, f"questions[{place}]")
        if any(question.id == other.id for other in questions):
            raise ValueError(f"questions[{place}].id: {question.id!r} is another question's id, too")
        questions.append(question)
    if not questions:
        raise ValueError("questions: is empty; a rubric has one question or more")
    return tuple(questions)


def _question(value: Any, path: str) -> Question:
    given = _section(value, path, required=("id", "ask", "options"), optional=("mode", "needed"))
    name, mode, needed = given["id"], given.get("mode", ""), given.get("needed", "true")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise ValueError(f"{path}.id: {name!r} is no id: up to 40 of a-z, 0-9 and `_`, a letter first")
    if mode:
        _member(mode, semconv.FAILURE_MODES, f"{path}.mode")
    _member(needed, ("true", "false"), f"{path}.needed")
    return Question(
        name, _words(given["ask"], f"{path}.ask"), _options(given["options"], f"{path}.options"), mode, needed == "true"
    )


def _options(value: Any, path: str) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) < 2:
        raise ValueError(f"{path}: {value!r} is no mapping of two or more options to points")
    options = {str(option): _points(points, f"{path}.{option}") for option, points in value.items()}
    for option in options:
        if option == UNKNOWN:
            raise ValueError(f"{path}.{option}: every question has this option, and it has no points")
        if not 0 < len(option) <= _LONGEST_OPTION or option != " ".join(option.split()):
            raise ValueError(f"{path}: {option!r} is no option: a word or a few, up to {_LONGEST_OPTION} characters")
    if not any(options.values()):
        raise ValueError(f"{path}: none of the options has points")
    return options


def _example(value: Any, questions: tuple[Question, ...], path: str) -> Example:
    given = _section(value, path, required=(ACTUAL, "answers"), optional=MATERIAL)
    answers = _texts(given.pop("answers"), f"{path}.answers", [question.id for question in questions])
    for question in questions:
        if question.id not in answers:
            raise ValueError(f"{path}.answers.{question.id}: is missing")
        _member(answers[question.id], question.choices, f"{path}.answers.{question.id}")
    return Example(_texts(given, path, MATERIAL), answers)


def _needs(value: Any) -> tuple[str, ...]:
    for place, name in enumerate(_list(value, "needs")):
        _member(name, MATERIAL, f"needs[{place}]")
    return tuple(name for name in MATERIAL if name in value or name == ACTUAL)


def _track(value: Any, dimension: str) -> str:
    known = semconv.DIMENSIONS.get(dimension)
    if value is None and known is None:
        raise ValueError(
            f"track: is missing, and {dimension!r} is no dimension with one; valid: {', '.join(semconv.TRACKS)}"
        )
    if value is None or known is None:
        return known or _member(value, semconv.TRACKS, "track")
    if value != known:
        raise ValueError(f"track: {value!r} is not {known!r}, which is that of {dimension}")
    return known


# ---- Values ---------------------------------------------------------------------------------------------


def _section(value: Any, path: str, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Any]:
    """A mapping that has all required keys, and no others than those and the optional ones."""
    keys = dict.fromkeys((*required, *optional))
    if type(value) is not dict:
        raise ValueError(f"{path or 'the file'}: {_shown(value)} is no section; its keys are: {', '.join(keys)}")
    for key in value:
        if key not in keys:
            raise ValueError(f"{_dotted(path, key)}: unknown key; {_nearest(key, keys)}")
    for key in required:
        if key not in value:
            raise ValueError(f"{_dotted(path, key)}: is missing")
    return dict(value)


def _texts(value: Any, path: str, keys: Collection[str]) -> dict[str, str]:
    """A mapping whose values are texts."""
    section = _section(value, path, (), keys)
    for key, text in section.items():
        if not isinstance(text, str) or not text:
            raise ValueError(f"{_dotted(path, key)}: {_shown(text)} is no text")
    return section


def _words(value: Any, path: str) -> str:
    """A text, or a number as one, on one line: how it is broken into lines is no part of it."""
    words = " ".join(str(value).split())
    if not isinstance(value, str | int | float) or not words:
        raise ValueError(f"{path}: {_shown(value)} is no text")
    return words


def _name(value: Any, path: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"{path}: {_shown(value)} is no name: up to 64 letters, digits, `_`, `.`, `/` and `-`, a letter first"
        )
    return value


def _points(value: Any, path: str) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MOST_POINTS:
        raise ValueError(f"{path}: {_shown(value)} is no whole number of points from 0 to {_MOST_POINTS}")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if type(value) is not list:
        raise ValueError(f"{path}: {_shown(value)} is no list")
    return value


def _member(value: Any, valid: Collection[str], path: str) -> str:
    if not isinstance(value, str) or value not in valid:
        raise ValueError(f"{path}: {_shown(value)} is not valid; {_nearest(value, valid)}")
    return value


def _nearest(value: Any, valid: Collection[str]) -> str:
    near = difflib.get_close_matches(str(value), valid, n=1)
    return f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(valid)}"


def _dotted(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
