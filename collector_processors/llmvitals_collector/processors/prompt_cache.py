"""Says whether the provider's prompt cache served a part of the prompt.

It has no settings.

Column: `prompt_cache` is `hit` where the answer tells of tokens read from the cache, `miss` where it tells that none
were read or that some were only written, and absent where it tells nothing.
"""

import msgspec
import numpy as np

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import ABSENT_MEMBER

_HIT = semconv.CACHE_OUTCOMES.index(semconv.HIT)
_MISS = semconv.CACHE_OUTCOMES.index(semconv.MISS)


class PromptCacheConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PromptCache:
    def __init__(self, config: PromptCacheConfig) -> None:
        pass

    def process(self, calls: Calls) -> Calls:
        read = calls["cache_read_tokens"]
        # Some senders leave out counts of zero.
        missed = (read == 0) | (calls["cache_write_tokens"] > 0)
        calls.add("prompt_cache", np.where(read > 0, _HIT, np.where(missed, _MISS, ABSENT_MEMBER)))
        return calls
