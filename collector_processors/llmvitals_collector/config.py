"""The collector's configuration: every section, key, default and range."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from llmvitals.semconv import FEEDBACK_SCORES
from llmvitals_collector import document
from llmvitals_collector.debug import DebugConfig
from llmvitals_collector.document import keys
from llmvitals_collector.evaluation.config import EvaluationConfig
from llmvitals_collector.forward.config import ForwardConfig
from llmvitals_collector.processors import ProcessorsConfig
from llmvitals_collector.push.config import PushConfig
from llmvitals_collector.receivers.kafka.config import KafkaReceiver
from llmvitals_collector.storage import StorageConfig

SHORTEST_TOKEN = 16

_PORT = r"([0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
Address = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^([\w.-]+|\[[\da-fA-F:.]+\]):{_PORT}$", description="a host and a port, such as 127.0.0.1:4317"
    ),
]
RequestBytes = Annotated[
    int, msgspec.Meta(ge=1024, le=1 << 30, description="a whole number of bytes from 1024 to 1073741824")
]
InFlightBytes = Annotated[
    int, msgspec.Meta(ge=1 << 20, le=1 << 40, description="a whole number of bytes from 1048576 to 1099511627776")
]
LabelSetLimit = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
# Five labels of so many values make less than 2**63 label sets.
LabelValueLimit = Annotated[int, msgspec.Meta(ge=1, le=5000, description="a whole number from 1 to 5000")]
ExpirySeconds = Annotated[
    int, msgspec.Meta(ge=0, le=31_536_000, description="a whole number of seconds from 0 to 31536000")
]
File = Annotated[str, msgspec.Meta(description="a path, or empty for none")]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400, description="a whole number of seconds from 0 to 86400")]
Token = Annotated[str, msgspec.Meta(pattern=rf"^[!-~]{{{SHORTEST_TOKEN},}}$")]
Tokens = Annotated[
    tuple[Token, ...],
    msgspec.Meta(
        description=f"a list of tokens, each of at least {SHORTEST_TOKEN} visible ASCII characters",
        extra={"secret": True},
    ),
]
Origin = Annotated[str, msgspec.Meta(pattern=r"^(\*|https?://[^/\s]+)$")]
Origins = Annotated[
    tuple[Origin, ...],
    msgspec.Meta(description="a list of origins such as https://shop.example or https://*.shop.example, or of *"),
]
Header = Annotated[str, msgspec.Meta(pattern=r"^[\w!#$%&'*+.^`|~-]+$")]
Headers = Annotated[tuple[Header, ...], msgspec.Meta(description="a list of names of headers")]
FeedbackKinds = Annotated[tuple[str, ...], msgspec.Meta(description="a list of kinds of feedback")]
Rate = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Hops = Annotated[int, msgspec.Meta(ge=0, le=16, description="a whole number from 0 to 16")]
Backends = Annotated[
    dict[str, ForwardConfig],
    msgspec.Meta(description="a mapping of names to backends, which get every accepted request as it came"),
]
Destinations = Annotated[
    dict[str, PushConfig],
    msgspec.Meta(description="a mapping of names to destinations, which get what /metrics shows as OTLP metrics"),
]

T = TypeVar("T")
# What is given to the outside at the start, and stays until the next.
Fixed = Annotated[T, msgspec.Meta(extra={"restart": True})]


class ConfigError(Exception):
    """A mistake in the configuration: one sentence, with the file and the path of the key."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of every section: what is left out has its default, what is not known is refused."""


class Tls(Section, frozen=True):
    """TLS, from files in PEM; without them, none. A file that has changed is read again with the next connection.

    Attributes:
        cert_file: the certificate, and those between it and its authority.
        key_file: its private key, which has no passphrase.
        client_ca_file: authorities; clients then have to show a certificate of one of them.
    """

    cert_file: File = ""
    key_file: File = ""
    client_ca_file: File = ""

    def __post_init__(self) -> None:
        if bool(self.cert_file) != bool(self.key_file):
            given, missing = ("cert_file", "key_file") if self.cert_file else ("key_file", "cert_file")
            raise ValueError(f"{missing}: is missing, which belongs to {given}")
        if self.client_ca_file and not self.cert_file:
            raise ValueError("cert_file: is missing, without which client_ca_file has no effect")


