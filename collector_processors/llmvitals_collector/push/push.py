"""A thread for each destination, which tells it again and again what was counted."""

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from threading import Event, Thread

from llmvitals import semconv
from llmvitals_collector.config import ConfigError, Metrics
from llmvitals_collector.forward.transport import BusyError, Request, SendError
from llmvitals_collector.forward.transports import transport
from llmvitals_collector.lifecycle import stop_together
from llmvitals_collector.push.config import PushConfig
from llmvitals_collector.push.instance import instance_id
from llmvitals_collector.push.moment import Moment
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

# Prometheus forgets a series after five minutes, however long a destination wants to be left alone.
_LONGEST_PAUSE_SECONDS = 300.0


class Pusher:
    """Pushes to one destination, which the configuration names.

    Sums need no queue: when they are not accepted, those of the next push tell the same and more. Differences are told
    in order, each request until it is accepted, or refused for good.
    """

    def __init__(self, name: str, config: PushConfig, read: Callable[[], Moment], telemetry: Telemetry) -> None:
        self._config = config
        self._read = read
        self._telemetry = telemetry
        self._exporter = f"otlp/{name}"  # as the OpenTelemetry Collector would call it
        self._transport = transport(config, f"push.{name}")
        self._thread = Thread(target=self._run, name=f"push {self._exporter}", daemon=True)
        self._stopping = Event()
        self._resource: Mapping[str, str] = {}
        self._started = time.time_ns()
        self._since = 0  # the time of the last moment that was accepted
        self._earlier: Moment | None = None  # that moment, where differences are told
        # What is left of a moment's differences: those to be sent after the request that was not accepted, and that.
        self._under_way: tuple[Moment, Iterator[Request], Sequence[Request]] | None = None
        self._failing = False
        for family in (semconv.OTELCOL_SENT_METRIC_POINTS, semconv.OTELCOL_SEND_FAILED_METRIC_POINTS):
            telemetry.count(family, self._exporter, amount=0)

    def start(self, resource: Mapping[str, str]) -> None:
        """Begin to push; resource: the attributes of this collector."""
        self._resource = {**resource, **self._config.resource}
        if self._config.temporality == "delta":
            self._earlier = self._read().restored()
        self._thread.start()

    def stop(self) -> None:
        """Have one more push made, the last one."""
        self._stopping.set()

    def join(self, deadline: float) -> None:
        """Wait for the last push, but not beyond `deadline`, a `time.monotonic()`."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            _logger.warning("%s: the last push was not accepted before the collector stopped", self._exporter)

    def _run(self) -> None:
        # Replicas that are started together are not to push together.
        pause = random.uniform(0, self._config.interval_seconds)  # noqa: S311 - no secret
        while not self._stopping.wait(pause):
            pause = self._push()
        self._push()
        self._transport.close()

    def _push(self) -> float:
        """Send what is to be sent now; returns the seconds until the next push."""
        began, since, after = time.monotonic(), time.thread_time(), 0.0
        try:
            if self._under_way:
                self._send(*self._under_way)
            now = self._read()
            self._send(now, self._requests(now))
        except BusyError as error:
            self._failed(error)
            after = min(error.after_seconds, _LONGEST_PAUSE_SECONDS)
        except Exception:
            _logger.exception("%s: a push could not be made", self._exporter)
        self._telemetry.spent(semconv.STAGE_PUSH, since)
        return max(after, self._config.interval_seconds - (time.monotonic() - began))

    def _requests(self, now: Moment) -> Iterator[Request]:
        exponential = self._config.histograms == "exponential"
        if self._earlier:
            return now.differences(self._earlier, exponential, self._resource)
        return now.sums(self._started, self._since, exponential, self._resource)

    def _send(self, moment: Moment, left: Iterator[Request], again: Sequence[Request] = ()) -> None:
        """Send what is left of a moment, first what failed. What is refused for good is counted, and passed.

        Raises:
            BusyError: the destination could not take all of it, but may be able to later.
        """
        failing = False
        for request in chain(again, left):
            try:
                rejected = min(self._transport.send(request), request.records)
            except BusyError:
                if self._earlier:
                    self._under_way = moment, left, [request]
                self._count(semconv.OTELCOL_SEND_FAILED_METRIC_POINTS, request.records)
                raise
            except Exception as error:
                self._failed(error)
                failing, rejected = True, request.records
            self._count(semconv.OTELCOL_SENT_METRIC_POINTS, request.records - rejected)
            self._count(semconv.OTELCOL_SEND_FAILED_METRIC_POINTS, rejected)
        self._failing, self._under_way, self._since = failing, None, moment.time
        if self._earlier:
            self._earlier = moment

    def _failed(self, error: Exception) -> None:
        # Once for each time that it begins; the metrics have the rest.
        if not self._failing:
            unexpected = None if isinstance(error, SendError) else error
            _logger.warning("%s %s; a push was not accepted", self._exporter, error, exc_info=unexpected)
        self._failing = True

    def _count(self, family: semconv.Family, amount: int) -> None:
        self._telemetry.count(family, self._exporter, amount=amount)


class Push:
    """Every destination of the configuration, none by default.

    Raises:
        ConfigError: one asks for a form of histograms that there is not, or a file of its TLS cannot be read.
    """

    def __init__(
        self, configs: Mapping[str, PushConfig], metrics: Metrics, read: Callable[[], Moment], telemetry: Telemetry
    ) -> None:
        """read: gives everything as it is now; it is called by several threads."""
        for name, config in configs.items():
            _check(name, config, metrics)
        self._pushers = [Pusher(name, config, read, telemetry) for name, config in configs.items()]
        self._started = False

    def start(self, directory: str) -> None:
        """Begin to push. directory: where this collector keeps what belongs to it, or "".

        Raises:
            StorageError: its name cannot be kept there.
        """
        if not self._pushers:
            return
        resource = {
            semconv.SERVICE_NAME: semconv.COLLECTOR_JOB,
            semconv.SERVICE_VERSION: version("llmvitals"),
            semconv.SERVICE_INSTANCE_ID: instance_id(directory),
        }
        for each in self._pushers:
            each.start(resource)
        self._started = True

    def stop(self) -> None:
        """Push once more, for as long as a stop may take; safe without a start, and twice."""
        if self._started:
            stop_together(self._pushers)
            self._started = False


def _check(name: str, config: PushConfig, metrics: Metrics) -> None:
    """Refuse a form of histograms that /metrics has not either."""
    needed, there = {
        "explicit": ("classic_histograms", metrics.classic_histograms),
        "exponential": ("native_histograms", metrics.native_histograms),
    }[config.histograms]
    if not there:
        raise ConfigError(f"push.{name}.histograms: {config.histograms} needs metrics.{needed}, which is false")
