"""Whether an answer is in the language that its prompt declares, or else in that of the question."""

from llmvitals import semconv
from llmvitals.evaluators.evaluator import Evaluator, Exchange, Verdict
from llmvitals.evaluators.language import is_known, language_of, written_as

# Who reads one of them reads the others, and an identifier mistakes them for each other.
_ALIKE = tuple(map(frozenset, (("da", "no"), ("bs", "hr", "sr"), ("id", "ms", "jv"), ("cs", "sk"), ("gl", "pt", "es"))))
# What people call a language, so that "say it in French" is no question that wants English.
_NAMES = {
    "ar": ("arabic", "العربية"),
    "bg": ("bulgarian", "български"),
    "bn": ("bengali", "bangla", "বাংলা"),
    "ca": ("catalan", "català"),
    "cs": ("czech", "česk", "tschechisch"),
    "da": ("danish", "dansk", "dänisch"),
    "de": ("german", "deutsch", "allemand", "alemán", "tedesc"),
    "el": ("greek", "ελληνικά", "griechisch"),
    "en": ("english", "englisch", "anglais", "inglés", "inglese", "inglês", "английск", "英語", "英语", "영어"),
    "es": ("spanish", "español", "spanisch", "espagnol", "spagnol", "espanhol"),
    "et": ("estonian", "eesti"),
    "fa": ("persian", "farsi", "فارسی"),
    "fi": ("finnish", "suomi", "suomeksi", "finnisch"),
    "fr": ("french", "français", "französisch", "francés", "francese", "francês"),
    "he": ("hebrew", "עברית"),
    "hi": ("hindi", "हिन्दी", "हिंदी"),
    "hr": ("croatian", "hrvatsk"),
    "hu": ("hungarian", "magyar", "ungarisch"),
    "id": ("indonesian", "bahasa"),
    "it": ("italian", "italiano", "italienisch", "italien"),
    "ja": ("japanese", "日本語", "日语", "japanisch", "japonais", "japonés"),
    "ko": ("korean", "한국어", "koreanisch", "coréen"),
    "la": ("latin",),
    "lt": ("lithuanian", "lietuvi"),
    "lv": ("latvian", "latvie"),
    "ms": ("malay", "melayu"),
    "nl": ("dutch", "nederlands", "niederländisch", "néerlandais", "flemish"),
    "no": ("norwegian", "norsk", "norwegisch"),
    "pl": ("polish", "polsk", "polnisch", "polonais"),
    "pt": ("portuguese", "português", "portugiesisch", "portugais", "portugués"),
    "ro": ("romanian", "român", "rumänisch"),
    "ru": ("russian", "русск", "russisch", "russe", "ruso"),
    "sk": ("slovak", "slovensk"),
    "sl": ("slovenian", "slovene"),
    "sr": ("serbian", "srpsk", "српск"),
    "sv": ("swedish", "svensk", "schwedisch", "suédois"),
    "sw": ("swahili", "kiswahili"),
    "ta": ("tamil", "தமிழ்"),
    "th": ("thai", "ไทย"),
    "tr": ("turkish", "türkçe", "türkisch", "turc"),
    "uk": ("ukrainian", "українськ"),
    "ur": ("urdu", "اردو"),
    "vi": ("vietnamese", "tiếng việt"),
    "zh": ("chinese", "mandarin", "中文", "汉语", "中国語", "chinesisch", "chinois", "chino"),
}
_SEARCHED = 4_000  # characters of a text, in which a language's name is looked for
_EDGE = 300  # characters at either end of a text


def language_match(exchange: Exchange) -> Verdict | None:
    """Applies where both languages are sure. Needs py3langid.

    A question wants its own language, unless it, an earlier one or the app names that of the answer. One that
    begins and ends in two languages, such as an instruction and the text that it is about, wants neither.
    detail: both languages of a mismatch, or `language_unknown` where a language is declared that can't be told.
    """
    declared = written_as(exchange.instructions.language or "")
    try:
        spoken = language_of(exchange.answer)
        wanted = declared or (spoken and _asked_in(exchange.query))
    except ImportError:
        return None
    if declared and not is_known(declared):  # such as "jp", which is a country
        return Verdict(semconv.FAILED_EVALUATION, detail="language_unknown")
    if not spoken:
        return Verdict(semconv.UNDECIDED) if declared and exchange.answer.strip() else None
    if not wanted:
        return None
    if spoken == wanted or any({spoken, wanted} <= alike for alike in _ALIKE):
        return Verdict(semconv.PASS, 1.0)
    if not declared and _is_named(spoken, exchange):
        return Verdict(semconv.PASS, 1.0)
    return Verdict(semconv.FAIL, 0.0, f"{spoken} for {wanted}")


def _asked_in(query: str) -> str:
    """The language of a short question; of a long one that of its first line, if its end has the same."""
    if len(query) <= _EDGE:
        return language_of(query)
    begins = language_of(query.lstrip()[:_EDGE].partition("\n")[0])
    return begins if begins and language_of(query[-_EDGE:]) == begins else ""


def _is_named(language: str, exchange: Exchange) -> bool:
    texts = (exchange.query, exchange.system, *exchange.earlier[-1:])
    said = "\n".join(text[:_SEARCHED] + text[-_EDGE:] for text in texts).lower()
    return language not in _NAMES or any(name in said for name in _NAMES[language])


EVALUATOR = Evaluator("language_match", language_match, dimension="language_match", mode="language_mismatch")
