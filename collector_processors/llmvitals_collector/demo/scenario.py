"""How the demo's models behave: what they write, their pace, their prompt caches, and how often they fail.

Run as a program, it is the demo's provider: python -m llmvitals_collector.demo.scenario PORT SEED
"""

import json
import math
import random
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmvitals_collector.demo import desk, grading
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider
from llmvitals_collector.demo.wire import words_of

RATE_LIMITED = 429
OVERLOADED = 529


@dataclass(frozen=True)
class Model:
    """The law by which a model answers; times are seconds.

    first_token_seconds: the median of a lognormal law, where nothing is cached.
    spread: the law's sigma: 68 % lie within a factor of exp(spread) of the median.
    writes: what it says; None for embeddings.
    reasoning_share: the share of the output that is reasoning, which is not told.
    cached_share: how often the beginning of the prompt is found in the cache.
    failures: status -> how often.
    broken_share: how often the answer fails in mid-stream.
    """

    first_token_seconds: float
    spread: float = 0.35
    token_seconds: float = 0.012
    input_tokens: int = 400
    writes: desk.Writer | None = None
    reasoning_share: float = 0.0
    cached_share: float = 0.0
    failures: Mapping[int, float] = field(default_factory=dict)
    broken_share: float = 0.0

    def draw(self, chance: random.Random, request: str) -> Behaviour:
        """The behaviour of one call; request: its JSON."""
        dice = chance.random()
        for status, share in self.failures.items():
            if dice < share:
                return Behaviour(status=status, retry_after_seconds=1.0, headers_after_seconds=0.02)
            dice -= share
        cached = chance.random() < self.cached_share
        text = self.writes(desk.topic_of(request), chance, request) if self.writes else ""
        output_tokens = round(len(words_of(text)) / (1 - self.reasoning_share))
        # What is cached need not be read again, and is most of what comes before the first token.
        median = self.first_token_seconds * (0.4 if cached else 1.0)
        return Behaviour(
            headers_after_seconds=0.02,
            first_token_seconds=chance.lognormvariate(math.log(median), self.spread),
            token_seconds=self.token_seconds,
            input_tokens=self.input_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=self.input_tokens * 4 // 5 if cached else 0,
            reasoning_tokens=output_tokens - len(words_of(text)),
            text=text,
            error_after=output_tokens // 3 if chance.random() < self.broken_share else None,
        )


# The app uses each model for one prompt template, so these are the templates' laws too.
MODELS = {
    "text-embedding-3-small": Model(0.06, input_tokens=24),
    "gpt-5-nano": Model(0.25, writes=desk.sort_question, cached_share=0.3, failures={RATE_LIMITED: 0.05}),
    "gpt-5-mini": Model(
        0.4, writes=desk.summarize_ticket, input_tokens=1800, cached_share=0.6, failures={RATE_LIMITED: 0.03}
    ),
    # The slow one: it thinks for long, and it writes much.
    "gpt-5": Model(
        1.5, writes=desk.draft_letter, spread=0.5, token_seconds=0.02, input_tokens=900, reasoning_share=0.4
    ),
    "claude-sonnet-4-5": Model(0.6, writes=desk.support_answer, input_tokens=2600, cached_share=0.7, broken_share=0.01),
    # The unreliable one.
    "claude-haiku-4-5": Model(
        0.3, writes=desk.translate_answer, token_seconds=0.006, failures={OVERLOADED: 0.15, RATE_LIMITED: 0.08}
    ),
}


class Scenario:
    """Gives each request the behaviour of its model. A model's calls are the same for the same seed, in their order."""

    def __init__(self, seed: int) -> None:
        self._chances = {model: random.Random(f"{seed} {model}") for model in MODELS}  # noqa: S311
        self._judge = grading.Judge(seed)

    def __call__(self, request: dict[str, Any]) -> Behaviour:
        model = request.get("model", "")
        if model == grading.JUDGE:
            text = self._judge(request)
            return Behaviour(first_token_seconds=0.1, input_tokens=700, output_tokens=len(words_of(text)), text=text)
        if model not in MODELS:
            return Behaviour(status=404)
        return MODELS[model].draw(self._chances[model], json.dumps(request, ensure_ascii=False))


if __name__ == "__main__":
    with Provider(Scenario(int(sys.argv[2])), port=int(sys.argv[1])):
        signal.pause()
