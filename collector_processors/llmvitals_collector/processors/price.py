"""Says what each call costs, where its sender does not and a price is configured.

Prices are in US dollars per million tokens, by model; `*` stands for any text, and of several that fit the longest is
taken. The model that answered is looked up first, then the one that was asked for. There are no prices built in: they
would be wrong sooner or later, and nobody would see it.

    processors:
      price:
        models:
          gpt-5*: {input: 1.25, output: 10, cache_read: 0.125}
          text-embedding-3-small: {input: 0.02, output: 0}

Columns: `cost`, in US dollars, and `priced`: whether that is the `sender`'s, by a `configured` price, or `unknown`
though the call tells its tokens; absent where there is nothing to price.

Attributes:
    models: each model's prices.
    override: whether these prices count before what senders tell.
"""

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import ABSENT_MEMBER

_Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Dollars = Annotated[_Dollars | None, msgspec.Meta(description="a number from 0 to 1000000")]
_MILLION = 1e6
_SENDER, _CONFIGURED, _UNKNOWN = map(semconv.PRICED.index, (semconv.SENDER, semconv.CONFIGURED, semconv.UNKNOWN))


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The price of a model, in US dollars per million tokens.

    Attributes:
        input: of those input tokens that are neither read from nor written to the provider's cache.
        output: reasoning included.
        cache_read: as `input` where it is left out.
        cache_write: as `input` where it is left out.
    """

    input: Dollars = None
    output: Dollars = None
    cache_read: Dollars = None
    cache_write: Dollars = None

    def __post_init__(self) -> None:
        for name in ("input", "output"):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: has no price; valid: a number from 0 to 1000000, in USD per million tokens")


Prices = Annotated[dict[str, Price], msgspec.Meta(description="a mapping of models to their prices")]


class PriceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: Prices = {}
    override: bool = False


class Pricing:
    def __init__(self, config: PriceConfig) -> None:
        self._override = config.override
        # The most telling pattern first.
        self._patterns = sorted(config.models, key=lambda pattern: len(pattern.replace("*", "")), reverse=True)
        # Input, output, cache_read, cache_write, each by pattern; what fits no pattern has the first of their prices.
        prices = [(np.nan,) * 4, *(_per_token(config.models[pattern]) for pattern in self._patterns)]
        self._prices = np.array(prices).T.copy()
        self._row = lru_cache(4096)(self._row_of)

    def process(self, calls: Calls) -> Calls:
        told, priced = calls["cost"], np.full(len(calls), np.nan)
        if self._patterns:
            rows = calls.of_texts("response_model", self._row, np.int32)
            rows = np.where(rows > 0, rows, calls.of_texts("model", self._row, np.int32))
            priced = _cost(calls, *(prices[rows] for prices in self._prices))
        by_sender = ~np.isnan(told) & ~(self._override & ~np.isnan(priced))
        calls.arrays["cost"] = np.where(by_sender, told, priced)
        unpriced = np.where(np.isnan(calls["input_tokens"]), ABSENT_MEMBER, _UNKNOWN)
        calls.add("priced", np.where(by_sender, _SENDER, np.where(np.isnan(priced), unpriced, _CONFIGURED)))
        return calls

    def _row_of(self, model: str) -> int:
        fits = (row for row, pattern in enumerate(self._patterns, 1) if fnmatchcase(model, pattern))
        return next(fits, 0) if model else 0


def _cost(calls: Calls, *prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """US dollars; prices: of a token of input, output, cache_read, cache_write, for each call. All shapes: (n,)."""
    # What is absent is none: an embedding has no output, nor has an answer that failed.
    output, read, write = (np.fmax(calls[f"{kind}_tokens"], 0.0) for kind in ("output", "cache_read", "cache_write"))
    fresh = np.maximum(calls["input_tokens"] - read - write, 0.0)
    cost: NDArray[np.float64] = fresh * prices[0] + output * prices[1] + read * prices[2] + write * prices[3]
    return cost


def _per_token(price: Price) -> tuple[float, ...]:
    of_cache = (price.input if each is None else each for each in (price.cache_read, price.cache_write))
    return tuple(float(each or 0.0) / _MILLION for each in (price.input, price.output, *of_cache))
