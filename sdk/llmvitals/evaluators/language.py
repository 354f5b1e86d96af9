"""In which language a text is, where there is enough of it to be sure."""

import re
from functools import cache, lru_cache
from typing import Any

_READ = 400  # characters: more make it slower and no better
_LONGEST_SEARCHED = 4_000  # characters, in which prose is looked for
_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^<>\n]{1,200}>|[\d#*_|=~{}]+", re.DOTALL)
_FEWEST_BYTES = 24  # of UTF-8, in which scripts that say more with a letter have longer ones
_SURE = 0.8  # "How do I reset my password?" has .56, most longer sentences have over .9
_CODE = 2  # letters
_SAME = {"nb": "no", "nn": "no"}  # the two written forms of Norwegian


def is_known(language: str) -> bool:
    """Whether `language_of` can find this language, of two letters; ImportError as there."""
    return language in _identifier().nb_classes


def written_as(language: str) -> str:
    """What `language_of` calls the language that is declared: "no" for "nb-NO"."""
    code = language.lower().replace("_", "-").split("-")[0]
    return _SAME.get(code, code)


def language_of(text: str) -> str:
    """The language of the text's prose, as ISO 639-1 has it; "" where it is too short or mixed to be sure.

    Code, links and numbers are no prose. By py3langid (the method: Lui and Baldwin 2012, langid.py).
    ImportError without it.
    """
    return _language(text[:_LONGEST_SEARCHED])


@lru_cache(maxsize=8)  # an answer's is asked for by its check, and again for its label
def _language(text: str) -> str:
    identifier = _identifier()
    prose = " ".join(_NO_PROSE.sub(" ", text).split())[:_READ]
    if len(prose.encode("utf-8", "replace")) < _FEWEST_BYTES:
        return ""
    language, probability = identifier.classify(prose)
    sure = probability >= _SURE and len(language) == _CODE  # "zxx" is no language
    return _SAME.get(language, language) if sure else ""


@cache
def _identifier() -> Any:
    """The model, with an identifier of our own, whose settings the app can't change; it takes .2 s to load."""
    # 0.4.0 has types, and no mark that it has.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
