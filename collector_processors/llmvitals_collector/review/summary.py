"""What grades say of a judge, and of the graders, in plain words."""

from collections import Counter
from collections.abc import Iterable, Iterator

from llmvitals import semconv
from llmvitals_collector.review.ledger import Entry
from llmvitals_collector.statistics import CALIBRATED_PAIRS, Pairs, kappa


def told(entries: Iterable[Entry]) -> list[str]:
    """A sentence for each judge and rubric, and one for each rubric by which two people have graded an answer.

    Only answers that were drawn at random count, with grades that are pass or fail.
    """
    decided = [entry for entry in entries if entry.uniform and entry.verdict in semconv.DECIDED]
    judges: dict[str, Counter[tuple[str, str]]] = {}
    people: dict[str, Counter[tuple[str, str]]] = {}
    for entry in decided:
        rubric = f"{entry.dimension} (rubric {entry.rubric})"
        if entry.peer:
            people.setdefault(rubric, Counter())[entry.peer, entry.verdict] += 1
        elif entry.judge_verdict in semconv.DECIDED:
            judges.setdefault(f"{rubric}, judge {entry.judge}", Counter())[entry.judge_verdict, entry.verdict] += 1
    return [*_of_judges(judges), *_of_people(people)]


def _of_judges(found: dict[str, Counter[tuple[str, str]]]) -> Iterator[str]:
    for name, verdicts in sorted(found.items()):
        missing = CALIBRATED_PAIRS - verdicts.total()
        need = f"; uncalibrated: {missing} more are needed, {CALIBRATED_PAIRS} in all" if missing > 0 else ""
        yield f"{name}: agrees with people on {_agreement(verdicts)}{need}"


def _of_people(found: dict[str, Counter[tuple[str, str]]]) -> Iterator[str]:
    for name, verdicts in sorted(found.items()):
        yield f"{name}: two people agree on {_agreement(verdicts)}"


def _agreement(verdicts: Counter[tuple[str, str]]) -> str:
    pairs = Pairs(*(verdicts[first, second] for first in semconv.DECIDED for second in semconv.DECIDED))
    n = verdicts.total()
    same = verdicts[semconv.PASS, semconv.PASS] + verdicts[semconv.FAIL, semconv.FAIL]
    beyond = kappa(pairs)
    measured = "no kappa, as all verdicts are alike" if beyond is None else f"kappa {beyond:.2f}"
    return f"{same} of {n} answers ({same / n:.0%}), {measured}"
