"""What judging costs, and what it may cost a day."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of each type; cache_read: of input that is cached, None where it costs the same.

    Raises ValueError for a price that is negative or no number.
    """

    input: float
    output: float
    cache_read: float | None = None

    def __post_init__(self) -> None:
        for name in ("input", "output", "cache_read"):
            price = getattr(self, name)
            if price is None and name == "cache_read":
                continue
            if not (isinstance(price, int | float) and 0 <= price < float("inf")):
                raise ValueError(f"price: {name} {price!r} is no number of US dollars for a million tokens")

    def cost(self, usage: Mapping[str, int]) -> float:
        """US dollars. usage: token type -> tokens, where `input` holds what is cached and `output` the reasoning."""
        cached = min(usage.get("cache_read", 0), usage.get("input", 0))
        fresh = usage.get("input", 0) - cached
        read = self.input if self.cache_read is None else self.cache_read
        return (fresh * self.input + cached * read + usage.get("output", 0) * self.output) / 1e6


class Budget:
    """What judging may cost on one day, UTC; several judges may share it. Thread-safe.

    A request is sent while anything is left, so a day can cost as much more as the requests that run when it is
    used up. An answer that doesn't tell its tokens is taken to have one for each four characters; a
    request that failed is taken to have none.

    usd, tokens: a day's, None where that is no limit. clock: seconds since the epoch.
    Raises ValueError for a limit that is not over 0.
    """

    def __init__(
        self, *, usd: float | None = None, tokens: int | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        for name, limit in (("usd", usd), ("tokens", tokens)):
            if limit is not None and not (isinstance(limit, int | float) and 0 < limit < float("inf")):
                raise ValueError(f"budget: {name} {limit!r} is no number over 0")
        self.usd = usd
        self.tokens = tokens
        self._clock = clock
        self._lock = threading.Lock()
        self._day = self._today()
        self._spent_usd = 0.0
        self._spent_tokens = 0

    @property
    def spent_usd(self) -> float:
        """US dollars, since midnight."""
        with self._lock:
            self._begin_day()
            return self._spent_usd

    @property
    def spent_tokens(self) -> int:
        """Input and output, since midnight."""
        with self._lock:
            self._begin_day()
            return self._spent_tokens

    @property
    def left(self) -> float:
        """The share of the day's budget that is left, 0 to 1; of the scarcer of money and tokens."""
        with self._lock:
            self._begin_day()
            shares = [1.0]
            if self.usd is not None:
                shares.append(1 - self._spent_usd / self.usd)
            if self.tokens is not None:
                shares.append(1 - self._spent_tokens / self.tokens)
        return max(min(shares), 0.0)

    def spend(self, tokens: int, usd: float) -> None:
        """Tokens and US dollars are gone."""
        with self._lock:
            self._begin_day()
            self._spent_tokens += tokens
            self._spent_usd += usd

    def _today(self) -> int:
        return int(self._clock() // _DAY)

    def _begin_day(self) -> None:
        if self._today() != self._day:
            self._day, self._spent_tokens, self._spent_usd = self._today(), 0, 0.0
