"""A support desk that tries a new prompt on every other question; they come on the standard input, a line each."""

import itertools
import sys

import openai

import llmvitals

PROMPTS = {
    "3": "Answer as our support desk does: short, right and kind, with every step.",
    "4": "Answer in one or two friendly sentences.",
}

llmvitals.instrument()
client = openai.OpenAI()


def answer(question, version):
    with llmvitals.prompt("support-answer", version=version, content="span_only"):
        response = client.chat.completions.create(
            model="gpt-5-mini",
            messages=[{"role": "system", "content": PROMPTS[version]}, {"role": "user", "content": question}],
        )
    return response.choices[0].message.content


for question, version in zip(sys.stdin, itertools.cycle(PROMPTS)):
    print(answer(question.strip(), version))
