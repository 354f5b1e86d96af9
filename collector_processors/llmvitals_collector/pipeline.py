"""From receivers to the scrape: build, start, reload, drain, stop."""

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from llmvitals import semconv
from llmvitals_collector import expose, processors
from llmvitals_collector.aggregate import State
from llmvitals_collector.config import Config, ConfigError
from llmvitals_collector.counting import Counting
from llmvitals_collector.debug import Debug
from llmvitals_collector.decode import WALKER
from llmvitals_collector.evaluation.evaluation import Evaluation
from llmvitals_collector.evaluation.plan import Plan
from llmvitals_collector.expose import Format
from llmvitals_collector.forward.backend import Forward
from llmvitals_collector.health import Health
from llmvitals_collector.intake import Intake
from llmvitals_collector.page.floors import Floors
from llmvitals_collector.page.page import Page
from llmvitals_collector.page.reading import Reading, reading
from llmvitals_collector.page.site import Site
from llmvitals_collector.processors import slo
from llmvitals_collector.push.moment import Moment
from llmvitals_collector.push.push import Push
from llmvitals_collector.receivers.admission import Admission
from llmvitals_collector.receivers.otlp import OtlpReceivers
from llmvitals_collector.scrape import ScrapeServer
from llmvitals_collector.storage import Storage
from llmvitals_collector.telemetry import Telemetry
from llmvitals_collector.workers.workers import Workers

if TYPE_CHECKING:
    from llmvitals_collector.receivers.kafka.receiver import Kafka


