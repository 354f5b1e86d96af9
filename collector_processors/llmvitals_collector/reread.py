"""Files that are renewed under a running collector, such as certificates and tokens."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from llmvitals_collector.config import ConfigError

_logger = logging.getLogger(__name__)

T = TypeVar("T")
_Stamp: TypeAlias = list[tuple[int, int, int] | None]


class Reread(Generic[T]):
    """What `read` makes of files: at once, and again when one of them has changed; safe from any thread.

    Raises:
        ConfigError: by `read`, the first time. Later it is logged, and what was read before stays.
    """

    def __init__(self, read: Callable[[], T], files: Iterable[str]) -> None:
        self._read = read
        self._files = [Path(file) for file in files]
        self._stamp = self._stamped()
        self._value = read()

    def current(self) -> T:
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._value = self._read()
            except ConfigError as error:
                _logger.error("%s; what was read before stays", error)  # noqa: TRY400 - one sentence says all
        return self._value

    def _stamped(self) -> _Stamp:
        return [_stamp(file) for file in self._files]


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    # Who renews a file replaces it, or the folder of which it is a part, as Kubernetes does.
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(file: str, key: str) -> bytes:
    """The content of a file that the configuration names under `key`.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{key}: {file} cannot be read: {error.strerror}") from error
