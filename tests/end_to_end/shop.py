"""An app on the real clients, instrumented by one line; calls what its standard input says: `WHAT TEMPLATE COUNT`."""

import concurrent.futures
import contextlib
import sys

import anthropic
import openai

import llmvitals

llmvitals.instrument()
gpt = openai.OpenAI(max_retries=0)
claude = anthropic.Anthropic(max_retries=0)
QUESTION = [{"role": "user", "content": "Where is my parcel?"}]


def chat(model: str = "gpt-x") -> object:
    return gpt.chat.completions.create(model=model, messages=QUESTION)


def other() -> object:
    return chat("gpt-y")


def stream() -> object:
    with claude.messages.stream(model="claude-x", max_tokens=99, messages=QUESTION) as answer:
        return answer.get_final_message()


def embed() -> object:
    return gpt.embeddings.create(model="embed-x", input="Where is my parcel?")


def rated() -> object:
    answer = stream()
    llmvitals.feedback(answer, "thumb_down")
    llmvitals.feedback(answer, "thumb_up")
    return answer


CALLS = {"chat": chat, "other": other, "stream": stream, "embed": embed, "rated": rated}


def call(what: str, template: str) -> None:
    with (
        contextlib.suppress(openai.OpenAIError, anthropic.AnthropicError),
        llmvitals.prompt(template, version="1"),
    ):
        CALLS[what]()


with concurrent.futures.ThreadPoolExecutor(16) as pool:
    for line in sys.stdin:
        what, template, count = line.split()
        list(pool.map(lambda _: call(what, template), range(int(count))))  # noqa: B023 - done before the next line
        print("done", flush=True)
