"""The demo's models: what they write, their pace, their prompt caches, and how often they fail."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from llmvitals_collector.demo import desk
from llmvitals_collector.demo.behaviour import Behaviour
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


# As long as nothing is broken, no objective is: nobody is called.
MODELS = {
    "text-embedding-3-small": Model(0.06, input_tokens=24),
    "gpt-5-nano": Model(0.25, writes=desk.sort_question, cached_share=0.3, failures={RATE_LIMITED: 0.006}),
    "gpt-5-mini": Model(
        0.4, writes=desk.summarize_ticket, input_tokens=1800, cached_share=0.6, failures={RATE_LIMITED: 0.004}
    ),
    # The slow one: it thinks for long, and it writes much.
    "gpt-5": Model(
        1.0, writes=desk.draft_letter, spread=0.5, token_seconds=0.02, input_tokens=900, reasoning_share=0.4
    ),
    "claude-sonnet-4-5": Model(0.6, writes=desk.support_answer, input_tokens=2600, cached_share=0.7, broken_share=0.01),
    # The unreliable one.
    "claude-haiku-4-5": Model(
        0.3, writes=desk.translate_answer, token_seconds=0.006, failures={OVERLOADED: 0.018, RATE_LIMITED: 0.008}
    ),
}

# The app uses each model for one prompt template, so the models' laws are the templates', too.
TEMPLATES = {
    "search-articles": "text-embedding-3-small",
    "support-answer": "claude-sonnet-4-5",
    "sort-question": "gpt-5-nano",
    "summarize-ticket": "gpt-5-mini",
    "draft-letter": "gpt-5",
    "translate-answer": "claude-haiku-4-5",
}
