"""From the rows of a sheet to grades, or to what is wrong with them."""

import difflib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from llmvitals import semconv
from llmvitals.judge.rubric import Rubric
from llmvitals_collector.review.item import Item
from llmvitals_collector.review.sealed import Sealed, TokenError, unseal
from llmvitals_collector.review.sheet import Row

# The columns beside the questions'.
ITEM, DIMENSION, ANSWER, GRADER, NOTES, TOKEN = "item", "dimension", "answer", "grader", "notes", "token"
_ITEM_PREFIX = "item-"  # else spreadsheets would take an id such as 1234567890123e45 for a number


class Grade(NamedTuple):
    """What a person says of an item.

    where: the file and the line. grader: their pseudonym. score: 0 to 1, None where the verdict is unknown.
    """

    where: str
    item: Item
    grader: str
    verdict: str
    score: float | None


@dataclass
class Graded:
    """What the rows of sheets come to.

    grades: of the rows that are right. mistakes: sentences, each with its file and line.
    ungraded: how many rows have no answer yet.
    """

    grades: list[Grade] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    ungraded: int = 0


def graded(rows: Iterable[Row], grader: str = "") -> Graded:
    """Grade the rows by the answers in them; grader: the name of who graded those that don't say."""
    found = Graded()
    told = [(row, _unsealed(row)) for row in rows]
    rubrics = [sealed.rubric for _, sealed in told if isinstance(sealed, Sealed)]
    columns = {column(rubric, question.id) for rubric in rubrics for question in rubric.questions}
    first: dict[tuple[str, str], str] = {}
    for row, sealed in told:
        try:
            grade = _grade(row, sealed, columns, grader)
        except ValueError as error:
            found.mistakes.append(f"{row.where}: {error}")
            continue
        if grade is None:
            found.ungraded += 1
        elif before := first.get((grade.item.id, grade.grader)):
            found.mistakes.append(f"{row.where}: {shown_id(grade.item)} was graded by the same person at {before}")
        else:
            first[grade.item.id, grade.grader] = row.where
            found.grades.append(grade)
    return found


def column(rubric: Rubric, question: str) -> str:
    """The name of the column in which a rubric's question is answered."""
    return f"{rubric.dimension}.{question}".casefold()


def shown_id(item: Item) -> str:
    """The id of an item as a sheet has it."""
    return _ITEM_PREFIX + item.id


def pseudonym(grader: str) -> str:
    """How a grader is known outside of the sheet: by a hash, which the key of semconv.GRADER_KEY makes unguessable.

    Case and spaces don't tell people apart.
    """
    key = os.environ.get(semconv.GRADER_KEY, "").encode()
    return f"grader-{hmac.digest(key, ' '.join(grader.casefold().split()).encode(), 'sha256').hex()[:8]}"


def _unsealed(row: Row) -> Sealed | TokenError:
    try:
        return unseal(row.cells.get(TOKEN, "").strip())
    except TokenError as error:
        return error


def _grade(row: Row, sealed: Sealed | TokenError, columns: Iterable[str], grader: str) -> Grade | None:
    """The grade of a row, None where none of its questions is answered.

    columns: of the questions of all rows. grader: who has graded it, if it does not say.

    Raises:
        ValueError: the row is wrong: one sentence, with the column.
    """
    if isinstance(sealed, TokenError):
        raise sealed
    item, rubric = sealed.item, sealed.rubric
    answers = {name: cell for name in columns if (cell := row.cells.get(name, "").strip())}
    if not answers:
        return None
    named = row.cells.get(ITEM, "").strip()
    if named != shown_id(item):
        raise ValueError(f"{ITEM}: {named!r} is not {shown_id(item)}, whose token this is; valid: rows as exported")
    own = {question.id: column(rubric, question.id) for question in rubric.questions}
    if strange := sorted(answers.keys() - own.values()):
        raise ValueError(f"{strange[0]}: is answered, but the row is about {item.dimension}; valid: an empty cell")
    if missing := [name for name in own.values() if name not in answers]:
        raise ValueError(f"{', '.join(missing)}: is not answered; valid: all questions of a row, or none")
    who = row.cells.get(GRADER, "").strip() or grader
    if not who:
        raise ValueError(f"{GRADER}: is empty; valid: a name, here or as --grader")
    chosen = {each.id: _option(own[each.id], answers[own[each.id]], each.choices) for each in rubric.questions}
    score, verdict, _ = rubric.grade(chosen)
    return Grade(row.where, item, pseudonym(who), verdict, score)


def _option(name: str, answer: str, choices: Iterable[str]) -> str:
    """The option that an answer is, in any case.

    Raises:
        ValueError: it is none.
    """
    options = {choice.casefold(): choice for choice in choices}
    if answer.casefold() in options:
        return options[answer.casefold()]
    near = difflib.get_close_matches(answer.casefold(), options, n=1)
    hint = f"did you mean {options[near[0]]!r}?" if near else f"valid: {', '.join(options.values())}"
    raise ValueError(f"{name}: {answer!r} is no option; {hint}")
