"""Whether the provider's prompt cache served a call."""

import pytest

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.prompt_cache import PromptCache, PromptCacheConfig


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"cache_read_tokens": 800}, semconv.HIT),
        ({"cache_read_tokens": 800, "cache_write_tokens": 100}, semconv.HIT),
        ({"cache_read_tokens": 0}, semconv.MISS),
        ({"cache_write_tokens": 100}, semconv.MISS),
        ({"cache_write_tokens": 0}, None),
        ({}, None),
    ],
)
def test_a_lookup_is_counted_where_the_answer_tells(row, outcome):
    (code,) = PromptCache(PromptCacheConfig()).process(Calls.from_rows([row]))["prompt_cache"]
    assert (semconv.CACHE_OUTCOMES[code] if code >= 0 else None) == outcome
