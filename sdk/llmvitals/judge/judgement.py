"""What a judge says of an answer, or of two."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from llmvitals import semconv


@dataclass(frozen=True, slots=True)
class JudgementResult:
    """One judgement, or why there is none.

    score: 0 to 1, 1 is good, worked out from `answers` by the rubric's points; None where there is none.
    verdict: one of semconv.RESULT_VERDICTS; `error` where the judge failed, `unknown` where it could not tell.
    answers: question id -> the option that the judge has chosen.
    explanation: the judge's own words, after its answers; content.
    dimension, rubric: what was judged, and the hash of the rubric's canonical form. model: the judge's.
    raw: the text that the judge sent, or the client's words on a request that failed; content.
    usage: token type (semconv.TOKEN_TYPES) -> tokens, of all attempts.
    cost: US dollars, None where its model has no price, or an answer did not tell its tokens.
    latency: seconds, of all attempts. attempts: requests sent; 0 where something that the rubric needs is not there
        (verdict `unknown`), or the judge is not to be asked now (outcome `failed`, error budget_gone or circuit_open).
    retries: how many of the attempts were made because one before had failed.
    outcome: one of semconv.JUDGE_OUTCOMES.
    error: why there is no judgement, else "": of an invalid answer one of semconv.JUDGE_INVALID_REASONS, of a
        request that failed one of semconv.ERROR_CLASSES, of none sent one of semconv.EVALUATION_DROP_REASONS.
    mode: of semconv.FAILURE_MODES, of a fail whose rubric names one; else "".
    agreed: whether repeats had the same verdict; None where there were none.
    self_family: whether the judge is of the same family as the model that has answered; None where that is not known.
    """

    score: float | None
    verdict: str
    answers: Mapping[str, str]
    explanation: str
    dimension: str
    rubric: str
    model: str
    raw: str
    usage: Mapping[str, int]
    cost: float | None
    latency: float
    attempts: int
    outcome: str
    error: str = ""
    agreed: bool | None = None
    retries: int = 0
    mode: str = ""
    self_family: bool | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which of two answers is better, asked in both orders.

    preferred: "a", "b" or "tie"; "" where there is no judgement in one of the orders.
    consistent: whether both orders said the same; if not, it is a tie. None where `preferred` is "".
    orders: the judgements with a first and with b first; a score over one half is for whichever came first.
    """

    preferred: str
    consistent: bool | None
    orders: tuple[JudgementResult, JudgementResult]


def majority(results: Sequence[JudgementResult]) -> JudgementResult:
    """Repeated judgements as one: what most of them say, of those that have a verdict, and what all of them took.

    The score is the mean of those that say so; two verdicts that are said equally often make an `unknown`.
    """
    if len(results) == 1:
        return results[0]
    votes = Counter(each.verdict for each in results if each.verdict != semconv.FAILED_EVALUATION)
    (verdict, most), *others = votes.most_common() or [(semconv.FAILED_EVALUATION, 0)]
    speaker = next(each for each in results if each.verdict == verdict)
    if others and others[0][1] == most:
        speaker = replace(speaker, verdict=semconv.UNDECIDED, score=None, mode="", answers={}, explanation="")
    elif speaker.score is not None:
        scores = [each.score for each in results if each.verdict == verdict and each.score is not None]
        speaker = replace(speaker, score=fmean(scores))
    usage: Counter[str] = Counter()
    for each in results:
        usage.update(each.usage)
    costs = [each.cost for each in results if each.cost is not None]
    return replace(
        speaker,
        usage=dict(usage),
        cost=sum(costs) if len(costs) == len(results) else None,
        latency=sum(each.latency for each in results),
        attempts=sum(each.attempts for each in results),
        retries=sum(each.retries for each in results),
        agreed=not others if votes.total() > 1 else None,
    )


def compared(a_first: JudgementResult, b_first: JudgementResult) -> Comparison:
    """Two judgements by a rubric's `pairwise`, in both orders, as one comparison."""
    orders = (a_first, b_first)
    if a_first.score is None or b_first.score is None:
        return Comparison("", None, orders)
    for_a, for_b = a_first.score - 0.5, b_first.score - 0.5
    if for_a == for_b == 0:
        return Comparison("tie", True, orders)
    consistent = for_a * for_b < 0
    return Comparison(("a" if for_a > 0 else "b") if consistent else "tie", consistent, orders)
