"""Percentiles of many histograms at once, as PromQL's `histogram_quantile` has them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def percentiles(
    counts: NDArray[np.float64], bounds: NDArray[np.float64], shares: Sequence[float], *, exponential: bool = False
) -> NDArray[np.float64]:
    """The values below which these shares of the observations lie: float64 (n, shares), in the unit of the bounds.

    counts: of each bucket, float64 (n, b + 1). bounds: their upper bounds, float64 (b,), positive and ascending; the
    last bucket has none. shares: above 0, up to 1. NaN where nothing was observed, and the highest bound where the
    value is above it.

    Within a bucket it is linear, as in every version for classic histograms, or exponential, as Prometheus 3 has it
    for native ones; their lowest bucket is the zero bucket, which is linear, too. quantiles.py has the source, and
    the same of one histogram.
    """
    cumulative = np.cumsum(counts, axis=1)
    ranks = cumulative[:, -1:] * np.asarray(shares)
    # The first bucket in which the rank is reached.
    places = (cumulative[:, None, :] >= ranks[:, :, None]).argmax(axis=2)
    up_to = np.take_along_axis(cumulative, places, axis=1)
    inside = np.take_along_axis(counts, places, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = (ranks - (up_to - inside)) / inside
        low = np.concatenate([[0.0], bounds])[places]
        high = np.append(bounds, bounds[-1])[places]
        linear = low + (high - low) * within
        found = np.where(low > 0, low * (high / low) ** within, linear) if exponential else linear
    return np.where(cumulative[:, -1:] > 0, found, np.nan)
