"""Whether the user asks again what the answer before was to answer."""

import re

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict

_LONGEST = 600  # characters: what is longer is a document with a question, and documents come again unchanged
_WORD = re.compile(r"\w+")
_AGAIN = 0.6  # of the words of both turns together are in both
_FEWEST = 2
_QUESTION = 4  # words, of which a question has as many where they are all empty; "go on" and "tell me more" have less
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "a about an and any are as at be been but by can could d did do does doing for from get give had has have "
        "hello hey hi how i if in into is it its just let like ll m may me might my need of ok on or our please re s "
        "should so t tell than thank thanks that the their them then there these they this to us ve want was we were "
        "what when where which who why will with would you your"
    )
)


def rephrase(exchange: Exchange) -> Verdict | None:
    """By the share of words in both turns that are in each (Jaccard 1901); it says nothing of the answer at hand.

    Two turns that name different numbers ask for different things. Such a share, empty words left out, tells a
    paraphrase of STS-B from another sentence with an area under the curve of .91, and rapidfuzz's token ratios do no
    better with .90. Which words are empty is known of English only, so that in other languages it sees a little less;
    it does not apply to scripts that set no words apart.
    """
    if not exchange.earlier or max(len(exchange.query), len(exchange.earlier[-1])) > _LONGEST:
        return None
    now, before = (frozenset(_WORD.findall(turn.lower())) for turn in (exchange.query, exchange.earlier[-1]))
    if min(len(now), len(before)) < _FEWEST:  # "yes"
        return None
    if {word for word in now ^ before if word.isdigit()}:
        return Verdict(semconv.PASS)
    meant_now, meant_before = now - _EMPTY_WORDS, before - _EMPTY_WORDS
    if min(len(meant_now), len(meant_before)) < _FEWEST:
        return Verdict(semconv.FAIL if now == before and len(now) >= _QUESTION else semconv.PASS)
    shared = len(meant_now & meant_before) / len(meant_now | meant_before)
    return Verdict(semconv.FAIL if shared > _AGAIN else semconv.PASS)


EVALUATOR = Evaluator("rephrase", rephrase, kind="rephrase")
