"""Points in requests, none of which is larger than receivers take."""

from collections.abc import Iterable, Iterator, Mapping

from llmvitals_collector.decode import Encoding
from llmvitals_collector.expose.wire import message
from llmvitals_collector.forward.transport import Request
from llmvitals_collector.push.metric import Metric, Points, attributes
from llmvitals_collector.receivers import Signal

# gRPC servers take 4 MiB, once inflated, if they are not told otherwise.
_BYTES = 2 << 20
# Field numbers of https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto: of the request,
# of the metrics of a resource, and of the resource.
_RESOURCE_METRICS = 1
_RESOURCE, _SCOPE_METRICS = 1, 2
_ATTRIBUTES = 1


def requests(points: Iterable[Points], resource: Mapping[str, str]) -> Iterator[Request]:
    """All points, in as many requests as it takes.

    Points of one metric are together in each. resource: the attributes of who tells them.
    """
    head = message(_RESOURCE, attributes(_ATTRIBUTES, resource.items()))
    held: dict[Metric, list[Points]] = {}
    size = 0
    for some in points:
        if held and size + len(some.encoded) > _BYTES:
            yield _request(head, held)
            held, size = {}, 0
        held.setdefault(some.metric, []).append(some)
        size += len(some.encoded)
    if held:
        yield _request(head, held)


def _request(head: bytes, held: Mapping[Metric, list[Points]]) -> Request:
    metrics = (of.with_points(b"".join(each.encoded for each in several)) for of, several in held.items())
    body = message(_RESOURCE_METRICS, head + message(_SCOPE_METRICS, b"".join(metrics)))
    number = sum(each.number for several in held.values() for each in several)
    return Request(Signal.METRICS, body, Encoding.PROTOBUF, number)
