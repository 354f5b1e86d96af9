"""What the demo's support desk is asked and knows, and what its models write about it, well or badly."""

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

PAGE = "https://desk.example"  # the origin of the page on which users press what they press

# The prompt of support-answer by its version. The new one was to save tokens.
PROMPTS = {
    "3": "Answer as our support desk does: short, right and kind, with every step, and only by the article.",
    "4": "Answer in one or two friendly sentences.",
}


class Topic(NamedTuple):
    """A question, the article that answers it, and what a model may write.

    good: answers without a flaw. incomplete: leaves a step out. invented: says what the article does not.
    french: a good answer, and of use to who reads French.
    """

    name: str
    question: str
    article: str
    good: tuple[str, ...]
    incomplete: str
    invented: str
    french: str


TOPICS = (
    Topic(
        "order",
        "Where is my order?",
        "Tracking: the link is in the e-mail of the day of dispatch. A parcel takes 2 to 4 working days. After 6 "
        "working days we search for it: reply to that e-mail.",
        (
            "Please open the tracking link in the e-mail that we sent on the day of dispatch. A parcel takes 2 to 4 "
            "working days. If it is not there after 6, reply to that e-mail, and we search for it.",
            "It takes 2 to 4 working days after dispatch, and the link in our e-mail shows where it is. After 6 "
            "working days, just reply to that e-mail, and we start a search.",
        ),
        "Your order is on its way and should be with you soon, so there is nothing to worry about.",
        "Please open the tracking link in our e-mail. Every parcel arrives within 24 hours, and if not, we refund the "
        "whole order at once.",
        "Le lien de suivi est dans notre message du jour de l'expédition. Un colis met de 2 à 4 jours ouvrés. Après 6 "
        "jours, répondez à ce message et nous le cherchons.",
    ),
    Topic(
        "return",
        "How do I return a pair of shoes?",
        "Returns: within 30 days, unworn. Account > Orders > Return prints the label. Bring the parcel to any post "
        "office. The refund comes 5 days after its arrival.",
        (
            "You have 30 days, if they are unworn. In your account choose Orders, then Return, and print the label. "
            "Bring the parcel to any post office; the refund comes 5 days after it has arrived.",
            "Please go to Account, Orders, Return, and print the label there. Any post office takes the parcel within "
            "30 days, and 5 days after its arrival you have your money back.",
        ),
        "You can return unworn shoes within 30 days, and then we send your money back.",
        "In your account choose Orders, then Return, and print the label. A courier collects the parcel at your door, "
        "and you have a whole year for it.",
        "Vous avez 30 jours. Dans votre compte, choisissez Commandes, puis Retour, et imprimez l'étiquette. Portez le "
        "colis à la poste; vous êtes remboursé 5 jours après son arrivée.",
    ),
    Topic(
        "bill",
        "Why was I billed twice?",
        "Billing: a second amount is often a reservation of the bank, which ends after 3 days. If it is still there, "
        "send the two lines of the statement to billing; we pay back within 2 days.",
        (
            "The second amount is most often a reservation of your bank, and ends after 3 days. If it is still there "
            "then, send both lines of your statement to billing, and we pay it back within 2 days.",
            "Please wait 3 days: banks often reserve an amount a second time. Should it stay, send the two lines of "
            "your statement to billing, and you have it back within 2 days.",
        ),
        "That may be a reservation of your bank, which happens now and then when cards are checked.",
        "The second amount is a fee of 5 percent that we charge for payments by card. Send both lines of your "
        "statement to billing if you want to change that.",
        "Le second montant est souvent une réservation de votre banque, qui expire après 3 jours. S'il reste, envoyez "
        "les deux lignes du relevé à la facturation, et nous remboursons sous 2 jours.",
    ),
    Topic(
        "delivery",
        "Can I have the parcel sent to my neighbour?",
        "Delivery: until dispatch the address can be changed in Account > Orders > Address. After it, choose "
        "'neighbour' behind the tracking link, with the name and the number of the house.",
        (
            "Yes. Until dispatch, change the address under Account, Orders, Address. After it, open the tracking link, "
            "choose neighbour, and give the name and the number of the house.",
            "Of course. If it is not dispatched yet, change it in your account under Orders, Address. Else choose "
            "neighbour behind the tracking link, and enter the name and the number of the house.",
        ),
        "Yes, that is possible, and many of our customers like to have it that way.",
        "Yes. Open the tracking link and choose neighbour; our drivers know everybody in your street, and need no "
        "name and no number.",
        "Oui. Avant l'expédition, changez l'adresse dans votre compte sous Commandes, Adresse. Ensuite, choisissez "
        "voisin derrière le lien de suivi, avec le nom et le numéro de la maison.",
    ),
    Topic(
        "voucher",
        "My voucher does not work, what can I do?",
        "Vouchers: one for each order, from 20 euros on, not on reduced goods. Capitals matter. If all that is right, "
        "send the code to vouchers, and a new one comes the same day.",
        (
            "Please check three things: one voucher for each order, an amount of 20 euros or more, and no reduced "
            "goods in it. Type the code in capitals. If that is right, send it to vouchers for a new one today.",
            "A voucher is for orders from 20 euros on, one at a time, and not for reduced goods; capitals matter, too. "
            "If it still fails, send us the code, and you get a new one the same day.",
        ),
        "Vouchers have some conditions, and yours may not fit to one of them.",
        "Please type the code in capitals. You can use as many vouchers together as you like, on everything that we "
        "have, also on reduced goods.",
        "Un bon vaut pour une commande à partir de 20 euros, un seul à la fois, et pas sur les soldes. Respectez les "
        "majuscules. Sinon, envoyez-nous le code, et vous en recevez un autre le jour même.",
    ),
)

