"""What the pipeline starts and stops."""

from typing import Protocol

# How long what is in flight may take when the collector stops.
GRACE_SECONDS = 5


class PortError(Exception):
    """An address that cannot be listened on: one sentence, with the key that changes it."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__(
            f"cannot listen on {address}, which is in use or no address of this host; {key} sets another one"
        )


class Server(Protocol):
    """Something that listens. `port` is the port it got, which the configuration may leave open as 0."""

    port: int

    def start(self) -> None:
        """Listen; from here on requests are answered.

        Raises:
            PortError: the address cannot be had.
        """
        ...

    def stop(self) -> None:
        """Take no more requests and finish those in flight; safe without a start, and twice."""
        ...
