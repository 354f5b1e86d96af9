"""A queue before each backend, and the threads that empty it: ingest never waits for a backend."""

import logging
import random
import time
from collections import Counter, deque
from collections.abc import Mapping
from threading import Condition, Event, Thread

from llmvitals import semconv
from llmvitals_collector.decode import Encoding
from llmvitals_collector.forward.config import ForwardConfig
from llmvitals_collector.forward.transport import BusyError, Request, SendError, Transport
from llmvitals_collector.forward.transports import transport
from llmvitals_collector.lifecycle import stop_together
from llmvitals_collector.receivers import Signal
from llmvitals_collector.telemetry import LabelValues, Telemetry

_logger = logging.getLogger(__name__)

_DATA_TYPES = {Signal.TRACES: semconv.DATA_TRACES, Signal.LOGS: semconv.DATA_LOGS}
_SENT = {Signal.TRACES: semconv.OTELCOL_SENT_SPANS, Signal.LOGS: semconv.OTELCOL_SENT_LOG_RECORDS}
_FAILED = {Signal.TRACES: semconv.OTELCOL_SEND_FAILED_SPANS, Signal.LOGS: semconv.OTELCOL_SEND_FAILED_LOG_RECORDS}
_NOT_QUEUED = {
    Signal.TRACES: semconv.OTELCOL_ENQUEUE_FAILED_SPANS,
    Signal.LOGS: semconv.OTELCOL_ENQUEUE_FAILED_LOG_RECORDS,
}
# As the OpenTelemetry Collector does: https://github.com/open-telemetry/opentelemetry-collector/tree/main/config/configretry
_BACKOFF = 1.5
_VARIATION = (0.5, 1.5)


class Backend:
    """Sends requests on to one backend, which the configuration names."""

    def __init__(self, name: str, config: ForwardConfig, telemetry: Telemetry) -> None:
        self._config = config
        self._exporter = f"otlp/{name}"  # as the OpenTelemetry Collector would call it
        self._telemetry = telemetry
        self._signals = [signal for signal, data_type in _DATA_TYPES.items() if data_type in config.signals]
        self._queue: deque[Request] = deque()
        self._changed = Condition()  # of what waits, and of what is held
        self._requests = self._bytes = 0  # that wait or are under way
        self._failing = False
        self._stopping = Event()
        transports = [transport(config, f"forward.{name}") for _ in range(config.senders)]
        self._threads = [
            Thread(target=self._run, args=(each,), name=self._exporter, daemon=True) for each in transports
        ]
        self._watched(telemetry)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def offer(self, request: Request) -> None:
        """Take a request, or count it as dropped where the queue is full; returns at once."""
        if request.signal not in self._signals:
            return
        with self._changed:
            fits = (
                not self._stopping.is_set()
                and self._requests < self._config.queue_requests
                and self._bytes + len(request.body) <= self._config.queue_bytes
            )
            if fits:
                self._queue.append(request)
                self._hold(request, 1)
        if not fits:
            self._count(_NOT_QUEUED, request.signal, request.records)

    def stop(self) -> None:
        """Take no more; every request that is held gets one more attempt."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def join(self, deadline: float) -> None:
        """Wait until all is sent or given up, but not beyond `deadline`, a `time.monotonic()`; what is left is lost."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            left = list(self._queue)
            self._queue.clear()
            lost = self._requests
        for request in left:
            self._count(_FAILED, request.signal, request.records)
        if lost:
            _logger.warning("%s: %d requests were not sent before the collector stopped", self._exporter, lost)

    def _run(self, transport: Transport) -> None:
        while request := self._next():
            try:
                self._deliver(request, transport)
            except SendError as error:
                self._give_up(request, error)
            except Exception as error:
                _logger.exception("%s: a request could not be sent", self._exporter)
                self._give_up(request, error)
            finally:
                with self._changed:
                    self._hold(request, -1)
        transport.close()

    def _next(self) -> Request | None:
        """The request that came first; waits for one, None when the collector stops and there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping.is_set())
            return self._queue.popleft() if self._queue else None

    def _deliver(self, request: Request, transport: Transport) -> None:
        """Send a request until it is accepted.

        Raises:
            SendError: it is given up.
        """
        retry = self._config.retry
        wait, until = retry.initial_seconds, time.monotonic() + retry.total_seconds
        while True:
            last = self._stopping.is_set()
            try:
                rejected = min(transport.send(request), request.records)
            except BusyError as error:
                pause = max(error.after_seconds, wait * random.uniform(*_VARIATION))  # noqa: S311 - no secret
                if last or time.monotonic() + pause > until:
                    raise
                self._stopping.wait(pause)
                wait = min(wait * _BACKOFF, retry.max_seconds)
                self._telemetry.count(semconv.FORWARD_RETRIES, self._exporter)
            else:
                self._failing = False
                self._count(_SENT, request.signal, request.records - rejected)
                self._count(_FAILED, request.signal, rejected)
                return

    def _give_up(self, request: Request, error: Exception) -> None:
        self._count(_FAILED, request.signal, request.records)
        # Once for each time that it begins; the metrics have the rest.
        if not self._failing:
            _logger.warning("%s %s; requests are given up", self._exporter, error)
        self._failing = True

    def _hold(self, request: Request, requests: int) -> None:
        self._requests += requests
        self._bytes += requests * len(request.body)
        self._changed.notify_all()

    def _count(self, families: dict[Signal, semconv.Family], signal: Signal, records: int) -> None:
        self._telemetry.count(families[signal], self._exporter, amount=records)

    def _watched(self, telemetry: Telemetry) -> None:
        exporter, config = self._exporter, self._config
        data_types = [_DATA_TYPES[signal] for signal in self._signals]

        def waiting() -> dict[LabelValues, float]:
            with self._changed:
                found = Counter(_DATA_TYPES[request.signal] for request in self._queue)
            return {(exporter, each): float(found[each]) for each in data_types}

        telemetry.watch(semconv.OTELCOL_QUEUE_SIZE, waiting)
        telemetry.watch(
            semconv.OTELCOL_QUEUE_CAPACITY,
            lambda: {(exporter, each): float(config.queue_requests) for each in data_types},
        )
        telemetry.watch(semconv.FORWARD_QUEUE_BYTES, lambda: {(exporter,): float(self._bytes)})
        telemetry.watch(semconv.FORWARD_QUEUE_CAPACITY_BYTES, lambda: {(exporter,): float(config.queue_bytes)})
        telemetry.count(semconv.FORWARD_RETRIES, exporter, amount=0)
        for signal in self._signals:
            for families in (_SENT, _FAILED, _NOT_QUEUED):
                self._count(families, signal, 0)


class Forward:
    """Every backend of the configuration, none by default.

    Raises:
        ConfigError: a file of their TLS cannot be read.
    """

    def __init__(self, configs: Mapping[str, ForwardConfig], telemetry: Telemetry) -> None:
        self._backends = [Backend(name, config, telemetry) for name, config in configs.items()]
        self._started = False

    def start(self) -> None:
        """Begin to send."""
        for backend in self._backends:
            backend.start()
        self._started = True

    def offer(self, signal: Signal, body: bytes, encoding: Encoding, records: int) -> None:
        """Send a request on to every backend that wants it; returns at once, whatever becomes of it."""
        request = Request(signal, body, encoding, records)
        for backend in self._backends:
            backend.offer(request)

    def stop(self) -> None:
        """Send what is there, for as long as a stop may take; safe without a start, and twice."""
        if self._started:
            stop_together(self._backends)
            self._started = False
