"""What every heuristic evaluator is: a function from an exchange to a verdict, and what the verdict is about."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

_LANGUAGE = re.compile(r"[A-Za-z]{2}(?:[-_][A-Za-z0-9]{1,8})*")  # with a region or a script, "de-AT"


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a prompt template asks of every answer, as its author declares it; what is not declared is not checked.

    max_words, min_words, max_characters, max_sentences, bullets: of the answer's text. bullets: (fewest, most).
    required, forbidden: phrases, in any case. ending: what the answer ends with.
    language: of the answer, as ISO 639-1 has it ("de", "pt-BR").
    json_schema: which the answer, as JSON, is to conform to.
    Words are what spaces set apart; where a script has none, max_characters says what max_words can't.

    ValueError where an instruction can't be kept by any answer, or is not of its form.
    """

    max_words: int | None = None
    min_words: int | None = None
    max_characters: int | None = None
    max_sentences: int | None = None
    bullets: tuple[int, int] | None = None
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    ending: str | None = None
    language: str | None = None
    json_schema: Any = None

    def __post_init__(self) -> None:
        for name in ("max_words", "min_words", "max_characters", "max_sentences"):
            number = getattr(self, name)
            if number is not None and not _is_count(number):
                raise ValueError(f"{name} is {number!r}; valid is a whole number from 0")
        if self.max_words is not None and self.min_words is not None and self.max_words < self.min_words:
            raise ValueError(f"max_words is {self.max_words}, below min_words, which is {self.min_words}")
        if self.bullets is not None and not _is_range(self.bullets):
            raise ValueError(f"bullets is {self.bullets!r}; valid is (fewest, most), as (3, 5)")
        for name in ("required", "forbidden"):
            phrases = getattr(self, name)
            if not isinstance(phrases, tuple | list) or not all(
                isinstance(each, str) and each.strip() for each in phrases
            ):
                raise ValueError(f"{name} is {phrases!r}; valid is a tuple of phrases, as ('in short',)")
        if self.ending is not None and not (isinstance(self.ending, str) and self.ending.strip()):
            raise ValueError(f"ending is {self.ending!r}; valid is a text")
        if self.language is not None and not (isinstance(self.language, str) and _LANGUAGE.fullmatch(self.language)):
            raise ValueError(f"language is {self.language!r}; valid are two letters, as 'de' or 'pt-BR'")
        if not isinstance(self.json_schema, dict | bool | None):
            raise ValueError(  # noqa: TRY004 - as of all the others
                f"json_schema is a {type(self.json_schema).__name__}; valid is a dict, as {{'type': 'object'}}"
            )


def _is_count(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def _is_range(bounds: Any) -> bool:
    return (
        isinstance(bounds, tuple | list) and len(bounds) == 2 and all(map(_is_count, bounds)) and bounds[0] <= bounds[1]
    )


class Exchange(NamedTuple):
    """A question and its answer, as far as evaluators look at them; "" is what is not known.

    answer: its text, without reasoning. finish_reason: the conventions' word for why it ended.
    query: what the user said last. earlier: what the user said before, oldest first.
    system: the instructions of the app. context: what was retrieved for the answer.
    tool_calls: whether the answer calls tools, and may have no text. media: whether it has an image, sound or a file.
    json: whether the request asked for JSON. partial: whether only the beginning of the answer is known; what its
    rest would decide is then `unknown`. asked_before: whether the very same was asked a short while ago, and answered;
    None where nobody knows.
    """

    answer: str
    finish_reason: str = ""
    query: str = ""
    earlier: tuple[str, ...] = ()
    system: str = ""
    context: str = ""
    tool_calls: bool = False
    media: bool = False
    json: bool = False
    partial: bool = False
    asked_before: bool | None = None
    instructions: Instructions = Instructions()


class Verdict(NamedTuple):
    """What an evaluator says of an exchange.

    verdict: one of semconv.RESULT_VERDICTS. score: 0 to 1, 1 is good; None where there is none beyond the verdict.
    detail: low-cardinality, and never a piece of the text: which instruction, what kind of personal data.
    """

    verdict: str
    score: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """One heuristic.

    name: as it stands in semconv.CHECKS. evaluate: gives None where it does not apply to the exchange.
    dimension: of semconv.DIMENSIONS, in which its verdict counts; "" for what is an event and no quality.
    mode: of semconv.FAILURE_MODES, for a verdict that is `fail`; "" where failing is none.
    kind: of semconv.FEEDBACK_SCORES, which a `fail` shows about the answer before this one; "" for none.
    """

    name: str
    evaluate: Callable[[Exchange], Verdict | None]
    dimension: str = ""
    mode: str = ""
    kind: str = ""