class Auth(Section, frozen=True):
    """Bearer tokens that are accepted; without any, everybody is. Several, so that one can be replaced by the next.

    Attributes:
        bearer_tokens: best from the environment, as `["${env:TOKEN}"]`.
        bearer_tokens_file: one on each line. A file that has changed is read again with the next request.
    """

    bearer_tokens: Tokens = ()
    bearer_tokens_file: File = ""

    def __repr__(self) -> str:
        return "Auth(...)"


class Cors(Section, frozen=True):
    """Which web pages may send telemetry from a browser.

    Attributes:
        allowed_origins: of the pages; `*` stands for anything.
        allowed_headers: beyond Content-Type and Content-Encoding, such as Authorization.
        max_age_seconds: how long browsers need not ask again.
    """

    allowed_origins: Origins = ()
    allowed_headers: Headers = ()
    max_age_seconds: Seconds = 7200


class GrpcReceiver(Section, frozen=True):
    """OTLP over gRPC: traces and logs; plain, gzip or deflate.

    Attributes:
        address: where it listens; port 0 takes a free one.
        max_request_bytes: of one request, as sent and again once inflated.
    """

    address: Fixed[Address] = "127.0.0.1:4317"
    max_request_bytes: Fixed[RequestBytes] = 16 << 20
    tls: Fixed[Tls] = Tls()
    auth: Auth = Auth()


class HttpReceiver(Section, frozen=True):
    """OTLP over HTTP: POST /v1/traces and /v1/logs; protobuf or JSON; plain, gzip, deflate or zstd.

    Attributes:
        address: where it listens; port 0 takes a free one.
        max_request_bytes: of one request, as sent and again once inflated.
    """

    address: Fixed[Address] = "127.0.0.1:4318"
    max_request_bytes: Fixed[RequestBytes] = 16 << 20
    tls: Fixed[Tls] = Tls()
    auth: Auth = Auth()
    cors: Cors = Cors()


class FeedbackReceiver(Section, frozen=True):
    """Users' feedback on answers: POST /v1/feedback, and GET /feedback.js for web pages, at the address of `http`.

    Who has an answer's handle may give feedback on it, and needs no token: the SDK has signed the handle. Its keys are
    those of the environment variable LLMVITALS_HANDLE_KEY, as in the app; without it no feedback is taken. A page's
    origin has to be among those of `cors`, even where it is the collector's own; without one, pages send nothing.

    Attributes:
        kinds: that are taken, each once for an answer.
        client_requests_per_minute: from one address; of IPv6, from one network of 64 bits.
        answer_requests_per_minute: on one answer.
        trusted_proxies: how many proxies stand before the collector that add to X-Forwarded-For, by which it then
            knows its clients' addresses. With 0 it does not look at that header, as anybody can send it.
    """

    kinds: FeedbackKinds = tuple(FEEDBACK_SCORES)
    client_requests_per_minute: Rate = 300
    answer_requests_per_minute: Rate = 30
    trusted_proxies: Hops = 0
    cors: Cors = Cors()

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in FEEDBACK_SCORES:
                near = get_close_matches(kind, FEEDBACK_SCORES, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(FEEDBACK_SCORES)}"
                raise ValueError(f"kinds: {kind!r} is unknown; {hint}")


