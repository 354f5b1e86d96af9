"""A circuit breaker: an endpoint that fails again and again is left alone for a while."""

import threading
import time
from collections.abc import Callable

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"


class Breaker:
    """Thread-safe.

        closed ── `failures` in a row ──► open ── `pause` has passed, one request is let through ──► half open
          ▲                                ▲                                                           │ │
          │                                └────────────────────────── it fails ───────────────────────┘ │
          └──────────────────────────────────────────────────────────── it succeeds ─────────────────────┘

    A request that is let through and never heard of again holds the next one up for another pause, and no longer.

    failures: of requests, in a row. pause: seconds. clock: seconds, never backwards.
    """

    def __init__(self, failures: int = 5, pause: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        if failures < 1 or pause <= 0:
            raise ValueError(
                f"breaker: {failures} failures and a pause of {pause} seconds: valid are 1 or more, over 0"
            )
        self._most = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0  # while it is not closed: when the next request may be let through
        self.state = CLOSED

    def ready(self) -> bool:
        """Whether a request would be let through."""
        return self.state == CLOSED or self._clock() >= self._until

    def admit(self) -> bool:
        """Whether the caller may send a request; whoever may is to tell how it ended."""
        with self._lock:
            if self.state == CLOSED:
                return True
            if self._clock() < self._until:
                return False
            self.state = HALF_OPEN
            self._until = self._clock() + self._pause
            return True

    def succeeded(self) -> None:
        """A request was answered."""
        with self._lock:
            self.state, self._failures = CLOSED, 0

    def failed(self) -> None:
        """A request was not answered, and others would not be."""
        with self._lock:
            self._failures += 1
            if self.state == HALF_OPEN or (self.state == CLOSED and self._failures >= self._most):
                self.state = OPEN
                self._until = self._clock() + self._pause
