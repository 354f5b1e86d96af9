"""Whether an answer keeps to what its prompt declares: length, form, phrases and ending."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Instructions, Verdict

_BULLET = re.compile(r"^[ \t]{0,12}(?:[-*+•‣\u2013]|\d{1,3}[.)])[ \t]{1,8}\S", re.MULTILINE)
_SENTENCE_END = re.compile(  # it begins with a class and looks behind after it: `re` then finds where to begin faster
    r"[.!?…。\uff01\uff1f](?:(?<=[。\uff01\uff1f])|(?<![.!?…].)(?P<more>[.!?…]*+)[\"')\]”»*_]{0,4}(?=\s|$))"
)
_LAST_WORD = 12  # characters before a full stop, in which an abbreviation has room
_ABBREVIATIONS = frozenset(
    (
        *("etc", "mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "fig", "approx"),
        *("bzw", "ca", "usw", "p.ex", "sr", "sra"),
    )
)
_NO_SENTENCE = ("#", "```", "|", "---")
_WITHOUT_SPACES = "\u2e80"  # from here on are the scripts whose words no spaces set apart


def instruction_adherence(exchange: Exchange) -> Verdict | None:
    """Applies where at least one instruction is declared; language and JSON schema have evaluators of their own.

    score: the share of the declared instructions that are kept. detail: those that are not.
    """
    told = exchange.instructions
    declared = [name for name in _CHECKS if getattr(told, name) not in (None, ())]
    if not declared or (exchange.tool_calls and not exchange.answer.strip()):
        return None
    text = exchange.answer
    broken = [name for name in declared if not _CHECKS[name](text, told)]
    if exchange.partial:  # what its beginning breaks stays broken, and all else is open
        broken = [name for name in broken if name in _BROKEN_FOR_GOOD]
        if not broken:
            return Verdict(semconv.UNDECIDED)
    score = 1 - len(broken) / len(declared)
    return Verdict(semconv.FAIL, score, ",".join(broken)) if broken else Verdict(semconv.PASS, score)


def _sentences(text: str) -> int:
    """Sentences, and lines that end as none, such as a list's; headings and tables are none."""
    return sum(
        max(1, sum(map(_ends_sentence, _SENTENCE_END.finditer(line))))
        for line in map(str.strip, text.splitlines())
        if line and not line.startswith(_NO_SENTENCE)
    )


def _ends_sentence(found: re.Match[str]) -> bool:
    if found[0][0] != "." or found["more"]:
        return True
    before = found.string[max(0, found.start() - _LAST_WORD) : found.start()]
    word = before.rpartition(" ")[2].lstrip("(\"'*_").lower()
    letters = all(len(each) == 1 for each in word.split("."))  # "e.g", "z.B", "U.S", and one's initials
    return not (word in _ABBREVIATIONS or word.isdigit() or letters)


def _bullets(text: str) -> int:
    return len(_BULLET.findall(text))


def _said(phrases: Iterable[str], text: str) -> int:
    """How many of the phrases are said, as whole words, in any case, whatever spaces they are broken at."""
    flat = _flat(text)
    return sum(_flat(phrase) in flat and _phrase(_flat(phrase)).search(flat) is not None for phrase in phrases)


def _flat(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())  # the apostrophe that typesetters use, and models


@lru_cache(maxsize=1024)
def _phrase(phrase: str) -> re.Pattern[str]:
    before = r"(?<!\w)" if phrase[:1].isalnum() and phrase < _WITHOUT_SPACES else ""
    after = r"(?!\w)" if phrase[-1:].isalnum() and phrase[-1:] < _WITHOUT_SPACES else ""
    return re.compile(before + re.escape(phrase) + after)


_CHECKS: dict[str, Callable[[str, Instructions], bool]] = {
    "max_words": lambda text, told: len(text.split()) <= (told.max_words or 0),
    "min_words": lambda text, told: len(text.split()) >= (told.min_words or 0),
    "max_characters": lambda text, told: len(text.strip()) <= (told.max_characters or 0),
    "max_sentences": lambda text, told: _sentences(text) <= (told.max_sentences or 0),
    "bullets": lambda text, told: told.bullets is None or told.bullets[0] <= _bullets(text) <= told.bullets[1],
    "required": lambda text, told: _said(told.required, text) == len(told.required),
    "forbidden": lambda text, told: not _said(told.forbidden, text),
    "ending": lambda text, told: _flat(text.rstrip()[-2 * len(told.ending or "") :]).endswith(_flat(told.ending or "")),
}
_BROKEN_FOR_GOOD = ("max_words", "max_characters", "max_sentences", "forbidden")


EVALUATOR = Evaluator(
    "instruction_adherence", instruction_adherence, dimension="instruction_adherence", mode="instruction_violated"
)
