"""What happens to calls between decoding and aggregation, in this order.

A processor is a module of one shape, listed here: its docstring is its configuration reference, `...Config` its
frozen settings, and a class whose `process` takes a batch of calls and gives it back, with more columns as a rule.
It works on columns, is never called concurrently, and knows nothing of other processors but their columns.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import msgspec

from llmvitals.semconv import Family
from llmvitals_collector.calls import Calls
from llmvitals_collector.processors.bands import Bands, BandsConfig
from llmvitals_collector.processors.classify import Classify, ClassifyConfig
from llmvitals_collector.processors.normalise import Normalise, NormaliseConfig
from llmvitals_collector.processors.price import PriceConfig, Pricing
from llmvitals_collector.processors.prompt_cache import PromptCache, PromptCacheConfig
from llmvitals_collector.processors.redaction import Redaction, RedactionConfig
from llmvitals_collector.processors.release import ReleaseConfig, Releases
from llmvitals_collector.processors.sampling import Sampling, SamplingConfig
from llmvitals_collector.processors.slo import Slo, SloConfig


class Processor(Protocol):
    def process(self, calls: Calls, /) -> Calls:
        """Work on a batch; if it raises, the failure is counted and the batch goes on without what it did not add."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A processor that knows something of earlier batches which a restart is not to forget."""

    def state(self) -> bytes: ...

    def restore(self, state: bytes, /) -> None:
        """Know what `state` told."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A processor that has gauges of its own."""

    def gauges(self) -> Iterable[tuple[Family, tuple[str, ...], float]]:
        """What they show now: family, label values, value. It may be asked while a batch is worked on."""
        ...


class ProcessorsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to calls before they are counted, in this order."""

    normalise: NormaliseConfig = NormaliseConfig()
    redaction: RedactionConfig = RedactionConfig()
    sampling: SamplingConfig = SamplingConfig()
    classify: ClassifyConfig = ClassifyConfig()
    prompt_cache: PromptCacheConfig = PromptCacheConfig()
    price: PriceConfig = PriceConfig()
    bands: BandsConfig = BandsConfig()
    slo: SloConfig = SloConfig()
    release: ReleaseConfig = ReleaseConfig()


def build(config: ProcessorsConfig) -> dict[str, Processor]:
    """Every processor by its name, in the order in which a batch passes them."""
    return {
        "normalise": Normalise(config.normalise),
        "redaction": Redaction(config.redaction),
        "sampling": Sampling(config.sampling),
        "classify": Classify(config.classify),
        "prompt_cache": PromptCache(config.prompt_cache),
        "price": Pricing(config.price),
        "bands": Bands(config.bands),
        "slo": Slo(config.slo),
        "release": Releases(config.release),
    }