EVASIVE = "That depends on many things. Please have a look at our help pages, where all of that is explained."
REFUSAL = "I'm sorry, but I can't help with that request."

# What is wrong with an answer: those questions of the rubrics (llmvitals/judge/rubrics) to which a reader says no.
FLAWS: Mapping[str, frozenset[str]] = {
    EVASIVE: frozenset({"answers", "usable", "parts"}),
    REFUSAL: frozenset({"answers", "usable", "parts"}),
    **{topic.incomplete: frozenset({"usable", "parts"}) for topic in TOPICS},
    **{topic.french: frozenset({"usable"}) for topic in TOPICS},
    **{topic.invented: frozenset({"supported"}) for topic in TOPICS},
    **{good: frozenset() for topic in TOPICS for good in topic.good},
}
# Of an answer that broke off.
CUT = frozenset({"answers", "usable", "parts", "ends"})

# How often support-answer is flawed, and how, by the version of its prompt; else it is good.
_EVASIVE, _REFUSAL, _INCOMPLETE, _FRENCH, _INVENTED = range(5)
_SHARES = {"3": (0.01, 0.0, 0.03, 0.0, 0.03), "4": (0.13, 0.04, 0.2, 0.03, 0.14)}
_NO_JSON_SHARE = 0.06

Writer: TypeAlias = Callable[[Topic, random.Random, str], str]
"""What a model writes about a topic; the last argument is the request, as text."""


def topic_of(text: str) -> Topic:
    """The topic whose question is in the text; the first one where there is none."""
    return next((topic for topic in TOPICS if topic.question in text), TOPICS[0])


def support_answer(topic: Topic, chance: random.Random, request: str) -> str:
    version = next((version for version, prompt in PROMPTS.items() if prompt in request), "3")
    flawed = (EVASIVE, REFUSAL, topic.incomplete, topic.french, topic.invented)
    shares = _SHARES[version]
    [written] = chance.choices((*flawed, chance.choice(topic.good)), (*shares, 1 - sum(shares)))
    return written


def evade(_topic: Topic, _chance: random.Random, _request: str) -> str:
    return EVASIVE


def sort_question(topic: Topic, chance: random.Random, _request: str) -> str:
    if chance.random() < _NO_JSON_SHARE:
        return f"The question is about: {topic.name}."
    return f'{{"topic": "{topic.name}"}}'


def summarize_ticket(topic: Topic, _chance: random.Random, _request: str) -> str:
    return f'The customer asks: "{topic.question}" What our articles say about it: {topic.article}'


def draft_letter(topic: Topic, chance: random.Random, _request: str) -> str:
    return (
        f"Dear customer, thank you for your message, which we have read with care. {chance.choice(topic.good)} "
        "Should anything be left open, or should it turn out otherwise than we have written here, please answer "
        "this letter or call us on any working day between eight and six. With kind regards, your support desk"
    )


def translate_answer(topic: Topic, _chance: random.Random, _request: str) -> str:
    return topic.french
