"""What a judge is asked: the rubric's questions, and the texts to grade, fenced so that they stay data."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from llmvitals.judge.instructions import INSTRUCTIONS, UNKNOWN
from llmvitals.judge.rubric import ACTUAL, CONTEXT, EXPECTED, FIRST, QUERY, SECOND, Question, Rubric

_HEADINGS = {
    QUERY: "the user's question",
    CONTEXT: "the material that the assistant was given",
    EXPECTED: "a reference answer",
    ACTUAL: "the answer to grade",
    FIRST: "the first answer",
    SECOND: "the second answer",
}


class Prompt(NamedTuple):
    """Chat messages, and the JSON schema of their answer."""

    messages: list[dict[str, str]]
    schema: dict[str, Any]

    @property
    def characters(self) -> int:
        """Of all messages."""
        return sum(len(message["content"]) for message in self.messages)


def prompt(rubric: Rubric, material: Mapping[str, str], seed: str, turn: int = 0) -> Prompt:
    """Ask for `rubric` on `material`.

    material: texts by names of rubric.MATERIAL; of a comparison FIRST and SECOND in place of ACTUAL.
    seed, turn: with which option each question begins, so that none gains from standing first; each next turn
        begins with the next option.
    """
    choices = {question.id: _turned(question, seed, turn) for question in rubric.questions}
    parts = [INSTRUCTIONS]
    if rubric.unknown:
        parts.append(f'On "{UNKNOWN}": {rubric.unknown}')
    parts.append("Questions:\n" + "\n".join(_asked(question, choices[question.id]) for question in rubric.questions))
    parts += [_example(number, each.material, each.answers) for number, each in enumerate(rubric.examples, 1)]
    parts.append(
        "Reply with one JSON object and nothing else, in this form:\n"
        + _json({"answers": dict.fromkeys(choices, "one of its options"), "explanation": "one or two sentences"})
    )
    # What is graded is at the end: wherever the options stand in the same order, endpoints can cache what comes before.
    return Prompt(
        [
            {"role": "system", "content": "\n\n".join(parts)},
            {"role": "user", "content": _fenced(material, _mark(material))},
        ],
        _schema(choices),
    )


def _turned(question: Question, seed: str, turn: int) -> tuple[str, ...]:
    """The options of a question, turned round; `unknown` stays the last."""
    options = tuple(question.options)
    digest = hashlib.sha256(f"{seed}/{question.id}".encode("utf-8", "replace")).digest()
    first = (int.from_bytes(digest[:8]) + turn) % len(options)
    return (*options[first:], *options[:first], UNKNOWN)


def _asked(question: Question, choices: tuple[str, ...]) -> str:
    return f"- {question.id}: {question.ask}\n  Options: {', '.join(map(_json, choices))}"


def _example(number: int, material: Mapping[str, str], answers: Mapping[str, str]) -> str:
    return (
        f"Example {number}:\n{_fenced(material, f'example-{number}')}\nis graded:\n{_json({'answers': dict(answers)})}"
    )


def _mark(material: Mapping[str, str]) -> str:
    """What nobody can have written into the texts, as it is drawn after them."""
    mark = secrets.token_hex(8)
    return mark if not any(mark in text for text in material.values()) else _mark(material)


def _fenced(material: Mapping[str, str], mark: str) -> str:
    return "\n\n".join(
        f"BEGIN {heading} [{mark}]\n{_encodable(material[name])}\nEND {heading} [{mark}]"
        for name, heading in _HEADINGS.items()
        if name in material
    )


def _encodable(text: str) -> str:
    """Without the halves of surrogate pairs that a cut can leave, and that no request can carry."""
    return text.encode("utf-8", "replace").decode()


def _schema(choices: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """In the subset that strict modes take; the answers stand before the explanation, and are written before it.

    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    answers = {name: {"type": "string", "enum": list(each)} for name, each in choices.items()}
    return _object({"answers": _object(answers), "explanation": {"type": "string"}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
