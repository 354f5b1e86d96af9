"""The smallest app that is measured: one call, its prompt template, and what its user thinks of the answer."""

import openai

import llmvitals

llmvitals.instrument()

with llmvitals.prompt("support-answer", version="3"):
    response = openai.OpenAI().responses.create(model="gpt-5-mini", input="Where is my parcel?")
print(response.output_text)
llmvitals.feedback(response, "thumb_up")
