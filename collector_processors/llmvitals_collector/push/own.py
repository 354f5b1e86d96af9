"""What the collector tells of itself, as points of OTLP."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeAlias

import numpy as np
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from llmvitals_collector.expose.wire import double, fixed64, message
from llmvitals_collector.push.metric import ATTRIBUTES, START, TIME, Points, attributes, metric, points

_VALUE = 4
_COUNT, _SUM, _BUCKETS, _BOUNDS = 4, 5, 6, 7

Values: TypeAlias = Mapping[tuple[object, ...], float]
"""The value of each sample, by its name and its labels."""


def own_points(
    metrics: Iterable[Metric], now: int, since: Mapping[str, int], earlier: Values | None = None
) -> Iterator[Points]:
    """The points of all metrics that have any.

    now, since: in nanoseconds since the epoch; `since` by the name of the metric, and "" for the others.
    earlier: values from which those of counters and histograms are told as differences; None for sums.
    """
    for each in metrics:
        if not each.samples:
            continue
        name = f"{each.name}_total" if each.type == "counter" else each.name
        encode = _histogram if each.type == "histogram" else _number
        times = fixed64(TIME, now)
        if each.type != "gauge":
            times += fixed64(START, since.get(name, since[""]))
        samples = each.samples if each.type == "gauge" else _changes(each.samples, earlier or {})
        yield points(
            metric(name, each.documentation, each.type, delta=earlier is not None),
            (
                attributes(ATTRIBUTES[each.type], labels) + times + encode(list(some))
                for labels, some in groupby(samples, _labels)
            ),
        )


def values(metrics: Iterable[Metric]) -> Values:
    """What `own_points` takes for earlier values."""
    return {_key(sample): sample.value for each in metrics for sample in each.samples}


def _changes(samples: Iterable[Sample], earlier: Values) -> Iterator[Sample]:
    return (sample._replace(value=sample.value - earlier.get(_key(sample), 0.0)) for sample in samples)


def _key(sample: Sample) -> tuple[object, ...]:
    return sample.name, *sample.labels.items()


def _labels(sample: Sample) -> list[tuple[str, str]]:
    return [(name, value) for name, value in sample.labels.items() if name != "le"]


def _number(samples: list[Sample]) -> bytes:
    return double(_VALUE, samples[0].value)


def _histogram(samples: list[Sample]) -> bytes:
    """samples: those of the buckets, which are cumulative, and then the count and the sum, in any order."""
    last = {sample.name.rpartition("_")[2]: sample.value for sample in samples}
    buckets = [sample for sample in samples if "le" in sample.labels]
    counts = np.diff([0.0, *(sample.value for sample in buckets)]).astype("<u8")
    bounds = np.array([float(sample.labels["le"]) for sample in buckets[:-1]], "<f8")
    body = fixed64(_COUNT, int(last["count"])) + double(_SUM, last["sum"])
    return body + message(_BUCKETS, counts.tobytes()) + message(_BOUNDS, bounds.tobytes())
