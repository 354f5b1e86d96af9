"""What Prometheus reads at a scrape, in each of its formats."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from llmvitals_collector.expose import protobuf, text

if TYPE_CHECKING:
    from llmvitals_collector.aggregate import Snapshot


class Format(Enum):
    """The formats, by their content type.

    https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
    https://prometheus.io/docs/specs/om/open_metrics_spec/
    https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
    """

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def render(snapshot: "Snapshot", format: Format, more: bytes = b"") -> Iterator[bytes]:
    """The body of a scrape in pieces, of which each takes a millisecond or two.

    A piece may be empty: whoever asks for it can let others work in between. more: other families in the same format.
    """
    for series in snapshot.series:
        label_sets = snapshot.label_sets[series.names]
        if format is Format.PROTOBUF:
            yield from protobuf.pieces(series, label_sets)
        else:
            yield from text.pieces(series, label_sets, openmetrics=format is Format.OPENMETRICS)
    yield more
    if format is Format.OPENMETRICS:
        yield b"# EOF\n"
