"""What tokens of a model cost, and the files that say so, with the day and the page of each price."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from llmvitals_collector import document

SHIPPED = "shipped"
_SHIPPED_FILE = Path(__file__).with_name("prices.yaml")

_Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Dollars = Annotated[_Dollars | None, msgspec.Meta(description="a number from 0 to 1000000")]
Day = Annotated[datetime.date | None, msgspec.Meta(description="a day, such as 2026-11-21")]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The price of a model, in US dollars per million tokens.

    Attributes:
        input: of those input tokens that are neither read from nor written to the provider's cache.
        output: of those output tokens that are no reasoning.
        cache_read: as `input` where it is left out.
        cache_write: as `input` where it is left out.
        reasoning: as `output` where it is left out.
        date: when it was read at its source.
        source: where that is, such as the provider's page.
    """

    input: Dollars = None
    output: Dollars = None
    cache_read: Dollars = None
    cache_write: Dollars = None
    reasoning: Dollars = None
    date: Day = None
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("input", "output"):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: has no price; valid: a number from 0 to 1000000, in USD per million tokens")


class ReadPrice(Price, frozen=True):
    """A price in a file: it says when it was read, and where."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.date is None:
            raise ValueError("date: is missing; valid: the day on which the price was read, such as 2026-11-21")
        if not self.source:
            raise ValueError("source: is missing; valid: where the price was read, such as the provider's page")


Version = Annotated[int, msgspec.Meta(ge=1, le=1, description="1, the only version that there is")]
ReadPrices = Annotated[dict[str, ReadPrice], msgspec.Meta(description="a mapping of models to their prices")]


class PriceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of prices.

    Attributes:
        version: of the file's form.
        models: each model's prices.
    """

    version: Version = 1
    models: ReadPrices = {}


def read(file: str) -> Mapping[str, Price]:
    """The prices in a file, by model; SHIPPED is the file that comes with the collector, "" is none.

    Raises:
        ValueError: it cannot be read, or something in it is wrong: one sentence, with the file and the path of the key.
    """
    if not file:
        return {}
    return document.read(_SHIPPED_FILE if file == SHIPPED else Path(file), PriceFile, {}).models
