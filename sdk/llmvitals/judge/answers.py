"""A judge's answers, read strictly: what is not one of a question's options is no answer."""

import json
import re
from typing import Any

from llmvitals import semconv
from llmvitals.judge.failures import NoJudgement
from llmvitals.judge.rubric import Rubric

_LONGEST_EXPLANATION = 1000  # characters; more is cut
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)  # as models like to write JSON


def read(said: str, rubric: Rubric) -> tuple[dict[str, str], str]:
    """The option that was chosen for each question, and the explanation.

    Raises NoJudgement where `said` is not one JSON object, in a code fence or without, that answers all questions.
    """
    fenced = _FENCED.fullmatch(said)
    try:
        told = json.loads(fenced[1] if fenced else said, object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise _invalid(semconv.NOT_JSON) from None
    given = told.get("answers") if isinstance(told, dict) else None
    if not isinstance(given, dict) or any(question.id not in given for question in rubric.questions):
        raise _invalid(semconv.NO_ANSWER)
    answers = {question.id: given[question.id] for question in rubric.questions}
    if any(answers[question.id] not in question.choices for question in rubric.questions):
        raise _invalid(semconv.NO_OPTION)
    explanation = told.get("explanation")
    return answers, explanation[:_LONGEST_EXPLANATION] if isinstance(explanation, str) else ""


def _invalid(reason: str) -> NoJudgement:
    return NoJudgement(semconv.JUDGE_INVALID, reason)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which a key stands twice says two things."""
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError
    return told


def _refused(constant: str) -> Any:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(constant)
