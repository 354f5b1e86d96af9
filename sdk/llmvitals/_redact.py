"""What points at a person, or opens a door: found in a text, and replaced in what is captured before it leaves."""

import re
from collections.abc import Callable, Iterator

from llmvitals._content import Redact

# Every pattern takes time that grows with the text's length and no faster: what may repeat is bounded, or
# possessive. Those of numbers begin with a class of characters and look behind after it, because `re`
# then finds where to begin several times as fast.

_EMAIL = re.compile(
    r"[\w.%+-]++(?P<at>@[\w-]++(?:\.[\w-]++)++)?"
)  # or a word that is none, so as not to look at it twice

# Without one of these there is no key, and looking for them takes a twentieth of the pattern's time.
_KEY_MARKS = (
    *("sk-", "k_live", "k_test", "whsec_", "AKIA", "ASIA", "AIza", "glpat-", "xox", "xapp-", "hf_", "gsk_", "npm_"),
    *("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_", "eyJ", "-----BEGIN", "earer", "EARER", "asic", "ASIC"),
)
_KEY = re.compile(
    # As text, or in JSON as text, where a line's end is the two characters \n.
    r"""(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:
      c?sk-(?=[\w-]{0,64}\d)[\w-]{16,}+                     # OpenAI, Anthropic, Cerebras and many others
    | [srp]k_(?:live|test)_\w{16,}+ | whsec_\w{16,}+        # Stripe
    | (?:AKIA|ASIA)[A-Z0-9]{16}                             # AWS
    | AIza[\w-]{30,}+                                      # Google
    | gh[opsur]_\w{20,}+ | github_pat_\w{20,}+ | glpat-[\w-]{16,}+   # GitHub, GitLab
    | (?:xox[a-z]|xapp)-[\w-]{10,}+                         # Slack
    | (?:hf|gsk|npm)_\w{20,}+                               # Hugging Face, Groq, npm
    | eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]++)?               # JSON web tokens
    | (?i:bearer|basic)[ ]{1,4}(?=[\w.~+/=-]{0,64}\d)[\w.~+/=-]{16,}+
    | -----BEGIN\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----[\s\S]*?
      (?:-----END\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
    )""",
    re.VERBOSE,
)
_SIGNATURE = re.compile(  # of a URL that lets in whoever has it
    r"(?i)[?&](?:x-amz-signature|x-amz-credential|x-goog-signature|sig|signature|token|access_token|key|api_key)="
    r"(?P<secret>[^&\s\"'<>\\]{6,}+)"
)

_IBAN = re.compile(
    r"[A-Z](?:(?<![A-Za-z0-9].)|(?<=\\[nrt].))[A-Z]\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])"
)
_LETTERS_AS_DIGITS = str.maketrans({chr(ord("A") + place): str(10 + place) for place in range(26)})

_CARD = re.compile(
    r"[2-6](?<!\d.)(?:\d{12,18}|\d{3}(?P<gap>[ -])(?:\d{6}(?P=gap)\d{5}|\d{4}(?P=gap)\d{4}(?P=gap)\d{1,4}))(?!\d)"
)

_PHONE = re.compile(
    r"[+(0-9](?:(?<![\w.,+/-].)|(?<=[^\d+]\+)|(?<=\\[nrt].))(?:"
    r"(?<=\+)[1-9](?:[ ()./-]{0,2}\d){7,14}"  # +49 30 1234567
    r"|(?<=0)0[1-9](?:[ ()./-]{0,2}\d){7,14}"  # 0049 30 1234567
    r"|(?<=0)[1-9](?:\d{8,9}|\d{0,4}(?:[ -]\d{2,8}){1,4})"  # 030 1234567, 07911 123456, 06 12 34 56 78
    r"|(?<=\()0?\d{2,5}\)(?:[ -]?\d{2,8}){1,4}"  # (030) 1234567, (555) 123-4567
    r"|\d{2}(?P<gap>[ .-])\d{3}(?P=gap)\d{4}"  # 555-123-4567
    r"|(?<=1)(?P<wide>[ .-])\(?\d{3}\)?(?:(?P=wide)|[ ])\d{3}(?P=wide)\d{4}"  # 1-800-555-1234
    r")(?![\d:])"
)
_PHONE_DIGITS = range(9, 16)  # fewer are a date or a price; E.164 ends at 15


