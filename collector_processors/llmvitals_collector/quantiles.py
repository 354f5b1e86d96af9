"""Percentiles of a classic histogram, exactly as PromQL's `histogram_quantile` has them."""

import math
from collections.abc import Mapping

# Counts that differ by less than this share are the same but for rounding (`smallDeltaTolerance`).
TOLERANCE = 1e-12


def histogram_quantile(quantile: float, buckets: Mapping[float, float]) -> float:
    """The value below which the share `quantile` of the observations lies, in the unit of the bounds.

    buckets: upper bound -> cumulative count, as `_bucket` series have them; the last bound is infinity.

    Linear within a bucket; the lowest begins at 0, unless its bound is not positive: then that bound is the answer,
    as the highest finite bound is when the value lies above it. NaN without observations, without an infinite bound,
    with no other bound, and for a NaN quantile; below 0 it is -inf, above 1 inf. Counts that fall are raised first.

    Source: `bucketQuantile` and `ensureMonotonicAndIgnoreSmallDeltas` of Prometheus,
    https://github.com/prometheus/prometheus/blob/main/promql/quantile.go
    """
    if math.isnan(quantile):
        return math.nan
    if not 0 <= quantile <= 1:
        return math.copysign(math.inf, quantile)
    bounds = sorted(buckets)
    if len(bounds) < 2 or bounds[-1] != math.inf:
        return math.nan
    counts = _rising([buckets[bound] for bound in bounds])
    observations = counts[-1]
    if observations == 0:
        return math.nan
    rank = quantile * observations
    index = next((index for index, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(counts) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    within = counts[index] - below
    if within == 0:  # only for the quantile 0 and an empty lowest bucket: 0 / 0
        return math.nan
    return start + (bounds[index] - start) * ((rank - below) / within)


def _rising(counts: list[float]) -> list[float]:
    """The counts made to rise; differences that are but rounding are removed, so that no bucket is all but empty."""
    risen = counts[:1]
    for count in counts[1:]:
        previous = risen[-1]
        same = abs(count - previous) <= TOLERANCE * abs(count + previous)
        risen.append(previous if same or count < previous else count)
    return risen
