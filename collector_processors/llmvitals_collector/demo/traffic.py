"""The users of the demo's app: they ask at random moments, give up if it takes too long, and tell what they think.

Run as a program until it gets SIGTERM: python -m llmvitals_collector.demo.traffic RATE SEED COLLECTOR
At its end it writes how many calls it made, as a line of JSON: {"calls": 121}
"""

import asyncio
import contextlib
import json
import random
import signal
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import anthropic
import openai

from llmvitals_collector.demo import app, desk
from llmvitals_collector.demo.grading import flaws_of

CLICKING_SHARE = 0.4
CONTENT_SHARE = 0.95

Feature: TypeAlias = Callable[["User"], Awaitable[tuple[app.Shown, bool]]]
"""Asks the app for something; gives what the user is shown, and whether it is what they came for."""


class User:
    """One user: what they ask, how many seconds they wait, and what they do with the answer."""

    def __init__(self, chance: random.Random) -> None:
        self.question = f"{chance.choice(desk.TOPICS).question} My order is {chance.randrange(10_000, 100_000)}."
        self.patience = chance.expovariate(1 / 25)
        self.mood = chance.random()
        self._clicks = chance.random() < CLICKING_SHARE

    def is_helped(self, text: str) -> bool:
        """Whether the answer helps. Users don't see what is made up, and some are never content."""
        return self.mood < CONTENT_SHARE and flaws_of(text) <= {"supported"}

    def pressed(self, *, helped: bool) -> str:
        """The kind of feedback that they give, or none."""
        kinds = ("thumb_up", "thumb_up", "copy") if helped else ("thumb_down", "thumb_down", "regenerate", "report")
        return kinds[int(self.mood * len(kinds))] if self._clicks else ""


async def ask_support(user: User) -> tuple[app.Shown, bool]:
    answering = app.answer_question(user.question, user.is_helped)
    shown = await asyncio.wait_for(answering, user.patience)
    return shown, user.is_helped(shown.text)


async def ask_for_letter(user: User) -> tuple[app.Shown, bool]:
    return await app.draft_letter(user.question), user.mood < CONTENT_SHARE


def in_thread(feature: Callable[[str], app.Shown]) -> Feature:
    async def ask(user: User) -> tuple[app.Shown, bool]:
        return await asyncio.to_thread(feature, user.question), user.mood < CONTENT_SHARE

    return ask


# What is asked of the app, by how often.
FEATURES: dict[Feature, int] = {
    ask_support: 14,
    in_thread(app.sort_question): 4,
    in_thread(app.summarize_ticket): 3,
    in_thread(app.translate_answer): 3,
    ask_for_letter: 1,
}


async def visit(feature: Feature, user: User, collector: str) -> None:
    """One user's question, and what comes of it."""
    try:
        shown, helped = await feature(user)
    except (openai.OpenAIError, anthropic.AnthropicError, TimeoutError):
        return  # who gets no answer has nothing to press
    if kind := user.pressed(helped=helped):
        with contextlib.suppress(OSError):  # a page shows no more than that it did not work
            await asyncio.to_thread(press, collector, shown.handle, kind)


def press(collector: str, handle: str, kind: str) -> None:
    """What the page does with a click. Raises OSError where the collector does not take it."""
    body = json.dumps({"handle": handle, "kind": kind}).encode()
    headers = {"Origin": desk.PAGE, "Content-Type": "text/plain;charset=UTF-8"}
    request = urllib.request.Request(f"{collector}/v1/feedback", body, headers)  # noqa: S310
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310


async def main(rate: float, seed: int, collector: str) -> None:
    """Asks `rate` times a second on average until SIGTERM, then waits for the answers."""
    loop = asyncio.get_running_loop()
    # Enough threads for every call of the blocking clients to have its own.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=128))
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    chance = random.Random(seed)  # noqa: S311
    async with asyncio.TaskGroup() as users:
        while not stop.is_set():
            [feature] = chance.choices(list(FEATURES), list(FEATURES.values()))
            users.create_task(visit(feature, User(chance), collector))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), chance.expovariate(rate))
    print(json.dumps({"calls": len(app.calls)}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