def patterns(text: str) -> str:
    """`text` with `[email]`, `[key]`, `[iban]`, `[card]` and `[phone]` where such stood.

    Cards are known by their checksum (ISO/IEC 7812-1), IBANs by theirs (ISO 13616), phone numbers by the
    forms in which people write them: what is only digits, without a leading + or 0, stays.
    """
    return _sought(text)[0]


def found_in(text: str) -> list[tuple[str, str]]:
    """What `patterns` replaces in the text: of each its kind (`email`, `key`, `iban`, `card`, `phone`), and itself."""
    return _sought(text)[1]


def _sought(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text with its findings replaced, and the findings; a kind is not looked for within one before it."""
    findings = []
    for kind, spans in _KINDS:
        kept, end = [], 0
        for start, stop in spans(text):
            findings.append((kind, text[start:stop]))
            kept += [text[end:start], f"[{kind}]"]
            end = stop
        if kept:
            text = "".join([*kept, text[end:]])
    return text, findings


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from (found.span() for found in _EMAIL.finditer(text) if found["at"])


def _signatures(text: str) -> Iterator[tuple[int, int]]:
    if "=" in text:
        yield from (found.span("secret") for found in _SIGNATURE.finditer(text))


def _keys(text: str) -> Iterator[tuple[int, int]]:
    if any(mark in text for mark in _KEY_MARKS):
        yield from (found.span() for found in _KEY.finditer(text))


def _numbers(pattern: re.Pattern[str], length: Callable[[str], int]) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Where the pattern finds a number, as long as `length` says; 0 where it is no such thing."""

    def spans(text: str) -> Iterator[tuple[int, int]]:
        at = 0
        while found := pattern.search(text, at):
            start, taken = found.start(), length(found[0])
            if taken:
                yield start, start + taken
            at = start + (taken or 1)  # what is none may hold one: a year before a card's number

    return spans


def _iban_length(found: str) -> int:
    while found and not _is_iban(found):
        found = found.rpartition(" ")[0]  # a word in capitals may have come after it
    return len(found)


def _is_iban(found: str) -> bool:
    signs = found.replace(" ", "")
    return len(signs) >= 15 and int((signs[4:] + signs[:4]).translate(_LETTERS_AS_DIGITS)) % 97 == 1


def _card_length(found: str) -> int:
    digits = [int(sign) for sign in reversed(found) if sign.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return 0 if (sum(digits[::2]) + sum(doubled)) % 10 else len(found)


def _phone_length(found: str) -> int:
    return len(found) if sum(map(str.isdigit, found)) in _PHONE_DIGITS else 0


_KINDS: tuple[tuple[str, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    ("email", _emails),
    ("key", _signatures),
    ("key", _keys),
    ("iban", _numbers(_IBAN, _iban_length)),
    ("card", _numbers(_CARD, _card_length)),
    ("phone", _numbers(_PHONE, _phone_length)),
)


def redaction(hook: Redact | None) -> Redact:
    """The patterns, and after them the app's own hook.

    Raises RuntimeError where the hook fails: then nothing of the text may leave. Its own message is not
    passed on, since it may quote the text.
    """
    if hook is None:
        return patterns

    def redact(text: str) -> str:
        try:
            redacted = hook(patterns(text))
        except Exception as fault:
            raise RuntimeError(f"redact raised {type(fault).__name__}: content is dropped") from None
        if not isinstance(redacted, str):
            raise TypeError(f"redact returned {type(redacted).__name__}, not str: content is dropped")
        return redacted

    return redact
