"""What happens to calls between decoding and aggregation, in this order.

A processor is a module of one shape, listed here: its docstring is its configuration reference, `...Config` its
frozen settings, and a class whose `process` takes a batch of calls and gives it back, with more columns as a rule.
It works on columns, is never called concurrently, and knows nothing of other processors but their columns.
"""

from typing import Protocol

import msgspec

from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.classify import Classify, ClassifyConfig
from llmvitals_collector.processors.prompt_cache import PromptCache, PromptCacheConfig
from llmvitals_collector.processors.slo import Slo, SloConfig


class Processor(Protocol):
    def process(self, calls: Calls, /) -> Calls:
        """Work on a batch; if it raises, the failure is counted and the batch goes on without what it did not add."""
        ...


class ProcessorsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    classify: ClassifyConfig = ClassifyConfig()
    prompt_cache: PromptCacheConfig = PromptCacheConfig()
    slo: SloConfig = SloConfig()


def build(config: ProcessorsConfig) -> dict[str, Processor]:
    """Every processor by its name, in the order in which a batch passes them."""
    return {
        "classify": Classify(config.classify),
        "prompt_cache": PromptCache(config.prompt_cache),
        "slo": Slo(config.slo),
    }
