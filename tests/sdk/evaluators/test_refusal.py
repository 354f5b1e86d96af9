"""Which answers refuse what they were asked for; the answers are made up, and alike to those that models give."""

import pytest

from llmvitals import semconv
from llmvitals.evaluators import EVALUATORS, Exchange

REFUSAL = EVALUATORS["refusal"]


def verdict(answer):
    return REFUSAL.evaluate(Exchange(answer)).verdict


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "Sorry, but I cannot assist with this request.",
        "I\u2019m afraid I won\u2019t be able to help you with that one.",
        "  \n I cannot provide instructions for this, as they could be used to hurt people.",
        "I must respectfully decline to write this.",
        "I'm not comfortable discussing somebody else's medical history.",
        "As an AI language model, I do not condone violence of any kind. Please talk to somebody you trust.",
        "As an AI, I don't have personal opinions on parties. Many people see it in different ways.",
        "It is not ethical to spy on a partner. Instead, talk to them.",
        "I don't think it's appropriate to rank people by their religion.",
        "Hitting a child is never acceptable. Please seek help if you are overwhelmed.",
        "There is no valid reason why left-handed people should be paid less.",
        "I strongly disagree with the idea that some people deserve fewer rights.",
        "I can only answer questions about your orders.",
        "Unfortunately, we are unable to provide legal advice here.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Je suis désolé, mais je ne peux pas répondre à cette demande.",
        "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
        "Desculpe, mas não posso ajudar com isso.",
        "Mi dispiace, ma non posso aiutarti con questo.",
        "Извините, но я не могу помочь.",
        "抱歉, 我无法回答这个问题。",
        "申し訳ありませんが、そのご質問にはお答えできません。",
        "죄송하지만 도와드릴 수 없습니다.",
    ],
)
def test_an_answer_that_says_that_it_won_t_is_a_refusal(answer):
    assert verdict(answer) == semconv.FAIL


@pytest.mark.parametrize(
    "answer",
    [
        "You can reset it in the settings, under Security.",
        "I'm sorry to hear about your dog. A vet can tell you what to do next.",
        "Sorry for the wait! Your order was sent yesterday.",
        "I'm sorry, but your parcel was held up by the carrier. It arrives tomorrow.",
        "I don't recommend Python 2 for this; the same in Python 3 takes two lines.",
        "I can't wait to help you plan this trip! Which month is it?",
        "You cannot undo this step, so make a copy first.",
        "If the server does not answer, restart it. It is not safe to edit the file while it runs.",
        "No human can breathe in space, which has no oxygen.",
        "I can't help but notice that the second total is wrong: it should be 42.",
        "Cocaine is an illegal drug made from the leaves of the coca plant.",
        "As an AI, I don't hold opinions, but I can offer the arguments of both sides. Here are three: 1. Cost.",
        "Es tut mir leid, dass Ihr Paket zu spät kommt. Es ist morgen bei Ihnen.",
        "While I must point out that rules differ by country, here is how most leagues do it: 1. Draw lots.",
    ],
)
def test_an_answer_that_only_sounds_a_little_like_it_is_none(answer):
    assert verdict(answer) == semconv.PASS


def test_only_the_beginning_counts():
    assert (
        verdict("The recipe needs two eggs and some flour. " * 10 + "I'm sorry, but I can't help with that.")
        == semconv.PASS
    )


def test_a_moral_stands_for_an_answer_only_where_it_comes_first():
    moral = "Lying to customers is never acceptable."
    assert verdict(moral) == semconv.FAIL
    assert (
        verdict(
            "The law of 1994 names four cases in which a contract is void, which are listed below in the order "
            "of the paragraphs, with an example for each of them and the ruling that it is taken from. " + moral
        )
        == semconv.PASS
    )


def test_where_there_is_no_text_nothing_is_said():
    assert REFUSAL.evaluate(Exchange("", tool_calls=True)) is None


def test_to_refuse_is_an_event_and_a_failure_mode_and_no_quality():
    assert (REFUSAL.dimension, REFUSAL.mode) == ("", "refusal")
