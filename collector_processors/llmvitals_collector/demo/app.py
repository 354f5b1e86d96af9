"""A support desk on the real clients of OpenAI and Anthropic, and what it takes to have it measured."""

import itertools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import anthropic
import openai

import llmvitals
from llmvitals_collector.demo import desk

# Every answer is checked here, in the app; whether its content goes out is for each prompt to say.
llmvitals.instrument(checks=True)

# Without retries, so that rate limits are seen as they are.
gpt = openai.OpenAI(max_retries=0)
async_gpt = openai.AsyncOpenAI(max_retries=0)
claude = anthropic.Anthropic(max_retries=0)
async_claude = anthropic.AsyncAnthropic(max_retries=0)

calls: list[str] = []  # the template of each, as it is made: what is measured is to be the same

FIRST_ANSWERS = 10  # by the prompt as it was; of those that follow, every other by the new one
CACHED_ARTICLES = 2
SUPPORT = llmvitals.Instructions(language="en", max_words=60)

_answers = itertools.count()
_articles: dict[str, str] = {}


class Shown(NamedTuple):
    """An answer before its user. handle: by which the page tells what the user does with it."""

    text: str
    handle: str


async def find_article(question: str) -> str:
    """The article that answers the question: the last ones are cached, others are found by embeddings."""
    about = re.sub(r"\d+", "", question)
    with llmvitals.cache("articles") as lookup, llmvitals.prompt("search-articles", version="1"):
        if about in _articles:
            lookup.hit()
        else:
            lookup.miss()
            calls.append("search-articles")
            await async_gpt.embeddings.create(model="text-embedding-3-small", input=question)
            _articles[about] = desk.topic_of(question).article
            for oldest in list(_articles)[:-CACHED_ARTICLES]:
                del _articles[oldest]
        return _articles[about]


async def support_answer(question: str, article: str) -> Shown:
    """A message, streamed by the async client; its content goes on the span, so that a judge can read it."""
    number = next(_answers)
    version = "3" if number < FIRST_ANSWERS or number % 2 else "4"
    found: list[anthropic.types.MessageParam] = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "find_article", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": article}]},
    ]
    calls.append("support-answer")
    with llmvitals.prompt("support-answer", version=version, content="span_only", instructions=SUPPORT):
        async with async_claude.messages.stream(
            model="claude-sonnet-4-5", max_tokens=500, system=desk.PROMPTS[version], messages=found
        ) as stream:
            answer = await stream.get_final_message()
    return _shown(answer, "".join(block.text for block in answer.content if block.type == "text"))


async def answer_question(question: str, is_helped: Callable[[str], bool]) -> Shown:
    """What a user came for. is_helped: whether the answer is it; a user who does not wait for it has given up."""
    with llmvitals.task("answer-question") as task:
        shown = await support_answer(question, await find_article(question))
        if is_helped(shown.text):
            task.completed()
        else:
            task.failed("not_helped")
    return shown


@llmvitals.prompt("sort-question", version="2")
def sort_question(question: str) -> Shown:
    """A chat completion, in JSON."""
    calls.append("sort-question")
    answer = gpt.chat.completions.create(
        model="gpt-5-nano",
        messages=[
            {"role": "developer", "content": 'Say what the question is about, as JSON: {"topic": "order"}.'},
            {"role": "user", "content": question},
        ],
        response_format={"type": "json_object"},
    )
    return _shown(answer, answer.choices[0].message.content)


@llmvitals.prompt("summarize-ticket", version="5")
def summarize_ticket(question: str) -> Shown:
    """A chat completion, streamed."""
    calls.append("summarize-ticket")
    stream = gpt.chat.completions.create(
        model="gpt-5-mini",
        messages=[
            {"role": "developer", "content": "Summarize the ticket in two sentences."},
            {"role": "user", "content": question},
        ],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    return _shown(chunks[0], "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))


async def draft_letter(question: str) -> Shown:
    """A response, streamed by the async client."""
    calls.append("draft-letter")
    with llmvitals.prompt("draft-letter", version="1"):
        async with async_gpt.responses.stream(
            model="gpt-5",
            instructions="Write a letter that answers the question at length.",
            input=question,
            reasoning={"effort": "medium"},
        ) as stream:
            answer = await stream.get_final_response()
    return _shown(answer, answer.output_text)


@llmvitals.prompt("translate-answer", version="4")
def translate_answer(question: str) -> Shown:
    """A message."""
    calls.append("translate-answer")
    answer = claude.messages.create(
        model="claude-haiku-4-5",
        max_tokens=500,
        system="Translate into French.",
        messages=[{"role": "user", "content": question}],
    )
    return _shown(answer, "".join(block.text for block in answer.content if block.type == "text"))


def _shown(answer: Any, text: str | None) -> Shown:
    return Shown(text or "", llmvitals.handle(answer))