class Pipeline:
    """The whole collector. Building it opens nothing.

    workers: how many processes receive for this one; with 0 it receives itself.
    """

    def __init__(self, config: Config, workers: int = 0) -> None:
        built = processors.build(config.processors)
        self._config = config
        self._health = Health()
        self._admission = Admission(config.receivers.max_in_flight_bytes)
        self._state = State(config.limits, config.metrics)
        self._telemetry = Telemetry(config.limits.label_sets, built)
        self._debug = Debug(config.debug)
        self._forward = Forward(config.forward, self._telemetry)
        self._push = Push(config.push, config.metrics, self._moment, self._telemetry)
        self._counting = Counting(self._state, built, self._telemetry, self._debug)
        self.intake = Intake(self._counting, self._telemetry, self._debug, self._forward, self._health)
        self.evaluation = Evaluation(config.evaluation, self.intake, self._telemetry)
        self.intake.content = self.evaluation.enabled
        self._counting.evaluate(self.evaluation)
        otlp = OtlpReceivers(config.receivers, self.intake, self._admission, self._telemetry, self._health)
        self.grpc, self.http = otlp.grpc, otlp.http
        self._receivers: OtlpReceivers | Workers = otlp
        if workers:
            self._receivers = Workers(
                workers, config, otlp, self._admission, self._counting, self._telemetry, self._debug, self._health
            )
        self._page = Page(self._reading, Floors(config.metrics.catalogue)) if config.metrics.page else None
        site = Site(self._page) if self._page else None
        self.metrics = ScrapeServer(config.metrics, self.render, self._health, self._debug, site)
        self._kafka = self._built_kafka(config)
        self._running = False
        self._watch()

    def start(self) -> None:
        """Go on where an earlier run ended, and listen on every address, or on none.

        Raises:
            PortError: an address cannot be had.
            StorageError: the storage cannot be used.
            WorkerError: a worker cannot start.
        """
        try:
            self._running = True
            if self._config.storage.directory:
                self._open(Storage(self._config.storage))
            if self._page:
                self._page.start()
            self._forward.start()
            self._push.start(self._config.storage.directory)
            self.evaluation.start()
            # Whoever takes starts before those who give, and stops after them.
            self.metrics.start()
            self._receivers.start()
            if self._kafka:
                self._kafka.start()
        except BaseException:
            self.stop()
            raise
        self._health.report("collector", None)

    def reload(self, config: Config) -> None:
        """Take another configuration over, all of it or nothing; what takes a restart is as it was.

        Raises:
            ConfigError: a file that it names cannot be read.
        """
        built = processors.build(config.processors)
        plan = Plan(config.evaluation)
        self._receivers.reload(config)
        # From here on nothing fails.
        self.evaluation.set(plan)
        self._counting.set(built)
        self.intake.content = self.evaluation.enabled
        self._config = config
        self._configured()

    def refused(self) -> None:
        """Note that another configuration was not taken over."""
        self._telemetry.not_configured()

    def stop(self) -> None:
        """Take no more, finish what is in flight, keep it, then close /metrics; safe without a start, and twice."""
        if not self._running:
            return
        self._running = False
        self._health.report("collector", "the collector is stopping")
        if self._page:
            self._page.stop()
        if self._kafka:
            self._kafka.stop()
        self._receivers.stop()
        self._counting.flush()
        self.evaluation.stop()
        self._forward.stop()
        self._push.stop()
        self._counting.close()
        self.metrics.stop()

    def render(self, format: Format) -> Iterator[bytes]:
        """The body of a scrape, in pieces."""
        self._counting.flush()
        since = time.thread_time()
        self._telemetry.held(self._state)
        yield from expose.render(self._state.snapshot(), format, self._telemetry.render(format))
        self._telemetry.spent(semconv.STAGE_RENDER, since)

    def _reading(self) -> Reading:
        """What the page shows, as it is now."""
        self._counting.flush()
        self._telemetry.held(self._state)
        return reading(self._state.snapshot(), self._telemetry.collect(), time.time())

    def _moment(self) -> Moment:
        """What is pushed, as it is now."""
        self._counting.flush()
        self._telemetry.held(self._state)
        counted = self._state.snapshot()
        return Moment(time.time_ns(), counted, list(self._telemetry.collect()))

    def _built_kafka(self, config: Config) -> "Kafka | None":
        if not config.receivers.kafka.brokers:
            return None
        try:
            from llmvitals_collector.receivers.kafka.receiver import Kafka
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"receivers.kafka.brokers: needs {error.name}, which is missing: pip install 'llmvitals[kafka]'"
            ) from error
        return Kafka(
            config.receivers.kafka,
            self.intake,
            self._counting,
            self._admission,
            self._telemetry,
            self._health,
            config.storage.directory,
        )

    def _watch(self) -> None:
        """Tell telemetry what there is to be read at a scrape."""
        self._telemetry.built(WALKER)
        self._configured()
        watch = self._telemetry.watch
        watch(semconv.COLLECTOR_IN_FLIGHT_BYTES, lambda: {(): float(self._admission.held)})
        watch(semconv.COLLECTOR_IN_FLIGHT_CAPACITY_BYTES, lambda: {(): float(self._admission.limit)})
        watch(semconv.COLLECTOR_WAITING_ROWS, lambda: {(): float(self._counting.waiting)})
        for family in (semconv.RELEASE_TIMESTAMP, semconv.PRICE_TIMESTAMP):
            watch(family, partial(self._counting.gauges, family))

    def _open(self, storage: Storage) -> None:
        self._counting.open(storage)
        watch = self._telemetry.watch
        watch(semconv.COLLECTOR_JOURNAL_BYTES, lambda: {(): float(storage.journal.size)})
        watch(semconv.COLLECTOR_JOURNAL_CUT_BYTES, lambda: {(): float(storage.journal.cut_bytes)})
        watch(semconv.COLLECTOR_JOURNAL_LOST_ENTRIES, lambda: {(): float(storage.journal.lost_entries)})
        watch(semconv.COLLECTOR_SNAPSHOT_FAILURES, lambda: {(): float(storage.failed_snapshots)})
        watch(semconv.COLLECTOR_SNAPSHOT_TIME, lambda: {(): storage.saved_at})

    def _configured(self) -> None:
        self._telemetry.configured(self._config)
        for family, labels, value in slo.gauges(self._config.processors.slo):
            self._telemetry.set(family, *labels, value=value)