class Receivers(Section, frozen=True):
    """The ways in.

    Attributes:
        max_in_flight_bytes: of all requests that are not answered yet, inflated ones counted twice; what comes then is
            refused until there is room, and its client sends it again. At least twice the largest max_request_bytes.
    """

    max_in_flight_bytes: InFlightBytes = 64 << 20
    grpc: GrpcReceiver = GrpcReceiver()
    http: HttpReceiver = HttpReceiver()
    feedback: FeedbackReceiver = FeedbackReceiver()
    kafka: Fixed[KafkaReceiver] = KafkaReceiver()

    def __post_init__(self) -> None:
        out_of_kafka = self.kafka.max_message_bytes if self.kafka.brokers else 0
        largest = max(self.grpc.max_request_bytes, self.http.max_request_bytes, out_of_kafka)
        # And what a request holds beside its body.
        if self.max_in_flight_bytes < 2 * largest + (64 << 10):
            raise ValueError(
                f"max_in_flight_bytes: {self.max_in_flight_bytes} is not enough for one request of {largest} bytes"
                f" and what it inflates to; valid: {2 * largest + (64 << 10)} or more"
            )


class Metrics(Section, frozen=True):
    """The way out: /metrics, for Prometheus to scrape; /healthz and /readyz, for probes; and a page at /, for people.

    Attributes:
        address: where it listens; port 0 takes a free one.
        native_histograms: for a Prometheus that asks for them, with `scrape_native_histograms`.
        classic_histograms: buckets with fixed bounds, for any other, and beside the native ones.
        page: whether there are the page, which remembers an hour, and the runbooks.
        catalogue: of which the page has the floors of quality; without a path, of the one that ships.
    """

    address: Fixed[Address] = "127.0.0.1:9464"
    tls: Fixed[Tls] = Tls()
    native_histograms: Fixed[bool] = True
    classic_histograms: Fixed[bool] = True
    page: Fixed[bool] = True
    catalogue: Fixed[File] = ""

    def __post_init__(self) -> None:
        if not (self.native_histograms or self.classic_histograms):
            raise ValueError("classic_histograms: is off, as native_histograms is; one of them has to be true")


class Limits(Section, frozen=True):
    """What bounds the memory.

    Attributes:
        label_sets: that each metric tells apart; later ones go to its overflow series.
        label_values: that each label tells apart; later ones become `__overflow__`, the other labels stay.
        expire_after_seconds: how long a label set stays without a call, before it makes room for others; 0 is forever.
    """

    label_sets: Fixed[LabelSetLimit] = 2000
    label_values: Fixed[LabelValueLimit] = 500
    expire_after_seconds: Fixed[ExpirySeconds] = 86_400


class Config(Section, frozen=True):
    """The configuration of `llmvitals collect`."""

    receivers: Receivers = Receivers()
    metrics: Metrics = Metrics()
    limits: Limits = Limits()
    processors: ProcessorsConfig = ProcessorsConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    storage: Fixed[StorageConfig] = StorageConfig()
    forward: Fixed[Backends] = {}
    push: Fixed[Destinations] = {}
    debug: Fixed[DebugConfig] = DebugConfig()


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read a configuration file; `${env:NAME}` and `${env:NAME:-default}` in it are the environment's.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    try:
        return document.read(path, Config, environment)
    except ValueError as error:
        raise ConfigError(error) from error


S = TypeVar("S", bound=msgspec.Struct)


def reloaded(running: S, wanted: S) -> tuple[S, list[str]]:
    """What a collector that runs can take of a new configuration, and the paths of those keys that take a restart.

    Raises:
        ConfigError: what it can take does not go with what stays.
    """
    taken, left = {}, []
    for key in keys(type(running)):
        old, new = getattr(running, key.name), getattr(wanted, key.name)
        if "restart" in key.marks:
            taken[key.name] = old
            left += [key.name] if old != new else []
        elif key.section:
            taken[key.name], inner = reloaded(old, new)
            left += [f"{key.name}.{name}" for name in inner]
        else:
            taken[key.name] = new
    try:
        return type(running)(**taken), left
    except ValueError as error:
        raise ConfigError(f"{error}; {', '.join(left)} takes a restart") from error
