"""A model of one's own, a cache before it and a task around it: all three are measured."""

import llmvitals

MANUAL = (
    "A parcel can be sent back within 30 days.",
    "A refund is paid within 5 days after the parcel has come back.",
    "An address can be changed until the parcel is on its way.",
)
answers = {}  # question -> id and text of its answer


@llmvitals.observe(model="manual-reader-1", provider="acme")
def generate(question, answer_id):
    """The smallest model there is: it streams the sentence of the manual that has most words of the question."""
    words = set(question.lower().strip("?").split())
    common, sentence = max((len(words & set(sentence.lower().split())), sentence) for sentence in MANUAL)
    tokens = sentence.split() if common > 1 else []
    call = llmvitals.observe.current()
    call.response(id=answer_id, finish_reason="stop")
    call.usage(input=len(words), output=len(tokens))
    yield from tokens


@llmvitals.task("answer-question")
def answer(question):
    with llmvitals.cache("answers") as lookup:
        if question in answers:
            lookup.hit(answers[question]["id"])
        else:
            lookup.miss()
            answer_id = f"answer-{len(answers) + 1}"
            answers[question] = {"id": answer_id, "text": " ".join(generate(question, answer_id))}
    task, text = llmvitals.task.current(), answers[question]["text"]
    if text:
        task.completed()
    else:
        task.failed("no_answer")
    return text or "The manual does not say."


for question in ("When is a refund paid?", "When is a refund paid?", "Who won the match?"):
    print(answer(question))
