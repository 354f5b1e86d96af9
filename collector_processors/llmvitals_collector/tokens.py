"""Bearer tokens, by which a receiver knows its clients. https://www.rfc-editor.org/rfc/rfc6750#section-2.1"""

from hmac import compare_digest

from llmvitals import semconv
from llmvitals_collector.config import SHORTEST_TOKEN, Auth, ConfigError
from llmvitals_collector.receivers import RefusedError
from llmvitals_collector.reread import Reread, read


class BearerTokens:
    """Those that a receiver accepts, which the configuration has under `key`; where it has none, everybody may come.

    Raises:
        ConfigError: the file of tokens cannot be read, or holds none, or too short a one.
    """

    def __init__(self, config: Auth, key: str) -> None:
        self._listed = [token.encode() for token in config.bearer_tokens]
        self._file = config.bearer_tokens_file
        self._key = f"{key}.bearer_tokens_file"
        self._filed = Reread(self._read, [self._file]) if self._file else None

    def check(self, authorization: str) -> None:
        """See that a request's `authorization` is that of a client.

        Raises:
            RefusedError: it is not.
        """
        valid = [*self._listed, *(self._filed.current() if self._filed else ())]
        if not valid:
            return
        scheme, _, token = authorization.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        # All are compared, so that the time taken says nothing of any.
        matches = [compare_digest(given, each) for each in valid]
        if scheme.lower() != "bearer" or not any(matches):
            raise RefusedError(semconv.UNAUTHENTICATED, "the request needs a bearer token that this receiver knows")

    def _read(self) -> list[bytes]:
        tokens = [line.strip() for line in read(self._file, self._key).splitlines() if line.strip()]
        if not tokens or min(map(len, tokens)) < SHORTEST_TOKEN:
            raise ConfigError(
                f"{self._key}: {self._file} is to have a token on each line, of at least {SHORTEST_TOKEN} characters"
            )
        return tokens
