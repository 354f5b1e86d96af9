"""Whether an answer has got into a loop, and says the same again and again until it is cut."""

import re
import zlib

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict

_TAIL = 600  # characters: a loop does not end by itself, so the end of the answer shows it
_SUSPICIOUS = 0.3  # of the tail's bytes are left by zlib; of prose .4 to .7, of tables and JSON .2 to .4
_CERTAIN = 0.05  # of the bytes of one sign or word again and again
_LAST = 40  # characters, which come back where a loop is too long for the tail
_TIMES = 3
_LOOKED_AT = 2_000  # characters, of those that are suspicious
_DISTINCT = 0.35  # of 4-grams; tables and JSON have over .5, a loop of up to 600 characters has less than .3
# Letters of scripts without spaces count as words.
_WORDS = re.compile(r"[぀-ヿ㐀-鿿가-힯฀-๿]|[^\W぀-ヿ㐀-鿿가-힯฀-๿]+")
_FEWEST_WORDS = 40
_GRAM = 4


def repetition(exchange: Exchange) -> Verdict | None:
    """Two steps, so that the usual answer costs the same whatever its length: its end, and only then 4-grams."""
    text = exchange.answer.rstrip()
    if not text:
        return None
    if _loops(text):
        return Verdict(semconv.FAIL)
    return Verdict(semconv.UNDECIDED if exchange.partial else semconv.PASS)


def _loops(text: str) -> bool:
    tail = text[-_TAIL:].encode("utf-8", "replace")
    left = len(zlib.compress(tail, 1)) / len(tail)
    if left < _CERTAIN and len(text) >= _TAIL:
        return True
    end = text[-_LOOKED_AT:]
    if left > _SUSPICIOUS and end.count(end[-_LAST:]) < _TIMES:
        return False
    words = _WORDS.findall(end)
    grams = list(zip(*(words[place:] for place in range(_GRAM)), strict=False))
    return len(words) >= _FEWEST_WORDS and len(set(grams)) < _DISTINCT * len(grams)


EVALUATOR = Evaluator("repetition", repetition, mode="repetition")
