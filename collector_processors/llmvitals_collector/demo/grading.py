"""How the desk's answers are graded: by a reader, who knows them, and by a judge, who is wrong now and then."""

import json
import random
import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from llmvitals.judge import Rubric
from llmvitals_collector.demo import desk

JUDGE = "judge-1"
RUBRICS = ("helpfulness", "faithfulness")
# How often the judge passes what a reader passes, and fails what a reader fails.
SENSITIVITY, SPECIFICITY = 0.92, 0.75

_ANSWER = re.compile(r"BEGIN the answer to grade \[(\w+)\]\n(.*)\nEND the answer to grade \[\1\]", re.DOTALL)


def flaws_of(text: str) -> frozenset[str]:
    """What is wrong with an answer, by the ids of rubrics' questions."""
    return desk.FLAWS.get(text, desk.CUT)


def chosen(rubric: Rubric, flaws: Collection[str]) -> dict[str, str]:
    """Question id -> option: the worst one where there is a flaw, else the best; of several the last."""
    return {question.id: _option(question.options, worst=question.id in flaws) for question in rubric.questions}


class Judge:
    """A model that grades, as `llmvitals.judge.LLMJudge` asks it. For the same seed it errs on the same answers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rubrics = [Rubric.shipped(name) for name in Rubric.names()]
        self._times: Counter[str] = Counter()

    def __call__(self, request: dict[str, Any]) -> str:
        """What it says to a chat completion's request with a JSON schema; raises LookupError for any other."""
        schema = request["response_format"]["json_schema"]["schema"]
        asked = set(schema["properties"]["answers"]["properties"])
        rubric = next(each for each in self._rubrics if {question.id for question in each.questions} == asked)
        found = _ANSWER.search(request["messages"][-1]["content"])
        if found is None:
            raise LookupError("there is no answer to grade")
        flaws = self._seen(rubric, found[2])
        explanation = f"It falls short in: {', '.join(sorted(flaws))}." if flaws else "It does what was asked."
        return json.dumps({"answers": chosen(rubric, flaws), "explanation": explanation})

    def _seen(self, rubric: Rubric, text: str) -> frozenset[str]:
        """The flaws that it sees, of those that are there."""
        said = f"{self._seed} {rubric.name} {text}"
        self._times[said] += 1
        luck = random.Random(f"{said} {self._times[said]}").random()  # noqa: S311
        there = flaws_of(text) & {question.id for question in rubric.questions}
        if there:
            return there if luck < SPECIFICITY else frozenset()
        return frozenset() if luck < SENSITIVITY else frozenset({rubric.questions[0].id})


def _option(options: Any, *, worst: bool) -> str:
    points = min(options.values()) if worst else max(options.values())
    return str([option for option, each in options.items() if each == points][-1])
