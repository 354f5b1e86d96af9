"""The users of the demo's app: they ask at random moments and judge some of the answers.

Run as a program until it gets SIGTERM: python -m llmvitals_collector.demo.traffic RATE SEED
At its end it writes how many calls it made, as a line of JSON: {"calls": 121}
"""

import asyncio
import contextlib
import inspect
import json
import random
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import anthropic
import openai

from llmvitals_collector.demo import app

QUESTIONS = (
    "Where is my order?",
    "How do I return a pair of shoes?",
    "Why was I billed twice?",
    "Can I have the parcel sent to my neighbour?",
    "My voucher does not work.",
)
# What is asked of the app, by how often: each makes one call and gives the answer's id, if users see the answer.
Feature: TypeAlias = Callable[[str], Any]
FEATURES: dict[Feature, int] = {
    app.support_answer: 6,
    app.sort_question: 4,
    app.summarize_ticket: 3,
    app.translate_answer: 3,
    app.search_articles: 3,
    app.draft_letter: 1,
}
JUDGED_SHARE = 0.4
LIKED_SHARE = 0.8


async def ask(feature: Feature, question: str, judged: float) -> None:
    """One user's question. judged: uniform in 0 to 1; what the user thinks of the answer."""
    try:
        if inspect.iscoroutinefunction(feature):
            answer_id = await feature(question)
        else:
            answer_id = await asyncio.to_thread(feature, question)
    except (openai.OpenAIError, anthropic.AnthropicError):
        return  # a user who gets no answer judges none
    if answer_id and judged < JUDGED_SHARE:
        app.rate_answer(answer_id, liked=judged < JUDGED_SHARE * LIKED_SHARE)


async def main(rate: float, seed: int) -> None:
    """Asks `rate` times a second on average until SIGTERM, then waits for the answers."""
    loop = asyncio.get_running_loop()
    # Enough threads for every call of the blocking clients to have its own.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=128))
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    chance = random.Random(seed)  # noqa: S311
    async with asyncio.TaskGroup() as users:
        calls = 0
        while not stop.is_set():
            [feature] = chance.choices(list(FEATURES), list(FEATURES.values()))
            users.create_task(ask(feature, chance.choice(QUESTIONS), chance.random()))
            calls += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), chance.expovariate(rate))
    print(json.dumps({"calls": calls}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), int(sys.argv[2])))
