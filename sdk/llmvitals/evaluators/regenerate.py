"""Whether the user has the very same question answered again."""

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict


def regenerate(exchange: Exchange) -> Verdict | None:
    """Applies where it is known; it says nothing of the answer at hand."""
    if exchange.asked_before is None:
        return None
    return Verdict(semconv.FAIL if exchange.asked_before else semconv.PASS)


EVALUATOR = Evaluator("regenerate", regenerate, kind="regenerate")
