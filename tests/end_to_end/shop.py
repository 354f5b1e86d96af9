"""An app on the real clients, instrumented by one line; calls what its standard input says: `WHAT TEMPLATE COUNT`.

When they have ended it writes a line: of each stream, as JSON, the seconds to its first word and to its end.
"""

import concurrent.futures
import contextlib
import json
import sys
from time import perf_counter

import anthropic
import openai

import llmvitals

llmvitals.instrument()
gpt = openai.OpenAI(max_retries=0)
claude = anthropic.Anthropic(max_retries=0)
QUESTION = [{"role": "user", "content": "Where is my parcel?"}]
seen: list[tuple[float, float]] = []


def chat(model: str = "gpt-x") -> object:
    return gpt.chat.completions.create(model=model, messages=QUESTION)


def other() -> object:
    return chat("gpt-y")


def stream() -> object:
    started = perf_counter()
    with claude.messages.stream(model="claude-x", max_tokens=99, messages=QUESTION) as answer:
        next(answer.text_stream)
        first = perf_counter()
        whole = answer.get_final_message()
    seen.append((first - started, perf_counter() - started))
    return whole


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
        print(json.dumps(seen), flush=True)
        seen.clear()
