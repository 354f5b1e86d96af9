"""What a Prometheus says to a board's queries, for the sheet and for tests."""

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 30  # seconds that a query may take
# The server is named by whoever asks; a proxy of the environment is not between.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotAnsweredError(Exception):
    """Nothing that speaks as Prometheus does is at the address."""


class QueryError(Exception):
    """Prometheus refuses a query; says why."""


@dataclass(frozen=True)
class Bucket:
    """Observations in (low, high], in the histogram's unit."""

    low: float
    high: float
    count: float


@dataclass
class Series:
    """One series of an answer.

    points: Unix seconds and value; of a native histogram its count.
    histograms: Unix seconds and buckets, of a native histogram.
    """

    labels: dict[str, str]
    points: list[tuple[float, float]]
    histograms: list[tuple[float, list[Bucket]]] = field(default_factory=list)


class Server:
    """A Prometheus at a URL. https://prometheus.io/docs/prometheus/latest/querying/api/"""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def at(self, expression: str, time: float) -> list[Series]:
        """An instant query, at Unix seconds."""
        return _series(self._asked("query", query=expression, time=time))

    def over(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        """A range query; times are Unix seconds, the step is seconds."""
        return _series(self._asked("query_range", query=expression, start=start, end=end, step=step))

    def exemplars(self, expression: str, start: float, end: float) -> list[tuple[float, float]]:
        """Unix seconds and value of each exemplar of the series in an expression."""
        found = self._asked("query_exemplars", query=expression, start=start, end=end)
        return [(float(each["timestamp"]), float(each["value"])) for one in found or () for each in one["exemplars"]]

    def _asked(self, what: str, **parameters: str | float) -> Any:
        """The data of an answer. Raises QueryError or NotAnsweredError."""
        url = f"{self.url}/api/v1/{what}"
        try:
            with _direct.open(url, urllib.parse.urlencode(parameters).encode(), timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self.url) from None
        except (OSError, ValueError, LookupError) as error:
            raise NotAnsweredError(f"no Prometheus answers at {self.url}: {error}") from None


def _refusal(error: urllib.error.HTTPError, url: str) -> QueryError | NotAnsweredError:
    try:
        return QueryError(json.load(error)["error"])
    except (ValueError, LookupError):
        return NotAnsweredError(f"no Prometheus answers at {url}: HTTP status {error.code}")


def _series(data: Mapping[str, Any]) -> list[Series]:
    if data["resultType"] == "scalar":
        return [Series({}, [_point(data["result"])])]
    found = []
    for one in data["result"]:
        told = one.get("histograms") or ([one["histogram"]] if "histogram" in one else [])
        points = one.get("values") or ([one["value"]] if "value" in one else [])
        histograms = [(float(time), _buckets(histogram)) for time, histogram in told]
        counts = [(float(time), float(histogram["count"])) for time, histogram in told]
        found.append(Series(one["metric"], [_point(point) for point in points] + counts, histograms))
    return found


def _point(point: tuple[float, str]) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def _buckets(histogram: Mapping[str, Any]) -> list[Bucket]:
    return [Bucket(float(low), float(high), float(count)) for _, low, high, count in histogram.get("buckets") or ()]


def buckets_by_time(answer: list[Series]) -> dict[float, list[Bucket]]:
    """The buckets of a heatmap at each moment: a native histogram's own, or the differences of cumulative ones."""
    by_time: dict[float, list[Bucket]] = {}
    for series in answer:
        by_time |= dict(series.histograms)
    cumulative: dict[float, list[tuple[float, float]]] = {}
    for series in answer:
        if "le" in series.labels:
            for time, count in series.points:
                if not math.isnan(count):
                    cumulative.setdefault(time, []).append((float(series.labels["le"]), count))
    for time, bounds in cumulative.items():
        low, below = 0.0, 0.0
        for high, count in sorted(bounds):
            by_time.setdefault(time, []).append(Bucket(low, high, max(count - below, 0.0)))
            low, below = high, count
    return by_time
