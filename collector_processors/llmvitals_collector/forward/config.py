"""Where OTLP is sent to, and with how much patience what is forwarded."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

_HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]+")

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Senders = Annotated[int, msgspec.Meta(ge=1, le=64, description="a whole number from 1 to 64")]
Bytes = Annotated[
    int, msgspec.Meta(ge=1 << 20, le=1 << 40, description="a whole number of bytes from 1048576 to 1099511627776")
]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400, description="a number of seconds above 0, at most 86400")]
Headers = Annotated[
    dict[str, str],
    msgspec.Meta(description="a mapping of names of headers to their values", extra={"secret": True}),
]
File = Annotated[str, msgspec.Meta(description="a path, or empty for none")]
Protocol = Annotated[Literal["grpc", "http"], msgspec.Meta(description="grpc or http")]
Compression = Annotated[Literal["gzip", "none"], msgspec.Meta(description="gzip or none")]
Signals = Annotated[
    tuple[Literal["traces", "logs"], ...], msgspec.Meta(min_length=1, description="a list of traces, logs or both")
]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class DestinationTls(_Section, frozen=True):
    """Of an https endpoint, files in PEM.

    Attributes:
        ca_file: authorities to trust in place of the usual ones.
        cert_file: the certificate to show, where one is asked for.
        key_file: its private key.
    """

    ca_file: File = ""
    cert_file: File = ""
    key_file: File = ""

    def __post_init__(self) -> None:
        if bool(self.cert_file) != bool(self.key_file):
            given, missing = ("cert_file", "key_file") if self.cert_file else ("key_file", "cert_file")
            raise ValueError(f"{missing}: is missing, which belongs to {given}")


class ForwardRetry(_Section, frozen=True):
    """How a request is sent again that the backend could not take for the moment; as the OpenTelemetry Collector does.

    Attributes:
        initial_seconds: the first wait; each is 1.5 times the one before, and varied by half of it.
        max_seconds: the longest wait, unless the backend asks for a longer one.
        total_seconds: after so long a request is given up.
    """

    initial_seconds: Seconds = 5
    max_seconds: Seconds = 30
    total_seconds: Seconds = 300


class Destination(_Section, frozen=True):
    """Something that takes OTLP.

    Attributes:
        endpoint: its URL; https speaks TLS. For HTTP, the path of each signal is appended, such as /v1/traces, for gRPC
            it has a port.
        headers: such as an authorization, best from the environment.
        compression: of what is sent.
        timeout_seconds: for one attempt.
    """

    endpoint: str = ""
    protocol: Protocol = "grpc"
    headers: Headers = {}
    compression: Compression = "gzip"
    timeout_seconds: Seconds = 10
    tls: DestinationTls = DestinationTls()

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.endpoint)
            port, host = parts.port, parts.hostname
        except ValueError:
            port, host = None, None
        if not host or parts.scheme not in ("http", "https"):
            raise ValueError("endpoint: is no URL; valid: one such as https://backend.example:4317")
        # Errors name the endpoint, and no secret.
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("endpoint: has a user, a query or a fragment; valid: put secrets into headers")
        if self.protocol == "grpc" and (not port or parts.path.strip("/")):
            raise ValueError("endpoint: gRPC takes a port and no path; valid: one such as https://backend.example:4317")
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"headers: {name!r} is no name of a header; valid: letters, digits and -")
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"headers: the value of {name} has characters that no header has; valid: ASCII")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint})"


class ForwardConfig(Destination, frozen=True):
    """A backend that gets every accepted request, with all that is in it, messages included.

    Attributes:
        protocol: what came in as JSON goes on as JSON over HTTP, and in protobuf over gRPC.
        signals: what it gets.
        queue_requests: that may wait or be under way; what comes then is not forwarded, and counted.
        queue_bytes: of all those.
        senders: how many requests are under way at a time; they may overtake one another.
    """

    signals: Signals = ("traces", "logs")
    queue_requests: Count = 1000
    queue_bytes: Bytes = 64 << 20
    senders: Senders = 4
    retry: ForwardRetry = ForwardRetry()
