"""What heuristics and judges say, as findings."""

from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import version

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS
from llmvitals.evaluators.evaluator import Verdict
from llmvitals.judge import JudgementResult, Rubric
from llmvitals_collector.evaluation.events import Finding
from llmvitals_collector.evaluation.sampling import Draw

_VERSION = version("llmvitals")
_ORDER = {mode: place for place, mode in enumerate(semconv.FAILURE_MODES)}
# A call that tells of its failure may have told these, which are not to count twice.
_OF_CALLS = frozenset(("empty", "refusal", "truncated"))


def of_checks(verdicts: Mapping[str, Verdict], failed: bool) -> list[Finding]:
    """What evaluators have found, as far as it counts somewhere; failed: whether the call itself tells of a failure."""
    new = modes({name: verdict.verdict for name, verdict in verdicts.items()}) - (_OF_CALLS if failed else frozenset())
    primary = "" if failed else _first(new)
    found = (_of_check(name, verdict, new, primary) for name, verdict in verdicts.items())
    return [finding for finding in found if finding is not None]


def _of_check(name: str, verdict: Verdict, new: frozenset[str], primary: str) -> Finding | None:
    evaluator = EVALUATORS[name]
    failing = verdict.verdict == semconv.FAIL
    mode = evaluator.mode if failing and evaluator.mode in new else ""
    finding = partial(Finding, source=semconv.SOURCE_HEURISTIC, evaluator=name, version=_VERSION)
    if evaluator.dimension:
        error = (verdict.detail or semconv.OTHER) if verdict.verdict == semconv.FAILED_EVALUATION else ""
        return finding(
            name=evaluator.dimension,
            label=verdict.verdict,
            score=verdict.score,
            track=semconv.DIMENSIONS.get(evaluator.dimension, ""),
            mode=mode,
            primary=bool(mode) and mode == primary,
            error=error,
            explanation="" if error else verdict.detail,
        )
    if failing and evaluator.kind:
        return finding(name=semconv.USER_FEEDBACK, label=evaluator.kind, score=semconv.FEEDBACK_SCORES[evaluator.kind])
    if mode:
        return finding(name=name, mode=mode, primary=mode == primary, explanation=verdict.detail)
    return None


def modes(checks: Mapping[str, str]) -> frozenset[str]:
    """The modes in which an answer fails by the verdicts of evaluators, by their names."""
    failing = (EVALUATORS[name] for name, verdict in checks.items() if verdict == semconv.FAIL and name in EVALUATORS)
    return frozenset(evaluator.mode for evaluator in failing if evaluator.mode)


def is_odd(checks: Mapping[str, str]) -> bool:
    """Whether one of the evaluators, by name, has found a fault of this answer."""
    return any(
        verdict == semconv.FAIL and (name not in EVALUATORS or EVALUATORS[name].dimension or EVALUATORS[name].mode)
        for name, verdict in checks.items()
    )


def of_judgements(
    judgements: Iterable[tuple[Rubric, JudgementResult]],
    draw: Draw,
    *,
    failed: bool,
    known: frozenset[str],
    explanations: bool,
) -> list[Finding]:
    """What a judge says of an answer.

    failed: whether a failure of it has been told already. known: the modes of that, as far as they are.
    """
    judged = list(judgements)
    # An answer fails in a mode once.
    new = {result.mode: result.rubric for _, result in reversed(judged) if result.mode and result.mode not in known}
    primary = "" if failed or known else _first(new)
    return [
        Finding(
            name=result.dimension,
            source=semconv.SOURCE_JUDGE,
            evaluator=result.model,
            version=rubric.version,
            label=result.verdict,
            score=result.score,
            mode=mode,
            primary=bool(mode) and mode == primary,
            chance=draw.chance,
            stratum=draw.stratum,
            track=rubric.track,
            rubric=result.rubric,
            threshold=rubric.pass_from / rubric.points,
            error=result.error if result.verdict == semconv.FAILED_EVALUATION else "",
            explanation=result.explanation if explanations else "",
        )
        for rubric, result in judged
        for mode in [result.mode if new.get(result.mode) == result.rubric else ""]
    ]


def _first(found: Iterable[str]) -> str:
    """The primary one of several modes."""
    return min(found, key=lambda mode: _ORDER[mode], default="")
