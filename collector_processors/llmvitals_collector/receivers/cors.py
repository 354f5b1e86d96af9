"""Which pages of the web may send telemetry: cross-origin resource sharing. https://fetch.spec.whatwg.org/#cors-protocol"""

import re
from collections.abc import Mapping

from llmvitals_collector.config import Cors

# What OTLP/HTTP itself needs beyond what is always allowed.
_HEADERS = ("content-type", "content-encoding")


class CorsPolicy:
    def __init__(self, config: Cors) -> None:
        origins = "|".join(re.escape(origin.lower()).replace(r"\*", ".*") for origin in config.allowed_origins)
        self._allowed = re.compile(origins or "(?!)")
        self._headers = ", ".join((*_HEADERS, *config.allowed_headers))
        self._max_age = str(config.max_age_seconds)

    def answer(self, origin: str) -> Mapping[str, str]:
        """The headers of any answer to a page of this origin, so that the page may read it."""
        if not self._allowed.fullmatch(origin.lower()):
            return {}
        return {
            "access-control-allow-origin": origin,
            # navigator.sendBeacon, by which a page that closes sends its last telemetry, always sends credentials
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "retry-after",
            "vary": "origin",
        }

    def preflight(self, origin: str) -> Mapping[str, str]:
        """The headers of the answer to a browser that asks first."""
        if not (headers := self.answer(origin)):
            return {}
        return {
            **headers,
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": self._headers,
            "access-control-max-age": self._max_age,
        }
