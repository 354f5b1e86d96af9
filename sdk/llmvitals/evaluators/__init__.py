"""The heuristic evaluators, and their verdicts on an exchange in one attribute."""

import importlib
import importlib.util
from collections.abc import Iterable, Mapping

from llmvitals import semconv
from llmvitals.evaluators import (
    empty,
    format_valid,
    instruction_adherence,
    language_match,
    privacy,
    refusal,
    regenerate,
    repetition,
    rephrase,
    truncation,
)
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Instructions, Verdict
from llmvitals.evaluators.language import language_of

__all__ = [
    "EVALUATORS",
    "Evaluator",
    "Exchange",
    "Instructions",
    "Verdict",
    "language_of",
    "missing",
    "read",
    "run",
    "written",
]

# In the order in which they are written. To add one is a file and a line.
EVALUATORS = {
    module.EVALUATOR.name: module.EVALUATOR
    for module in (
        *(empty, refusal, privacy, truncation),
        *(format_valid, language_match, repetition, instruction_adherence, rephrase, regenerate),
    )
}
# What an evaluator can't do without, by the name that it is imported by.
_LIBRARIES = {"language_match": "py3langid", "format_valid": "jsonschema_rs"}


def run(exchange: Exchange, names: Iterable[str] = tuple(EVALUATORS)) -> dict[str, Verdict]:
    """The verdicts of those evaluators that apply, by name, in the order of `names`; one that fails says `error`.

    KeyError where no evaluator has such a name.
    """
    verdicts = {}
    for evaluator in [EVALUATORS[name] for name in names]:
        try:
            verdict = evaluator.evaluate(exchange)
        except Exception as fault:
            verdict = Verdict(semconv.FAILED_EVALUATION, detail=type(fault).__name__)
        if verdict is not None:
            verdicts[evaluator.name] = verdict
    return verdicts


def missing(names: Iterable[str]) -> dict[str, str]:
    """Of the evaluators those that can't do all of their work here, each with the package that it needs."""
    return {
        name: _LIBRARIES[name].replace("_", "-")
        for name in names
        if name in _LIBRARIES and importlib.util.find_spec(_LIBRARIES[name]) is None
    }


def written(verdicts: Mapping[str, Verdict]) -> str:
    """The value of semconv.CHECKS: "format_valid=pass refusal=fail"."""
    return " ".join(f"{name}={verdict.verdict}" for name, verdict in verdicts.items())


def read(checks: str) -> dict[str, str]:
    """Evaluator -> verdict, of a value of semconv.CHECKS.

    Names that are unknown here stay; what is no verdict is left out. Of a name that comes twice the last one counts.
    """
    pairs = (check.partition("=") for check in checks.split())
    return {name: verdict for name, _, verdict in pairs if name and verdict in semconv.RESULT_VERDICTS}
