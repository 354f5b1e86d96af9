"""From receivers to the scrape: build, start, drain, stop."""

import logging
from threading import Lock

from llmvitals import semconv
from llmvitals_collector import processors
from llmvitals_collector.aggregate import State
from llmvitals_collector.calls import Calls
from llmvitals_collector.config import Config
from llmvitals_collector.decode import Encoding, MalformedError
from llmvitals_collector.expose import Format, Renderer
from llmvitals_collector.lifecycle import Server
from llmvitals_collector.processors import slo
from llmvitals_collector.receivers import Decode
from llmvitals_collector.receivers.otlp_grpc import OtlpGrpc
from llmvitals_collector.receivers.otlp_http import OtlpHttp
from llmvitals_collector.results import Results
from llmvitals_collector.scrape import ScrapeServer
from llmvitals_collector.telemetry import Telemetry

_logger = logging.getLogger(__name__)

_RECEIVED = {Calls: semconv.COLLECTOR_RECEIVED_SPANS, Results: semconv.COLLECTOR_RECEIVED_LOG_RECORDS}
_IGNORED = {Calls: semconv.COLLECTOR_IGNORED_SPANS, Results: semconv.COLLECTOR_IGNORED_LOG_RECORDS}


class Pipeline:
    """The whole collector. Building it opens nothing."""

    def __init__(self, config: Config) -> None:
        self._processors = processors.build(config.processors)
        self._state = State(config.limits.label_sets)
        self._telemetry = Telemetry(config.limits.label_sets, self._processors)
        for family, labels, value in slo.gauges(config.processors.slo):
            self._telemetry.set(family, *labels, value=value)
        self._renderer = Renderer()
        self._in_process = Lock()
        self._failed: set[str] = set()  # processors whose failure is in the log; the others are only counted
        self.grpc = OtlpGrpc(config.receivers.grpc, self)
        self.http = OtlpHttp(config.receivers.http, self)
        self.metrics = ScrapeServer(config.metrics.address, self.render)
        # Whoever takes starts before those who give, and stops after them.
        self._servers: tuple[Server, ...] = (self.metrics, self.grpc, self.http)

    def start(self) -> None:
        """Listen on every address, or on none.

        Raises:
            PortError: an address cannot be had.
        """
        try:
            for server in self._servers:
                server.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take no more, finish what is in flight, then close /metrics; safe without a start, and twice."""
        for server in reversed(self._servers):
            server.stop()

    def take(self, receiver: str, decode: Decode, body: bytes, encoding: Encoding) -> None:
        """Count a request: all of it, or nothing; see receivers.Intake."""
        try:
            decoded = decode(body, encoding)
            records = decoded.records
            if isinstance(records, Calls):
                records = self._processed(records)
            self._state.add(records)
        except Exception as error:
            self.refuse(receiver, semconv.MALFORMED if isinstance(error, MalformedError) else semconv.INTERNAL)
            raise
        record = type(records)
        self._telemetry.received(_RECEIVED[record], decoded.received)
        for reason, amount in decoded.ignored.items():
            self._telemetry.count(_IGNORED[record], reason, amount=amount)

    def refuse(self, receiver: str, reason: str) -> None:
        """Note a refused request; see receivers.Intake."""
        self._telemetry.count(semconv.COLLECTOR_REFUSED_REQUESTS, receiver, reason)

    def render(self, format: Format) -> bytes:
        """The body of a scrape."""
        calls = self._state.snapshot()
        self._telemetry.held(self._state.series())
        return self._renderer.render([*calls, *self._telemetry.snapshot()], format)

    def _processed(self, calls: Calls) -> Calls:
        """Pass a batch through the processors; it goes on without the one that fails."""
        if not len(calls):
            return calls
        with self._in_process:
            for name, processor in self._processors.items():
                try:
                    calls = processor.process(calls)
                except Exception:
                    self._telemetry.count(semconv.COLLECTOR_PROCESSOR_FAILURES, name)
                    if name not in self._failed:
                        _logger.exception("processor %s failed on a batch, which goes on without it", name)
                    self._failed.add(name)
        return calls
