"""The buckets in which a histogram is counted, fine enough for its native and its classic form to be sums of them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SCHEMA = 3  # eight native buckets to an octave
BUCKETS_PER_OCTAVE = 1 << SCHEMA
# Upper bounds of the native buckets between 0.5 and 1, digit by digit as Prometheus has them (`exponentialBounds` in
# https://github.com/prometheus/prometheus/blob/main/model/histogram/generic.go): it, too, gets the others by ldexp.
_FRACTIONS = (
    *(0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048),
    *(0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711),
)
_MANTISSA_BITS = 52


def native_bound(index: int) -> float:
    """The upper bound, inclusive, of a native bucket: 2 ** (index / 8)."""
    octave, fraction = divmod(index, BUCKETS_PER_OCTAVE)
    return math.ldexp(_FRACTIONS[fraction], octave + 1)


class Grid:
    """All bounds of a histogram's two forms together.

    bounds: float64 (b,), positive and ascending; bucket i counts what is in (bounds[i-1], bounds[i]], bucket b all
        above.
    classic: where the bounds of the classic form are among them, intp (c,); none if it is switched off.
    native: where those of the native form are, intp (m + 1,), of which the first is the zero threshold; none likewise.
    first_native: the index of the first native bucket above the zero bucket.
    """

    def __init__(self, classic: Sequence[float], octaves: tuple[int, int] | None) -> None:
        low, high = octaves or (0, -1)
        indices = range(low * BUCKETS_PER_OCTAVE, high * BUCKETS_PER_OCTAVE + 1)
        native = [native_bound(index) for index in indices]
        self.bounds = np.union1d(np.array(classic, float), np.array(native, float))
        self.classic = np.searchsorted(self.bounds, classic)
        self.native = np.searchsorted(self.bounds, native)
        self.first_native = low * BUCKETS_PER_OCTAVE + 1
        self.zero_threshold = native[0] if native else 0.0
        self._shift, self._lowest, self._starts, self._splits = _slots(self.bounds)

    def __len__(self) -> int:
        """How many buckets there are."""
        return len(self.bounds) + 1

    def classic_counts(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The classic form of n histograms: the counts of its buckets, not cumulative, and of those above, (n, c + 1).

        counts: (n, buckets of the grid).
        """
        return np.add.reduceat(counts, [0, *(self.classic + 1)], axis=1)

    def native_counts(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The native form of n histograms: the counts of the zero bucket and of the others, (n, m + 1).

        What lies above the last one is in it, too. counts: (n, buckets of the grid).
        """
        return np.add.reduceat(counts, [0, *(self.native[:-1] + 1)], axis=1)

    def locate(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The bucket of each value; values: float64 (n,), not negative, and finite."""
        slots = values.view(np.int64) >> self._shift
        slots -= self._lowest
        # Whatever is below the lowest slot or above the highest is in it.
        buckets = self._starts.take(slots, mode="clip")
        buckets += values > self._splits.take(slots, mode="clip")
        return buckets


def _slots(bounds: NDArray[np.float64]) -> tuple[int, int, NDArray[np.intp], NDArray[np.float64]]:
    """A table that finds a value's bucket from the leading bits of its float, which rise with it.

    A slot is the range of the values that share these bits, taken so many that no slot has two bounds: a value is then
    in the bucket in which its slot starts, or in the next if it is above the slot's bound. That is two look-ups and one
    comparison for a value, where a binary search has eight that the processor cannot foresee.

    The shift that leaves these bits; the bits of the lowest slot, below all bounds; for each slot, up to one above all
    bounds, the bucket in which it starts, and the bound that splits it.
    """
    for shift in range(_MANTISSA_BITS - SCHEMA, -1, -1):
        bits = bounds.view(np.int64) >> shift
        if len(np.unique(bits)) == len(bits):
            break
    lowest = int(bits[0]) - 1
    edges = np.arange(lowest, int(bits[-1]) + 2) << shift
    starts = np.searchsorted(bounds, edges.view(np.float64))
    starts[0] = 0
    return shift, lowest, starts, np.append(bounds, np.inf)[starts]
