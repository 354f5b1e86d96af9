"""Whether an answer is in the language that was declared or asked in, and which language a text is in."""

import sys

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange, Instructions, Verdict, language, language_of

ENGLISH = "You can return the shoes within thirty days, and we will pay you back the full price."
GERMAN = "Sie können die Schuhe innerhalb von dreißig Tagen zurückgeben und bekommen den vollen Preis erstattet."
FRENCH = "Vous pouvez rendre les chaussures dans les trente jours, et nous vous rembourserons le prix."
QUESTION = "Can I return these shoes, and how long do I have until then?"


def verdict(answer, query="", declared=None, **exchange):
    return EVALUATORS["language_match"].evaluate(
        Exchange(answer, query=query, instructions=Instructions(language=declared), **exchange)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        (FRENCH, "fr"),
        ("¿Puedo devolver estos zapatos si no los he usado todavía?", "es"),
        ("Posso restituire queste scarpe se non le ho ancora usate?", "it"),
        ("このアプリのパスワードをリセットするにはどうすればいいですか", "ja"),
        ("비밀번호를 어떻게 재설정하나요?", "ko"),
        ("Kan jeg levere tilbake skoene hvis jeg ikke har brukt dem ennå?", "no"),
        ("```python\nfor name in names:\n    print(name)\n```\n" + GERMAN, "de"),
        ("ok", ""),
        ("12 + 30 = 42, 7 * 6 = 42, 84 / 2 = 42, 50 - 8 = 42", ""),
        ("```\nwhile the cat is away the mice will play\n```", ""),
        ("asdf qwer zxcv lkjh poiu mnbv", ""),
        ("", ""),
    ],
)
def test_a_text_s_language_is_told_where_it_is_sure(text, expected):
    assert language_of(text) == expected


def test_an_answer_in_the_language_of_the_question_passes_and_in_another_fails():
    assert verdict(ENGLISH, QUESTION) == Verdict(semconv.PASS, 1.0)
    assert verdict(GERMAN, QUESTION) == Verdict(semconv.FAIL, 0.0, "de for en")


@pytest.mark.parametrize("query", ["How do you say in French that I can return the shoes within thirty days?"])
def test_a_question_that_names_another_language_may_be_answered_in_it(query):
    assert verdict(FRENCH, query).verdict == semconv.PASS
    assert verdict(GERMAN, query).verdict == semconv.FAIL


def test_the_app_s_instructions_may_name_it_too():
    assert verdict(GERMAN, QUESTION, system="Always answer in German.").verdict == semconv.PASS
    assert verdict(GERMAN, QUESTION, earlier=("Auf Deutsch, bitte.",)).verdict == semconv.PASS


def test_what_is_declared_counts_before_the_question():
    assert verdict(ENGLISH, QUESTION, declared="de-AT") == Verdict(semconv.FAIL, 0.0, "en for de")
    assert verdict(GERMAN, QUESTION, declared="DE").verdict == semconv.PASS


def test_a_question_about_a_text_in_another_language_wants_neither():
    assert verdict(FRENCH, f"{QUESTION}\n\n" + 6 * FRENCH) is None
    assert verdict(ENGLISH, "Sum up:\n\n" + 6 * FRENCH) is None
    assert verdict(GERMAN, f"{QUESTION}\n\n" + 6 * ENGLISH).verdict == semconv.FAIL


@pytest.mark.parametrize(("answer", "query"), [("42", QUESTION), (ENGLISH, "shoes?"), (ENGLISH, "")])
def test_where_either_language_is_unsure_nothing_is_said(answer, query):
    assert verdict(answer, query) is None


def test_a_declared_language_that_can_t_be_told_is_undecided():
    assert verdict("42", declared="en") == Verdict(semconv.UNDECIDED)
    assert verdict("", declared="en", tool_calls=True) is None


@pytest.mark.parametrize("declared", ["no", "nb", "nn-NO"])
def test_norwegian_has_three_codes(declared):
    norwegian = "Vi har mottatt bestillingen din, og den blir sendt til deg i løpet av de neste dagene."
    assert verdict(norwegian, declared=declared) == Verdict(semconv.PASS, 1.0)


def test_a_declared_language_that_nobody_knows_is_an_error_and_no_mismatch():
    assert verdict(ENGLISH, declared="jp") == Verdict(semconv.FAILED_EVALUATION, detail="language_unknown")


def test_languages_that_their_speakers_share_are_no_mismatch():
    norwegian = "Kan jeg levere tilbake skoene hvis jeg ikke har brukt dem ennå, og hvor lang tid har jeg?"
    assert verdict(norwegian, declared="da").verdict == semconv.PASS


def test_without_the_library_it_does_not_apply(monkeypatch):
    for cached in (language._identifier, language._language):
        cached.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    assert verdict(ENGLISH, QUESTION) is None
    with pytest.raises(ImportError):
        language_of(ENGLISH)
