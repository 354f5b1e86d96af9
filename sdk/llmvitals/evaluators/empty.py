"""Whether an answer has anything to say: a text, the call of a tool, or an image."""

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"  # they take no room, and `strip` leaves them


def empty(exchange: Exchange) -> Verdict:
    if exchange.tool_calls or exchange.media or exchange.answer.strip().strip(_INVISIBLE).strip():
        return Verdict(semconv.PASS)
    return Verdict(semconv.UNDECIDED if exchange.partial else semconv.FAIL)


EVALUATOR = Evaluator("empty", empty, mode="empty")
