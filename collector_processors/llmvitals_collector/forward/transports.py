"""The way to a destination, by the protocol that it speaks."""

from llmvitals_collector.forward.config import Destination
from llmvitals_collector.forward.transport import Transport


def transport(config: Destination, key: str) -> Transport:
    """A connection for one thread; nothing is sent yet. key: under which the configuration has the destination.

    Raises:
        ConfigError: a file of its TLS cannot be read.
    """
    # Not before there is a destination: `requests` takes four megabytes.
    if config.protocol == "http":
        from llmvitals_collector.forward.otlp_http import Http

        return Http(config, key)
    from llmvitals_collector.forward.otlp_grpc import Grpc

    return Grpc(config, key)
