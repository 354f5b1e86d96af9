"""Rubrics: the questions by which a judge or a person grades an answer, and how their answers become a score."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from llmvitals import semconv
from llmvitals.judge.instructions import INSTRUCTIONS, UNKNOWN

QUERY, ACTUAL, EXPECTED, CONTEXT = "query", "actual", "expected", "context"
MATERIAL = (QUERY, CONTEXT, EXPECTED, ACTUAL)  # what a rubric may need

# What is answered to a question of a comparison.
FIRST, SAME, SECOND = "first", "same", "second"

_SHIPPED = Path(__file__).parent / "rubrics"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a rubric.

    id: a name, unique in the rubric. ask: its words. options: option -> points, whole numbers from 0.
    mode: of semconv.FAILURE_MODES, in which an answer fails that loses points here; "" for none.
    needed: whether a rubric has no score where it is answered `unknown`; else it then counts for nothing.
    """

    id: str
    ask: str
    options: Mapping[str, int]
    mode: str = ""
    needed: bool = True

    @property
    def most(self) -> int:
        """The most points that an answer can have."""
        return max(self.options.values())

    @property
    def choices(self) -> tuple[str, ...]:
        """Every answer that is one: the options and `unknown`."""
        return (*self.options, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Example:
    """An exchange and how it is graded. material: texts by names of MATERIAL. answers: question id -> option."""

    material: Mapping[str, str]
    answers: Mapping[str, str]


class HumanQuestion(NamedTuple):
    """A question as a form for people shows it; `unknown` is the last of its options."""

    id: str
    ask: str
    options: tuple[str, ...]


class Grade(NamedTuple):
    """What answers come to.

    score: 0 to 1, None where the verdict is unknown. verdict: pass, fail or unknown.
    mode: of semconv.FAILURE_MODES, of a fail; "" where its questions name none.
    """

    score: float | None
    verdict: str
    mode: str


@dataclass(frozen=True)
class Rubric:
    """A versioned rubric.

    name, version, owner, reviewed: who wrote what; they don't change what the judge sees.
    dimension, track: of semconv.DIMENSIONS and semconv.TRACKS, or the user's own dimension.
    needs: names of MATERIAL without which there is no verdict.
    pass_from: how many points an answer needs to pass.
    unknown: when the judge is to choose `unknown`, where the rubric says more of it.
    """

    name: str
    version: str
    dimension: str
    track: str
    needs: tuple[str, ...]
    questions: tuple[Question, ...]
    pass_from: int
    unknown: str = ""
    examples: tuple[Example, ...] = ()
    owner: str = ""
    reviewed: Mapping[str, str] | None = None

    @classmethod
    def load(cls, path: str | Path) -> "Rubric":
        """Read a rubric's file.

        Raises ValueError where it can't be read, or something in it is wrong: one sentence, with file and key.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: is not text in UTF-8") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, source: str = "rubric") -> "Rubric":
        """Read a rubric from YAML; `source` is how mistakes call it. Raises ValueError, as `load` does."""
        from llmvitals.judge import document  # it needs PyYAML, which rubrics made in code do not

        return document.parsed(text, source)

    @classmethod
    def shipped(cls, name: str) -> "Rubric":
        """One of the rubrics that come with llmvitals. Raises ValueError for any other name."""
        names = cls.names()
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(names)}"
            raise ValueError(f"no rubric {name!r} is shipped; {hint}")
        return cls.load(_SHIPPED / f"{name}.yaml")

    @staticmethod
    def names() -> list[str]:
        """The names of the rubrics that are shipped."""
        return sorted(path.stem for path in _SHIPPED.glob("*.yaml"))

    @property
    def points(self) -> int:
        """Of an answer that is the best one to each question."""
        return sum(question.most for question in self.questions)

    @cached_property
    def hash(self) -> str:
        """12 hex digits that change with what the rubric has the judge see, or its score comes of, and nothing else.

        The order of a question's options, which is turned for each answer, is none of it.
        """
        canonical = {
            "instructions": INSTRUCTIONS,
            "dimension": self.dimension,
            "needs": sorted(self.needs),
            "questions": [[each.id, each.ask, dict(each.options), each.needed] for each in self.questions],
            "pass": self.pass_from,
            "unknown": self.unknown,
            "examples": [asdict(example) for example in self.examples],
        }
        form = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(form.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def human_questions(self) -> tuple[HumanQuestion, ...]:
        """The questions for people, who answer what the judge answers."""
        return tuple(HumanQuestion(each.id, each.ask, each.choices) for each in self.questions)

    def grade(self, answers: Mapping[str, str]) -> Grade:
        """What answers come to: question id -> option.

        Raises ValueError where one is missing, or is no option of its question: one sentence.
        """
        got = most = 0
        lost: dict[str, int] = {}
        for question in self.questions:
            answer = answers.get(question.id)
            if answer is None:
                raise ValueError(f"{question.id}: is not answered; valid: {', '.join(question.choices)}")
            if answer not in question.choices:
                near = difflib.get_close_matches(str(answer), question.choices, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(question.choices)}"
                raise ValueError(f"{question.id}: {answer!r} is no option; {hint}")
            if answer != UNKNOWN:
                got += question.options[answer]
                most += question.most
                lost[question.mode] = max(lost.get(question.mode, 0), question.most - question.options[answer])
            elif question.needed:
                return Grade(None, semconv.UNDECIDED, "")
        if most == 0:
            return Grade(None, semconv.UNDECIDED, "")
        if got * self.points >= self.pass_from * most:
            return Grade(got / most, semconv.PASS, "")
        return Grade(got / most, semconv.FAIL, _worst(lost))

    def lacks(self, material: Mapping[str, str]) -> bool:
        """Whether something that it needs is not in `material`, or only as an empty text; an answer may be empty."""
        return not all(material.get(name) for name in self.needs if name != ACTUAL)

    @cached_property
    def pairwise(self) -> "Rubric":
        """The rubric that compares two answers by the same questions: a score over one half is for the first one."""
        questions = tuple(
            replace(
                question,
                ask=f"Which of the two answers is better, when this is asked of each: {question.ask}",
                mode="",
                options={FIRST: 2 * question.most, SAME: question.most, SECOND: 0},
            )
            for question in self.questions
        )
        return replace(self, questions=questions, pass_from=self.points, examples=())


def _worst(lost: Mapping[str, int]) -> str:
    """The mode of the question that lost the most points, of those that have one; the first of several."""
    named = {mode: points for mode, points in lost.items() if mode and points}
    return max(named, key=lambda mode: named[mode], default="")
