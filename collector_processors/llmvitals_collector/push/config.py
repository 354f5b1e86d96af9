"""Where metrics are pushed to, how often, and in which form."""

from typing import Annotated, Literal

import msgspec

from llmvitals_collector.forward.config import Destination

Interval = Annotated[float, msgspec.Meta(ge=1, le=300, description="a number of seconds from 1 to 300")]
Temporality = Annotated[Literal["cumulative", "delta"], msgspec.Meta(description="cumulative or delta")]
HistogramForm = Annotated[Literal["explicit", "exponential"], msgspec.Meta(description="explicit or exponential")]
Attributes = Annotated[
    dict[str, str], msgspec.Meta(description="a mapping of names of attributes to their values, which are texts")
]


class PushConfig(Destination, frozen=True):
    """A destination that gets the series of /metrics in OTLP, at regular intervals.

    Attributes:
        protocol: both in protobuf.
        interval_seconds: from one push to the next. Prometheus forgets a series after 300.
        temporality: cumulative, by which nothing is lost where pushes fail; delta is what was counted since the last
            push that was accepted, for those who take nothing else.
        histograms: with the classic buckets of /metrics, or exponential ones, which are its native ones.
        resource: attributes of this collector, beside service.name, service.version and service.instance.id, or in
            their place. The instance is a UUID, kept in storage.directory if there is one, else new at each start.
    """

    interval_seconds: Interval = 15
    temporality: Temporality = "cumulative"
    histograms: HistogramForm = "explicit"
    resource: Attributes = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.resource.items():
            # An empty instance is none to Prometheus, so that replicas would overwrite one another.
            if not name or not value:
                raise ValueError(f"resource: {name!r}: {value!r} is no attribute; valid: a name and a text, not empty")
