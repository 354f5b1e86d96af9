"""Whether an answer says anything: a text, or the call of a tool."""

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"  # they take no room, and `strip` leaves them


def empty(exchange: Exchange) -> Verdict:
    if exchange.tool_calls or exchange.answer.strip().strip(_INVISIBLE).strip():
        return Verdict(semconv.PASS)
    return Verdict(semconv.UNDECIDED if exchange.partial else semconv.FAIL)


EVALUATOR = Evaluator("empty", empty, mode="empty")
