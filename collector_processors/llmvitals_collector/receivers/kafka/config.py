"""Which topics are read out of Kafka, and as whom."""

from typing import Annotated, Literal

import msgspec

Names = Annotated[tuple[str, ...], msgspec.Meta(description="a list of names of topics")]
Brokers = Annotated[
    tuple[Annotated[str, msgspec.Meta(pattern=r"^([\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$")], ...],
    msgspec.Meta(description="a list of brokers such as kafka.example:9092"),
]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255, description="a name of 1 to 255 characters")]
OptionalName = Annotated[str, msgspec.Meta(max_length=249, description="a name, or empty for none")]
Encoding = Annotated[Literal["otlp_proto", "otlp_json"], msgspec.Meta(description="otlp_proto or otlp_json")]
Offset = Annotated[Literal["earliest", "latest"], msgspec.Meta(description="earliest or latest")]
MessageBytes = Annotated[
    int, msgspec.Meta(ge=1024, le=1 << 30, description="a whole number of bytes from 1024 to 1073741824")
]
Seconds = Annotated[float, msgspec.Meta(ge=0.5, le=1800, description="a number of seconds from 0.5 to 1800")]
Properties = Annotated[
    dict[str, str],
    msgspec.Meta(description="a mapping of librdkafka's properties to their values", extra={"secret": True}),
]
# What the receiver depends on.
_OURS = (
    "auto.offset.reset",
    "bootstrap.servers",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "partition.assignment.strategy",
    "session.timeout.ms",
    "transactional.id",
)


class KafkaReceiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OTLP out of Kafka, as the OpenTelemetry Collector's Kafka exporter writes it; needs `llmvitals[kafka]`.

    Attributes:
        brokers: to begin with; without any, nothing is read.
        traces_topics: with traces.
        logs_topics: with logs.
        encoding: of both.
        group: the consumer group; replicas that share the work are of one.
        instance_id: other than that of any other replica, and the same after a restart: then a restart within
            session_timeout_seconds moves no partition.
        initial_offset: where a partition begins of which the group knows nothing.
        session_timeout_seconds: after so long without a sign of life, others get a replica's partitions.
        max_message_bytes: what is larger is set aside.
        dead_letter_topic: gets what cannot be decoded. Without one it goes to files in storage.directory, if there is
            one, and else only the metrics tell of it.
        properties: further ones of the client, such as security.protocol and sasl.password;
            https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
    """

    brokers: Brokers = ()
    traces_topics: Names = ("otlp_spans",)
    logs_topics: Names = ("otlp_logs",)
    encoding: Encoding = "otlp_proto"
    group: Name = "llmvitals"
    instance_id: OptionalName = ""
    initial_offset: Offset = "earliest"
    session_timeout_seconds: Seconds = 45
    max_message_bytes: MessageBytes = 16 << 20
    dead_letter_topic: OptionalName = ""
    properties: Properties = {}

    def __post_init__(self) -> None:
        if both := set(self.traces_topics) & set(self.logs_topics):
            raise ValueError(f"logs_topics: {min(both)!r} is among traces_topics, too; a topic has one of the two")
        if self.brokers and not (self.traces_topics or self.logs_topics):
            raise ValueError("traces_topics: is empty, as logs_topics is; one of them has to name a topic")
        if self.dead_letter_topic in (*self.traces_topics, *self.logs_topics):
            raise ValueError("dead_letter_topic: is read itself; valid: a topic that is not")
        for name in self.properties:
            if name in _OURS:
                raise ValueError(f"properties: {name!r} is not to be set there; the receiver depends on it")

    def __repr__(self) -> str:
        return f"KafkaReceiver({', '.join(self.brokers)})"
