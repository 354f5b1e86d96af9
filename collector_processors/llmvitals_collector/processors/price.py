"""Says what each call costs, where its sender does not and its model's price is known.

Prices are in US dollars per million tokens, by model; `*` stands for any text, and of several that fit the longest is
taken. A name stands for the model's dated versions, too (`gpt-5` for `gpt-5-2025-08-07`), where nothing else fits them.
The model that answered is looked up first, then the one that was asked for. What is configured here counts before what
stands in the file.

    processors:
      price:
        file: /etc/llmvitals/prices.yaml
        models:
          our-llm-*: {input: 1.25, output: 10, cache_read: 0.125, date: 2026-11-21, source: "the contract"}

The file that is shipped holds list prices of a few models, each with the day on which it was read, and the page. A file
of your own has the same form: `version: 1` and `models:`, in which each price says its `date` and its `source`.
`llm_price_timestamp_seconds` tells the date of each price that has been used, so that an old one can ring. Calls
of a model without a price add nothing to the cost; `llm_collector_unpriced_calls_total` counts them.

Columns: `cost`, in US dollars, and `priced`: whether that is the `sender`'s, by a `configured` price, or `unknown`
though the call tells its tokens; absent where there is nothing to price.

Attributes:
    file: of prices; `shipped` is the one that comes with the collector.
    models: each model's prices.
    override: whether these prices count before what senders tell.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from llmvitals import semconv
from llmvitals.semconv import Family
from llmvitals_collector.calls import Calls
from llmvitals_collector.columns import ABSENT_MEMBER
from llmvitals_collector.prices import SHIPPED, Price, read

_MILLION = 1e6
_SENDER, _CONFIGURED, _UNKNOWN = map(semconv.PRICED.index, (semconv.SENDER, semconv.CONFIGURED, semconv.UNKNOWN))
# How providers write the date of a version: gpt-5-2025-08-07, claude-haiku-4-5-20251001, claude-haiku-4-5@20251001.
_DATE = re.compile(r"[-@]20\d\d(-?)[01]\d\1[0-3]\d$")

Prices = Annotated[dict[str, Price], msgspec.Meta(description="a mapping of models to their prices")]
PriceFile = Annotated[str, msgspec.Meta(description=f"a path, `{SHIPPED}`, or empty for none")]


class PriceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: PriceFile = SHIPPED
    models: Prices = {}
    override: bool = False

    def __post_init__(self) -> None:
        if self.file != SHIPPED:  # which is right, as a test shows
            try:
                read(self.file)
            except ValueError as error:
                raise ValueError(f"file: {error}") from error


class Pricing:
    def __init__(self, config: PriceConfig) -> None:
        self._override = config.override
        self._prices = [*_most_telling_first(config.models), *_most_telling_first(read(config.file))]
        # Each kind of token's price by pattern; what fits no pattern has the first of them.
        per_token = [(np.nan,) * 5, *(_per_token(price) for _, price in self._prices)]
        self._per_token = np.array(per_token).T.copy()
        self._row = lru_cache(4096)(self._row_of)
        self._used: set[int] = set()

    def process(self, calls: Calls) -> Calls:
        told, priced = calls["cost"], np.full(len(calls), np.nan)
        if self._prices:
            rows = calls.of_texts("response_model", self._row, np.int32)
            rows = np.where(rows > 0, rows, calls.of_texts("model", self._row, np.int32))
            priced = _cost(calls, *(prices[rows] for prices in self._per_token))
        by_sender = ~np.isnan(told) & ~(self._override & ~np.isnan(priced))
        ours = ~by_sender & ~np.isnan(priced)
        calls.arrays["cost"] = np.where(by_sender, told, priced)
        unpriced = np.where(np.isnan(calls["input_tokens"]), ABSENT_MEMBER, _UNKNOWN)
        calls.add("priced", np.where(by_sender, _SENDER, np.where(ours, _CONFIGURED, unpriced)))
        if ours.any():
            self._used.update(np.flatnonzero(np.bincount(rows[ours])).tolist())
        return calls

    def gauges(self) -> Iterable[tuple[Family, tuple[str, ...], float]]:
        """The dates of the prices that have been used, in seconds since the epoch: family, label values, value."""
        for row in list(self._used):  # a batch may come meanwhile
            pattern, price = self._prices[row - 1]
            if price.date is not None:
                midnight = datetime.datetime.combine(price.date, datetime.time(), datetime.UTC)
                yield semconv.PRICE_TIMESTAMP, (pattern,), midnight.timestamp()

    def _row_of(self, model: str) -> int:
        return self._fitting(model) or self._fitting(_DATE.sub("", model)) if model else 0

    def _fitting(self, model: str) -> int:
        return next((row for row, (pattern, _) in enumerate(self._prices, 1) if fnmatchcase(model, pattern)), 0)


def _most_telling_first(prices: Mapping[str, Price]) -> list[tuple[str, Price]]:
    return sorted(prices.items(), key=lambda item: len(item[0].replace("*", "")), reverse=True)


def _cost(calls: Calls, *prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """US dollars; prices: of a token of each kind, as `_per_token` has them, for each call. All shapes: (n,)."""
    # What is absent is none: an embedding has no output, nor has an answer that failed.
    kinds = ("output", "cache_read", "cache_write", "reasoning")
    output, read, write, reasoning = (np.fmax(calls[f"{kind}_tokens"], 0.0) for kind in kinds)
    fresh = np.maximum(calls["input_tokens"] - read - write, 0.0)
    plain = np.maximum(output - reasoning, 0.0)
    told = zip((fresh, plain, read, write, reasoning), prices, strict=True)
    cost: NDArray[np.float64] = sum(tokens * price for tokens, price in told)
    return cost


def _per_token(price: Price) -> tuple[float, ...]:
    """US dollars of a token: input, output, cache_read, cache_write, reasoning."""
    of_cache = (price.input if each is None else each for each in (price.cache_read, price.cache_write))
    reasoning = price.output if price.reasoning is None else price.reasoning
    return tuple(float(each or 0.0) / _MILLION for each in (price.input, price.output, *of_cache, reasoning))
