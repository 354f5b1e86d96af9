"""Whether an answer stops before its end."""

import re

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict

_LIMIT = "length"  # the conventions' finish reason of what the provider has cut
_UNTOLD = ("", "error")  # nobody said why the answer ended, so that only its text can tell
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_FINAL = tuple(".!?…。\uff01\uff1f:;)]}\"'”\u2019»*_`>|")
_SMILEY = re.compile(r"[:;=]-?[(\[]")
_TAIL = 600  # characters, in which a bracket that is still open is one of the last sentence's
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))


def truncation(exchange: Exchange) -> Verdict | None:
    """By the finish reason; where there is none, by a fence or bracket that nothing closes."""
    if exchange.finish_reason == _LIMIT:
        return Verdict(semconv.FAIL, detail="limit")
    if exchange.finish_reason not in _UNTOLD:
        return Verdict(semconv.PASS)
    text = exchange.answer.rstrip()
    if exchange.partial:
        return Verdict(semconv.UNDECIDED)
    if not text:
        return None
    left_open = _left_open(text)
    return Verdict(semconv.FAIL, detail=left_open) if left_open else Verdict(semconv.PASS)


def _left_open(text: str) -> str:
    """What the text leaves open at its end: `fence`, `bracket`, or "" for nothing."""
    if ("```" in text or "~~~" in text) and len(_FENCE.findall(text)) % 2:
        return "fence"
    if text.startswith(("{", "[")):
        return "" if text.endswith(("}", "]", ")")) else "bracket"
    if text.endswith(_FINAL):
        return ""
    tail = _SMILEY.sub("", text[-_TAIL:])
    return "bracket" if any(tail.count(opening) > tail.count(closing) for opening, closing in _BRACKETS) else ""


EVALUATOR = Evaluator("truncation", truncation, mode="truncated")
